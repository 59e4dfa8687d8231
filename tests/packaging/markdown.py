"""The project's Markdown documents, taken apart into prose and code."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = {"build", "dist"}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = {"sh", "bash", "console"}


@dataclass(frozen=True)
class Markdown:
    """One document."""

    path: Path

    @property
    def name(self) -> str:
        """Its place in the project."""
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """It without its fenced blocks."""
        return FENCE.sub("", self.text)

    @cached_property
    def shell(self) -> list[str]:
        """Its fenced blocks for a shell."""
        return [block for language, block in FENCE.findall(self.text) if language in SHELL]

    @cached_property
    def spans(self) -> list[str]:
        """Its code spans."""
        return re.findall(r"`([^`\n]+)`", self.prose)


def documents() -> list[Markdown]:
    """Every document of the project; what lies in hidden folders (the virtual environment, caches) is not ours."""
    found = [Markdown(path) for path in sorted(ROOT.rglob("*.md"))]
    return [each for each in found if not BUILT & set(each.name.split("/")) and not re.search(r"(^|/)\.", each.name)]


def readmes() -> list[Markdown]:
    """The first pages, one a language."""
    return [Markdown(ROOT / name) for name in ("README.md", "README.zh-CN.md")]
