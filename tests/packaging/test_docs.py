"""What the documents say can be run, followed or looked up."""

import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.packaging.markdown import ROOT, Markdown, documents

LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")
# Where a program may begin: at a line's start, after a separator, after a variable, after Docker Compose.
BEGIN = r"(?:^|[;&|(]\s*|\w=\S*\s|run --rm \w+ |\.venv/bin/)"
COMMAND = re.compile(BEGIN + r"(make|duijie)(?=\s|$)([^;&|#)\n]*)", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w./~-])/(?:home|Users|work|mnt|tmp)/\S*")
SCREEN = re.compile(r"<!-- demo-screen -->\n```\w*\n(.*?)```\n<!-- /demo-screen -->", re.DOTALL)
SHOWN = """make demo, make test, duijie serve, duijie worker, duijie migrate, duijie doctor, duijie import,
duijie export, duijie template, duijie evaluate, duijie keys create"""


@dataclass(frozen=True)
class Call:
    """A call of make or duijie that a document shows."""

    program: str
    words: tuple[str, ...]

    @property
    def plain(self) -> list[str]:
        """Its words without options and variables."""
        return [word for word in self.words if not word.startswith("-") and "=" not in word]


def calls_of(document: Markdown) -> list[Call]:
    """Calls of make and duijie in a document's code."""
    code = [block.replace("\\\n", " ") for block in document.shell] + document.spans
    return [Call(match[1], tuple(shlex.split(match[2]))) for text in code for match in COMMAND.finditer(text)]


def problem_of(call: Call, targets: set[str], commands: Mapping[str, frozenset[str]]) -> str | None:
    """What is wrong with a call, or None. `duijie` alone is the program's name."""
    if call.program == "make":
        unknown = [word for word in call.plain if word not in targets]
        return f"make has no target {unknown[0]}" if unknown else None
    if not call.words:
        return None
    name = next((name for name in (" ".join(call.plain[:2]), *call.plain[:1]) if name in commands), None)
    if name is None:
        return f"duijie has no command {' '.join(call.plain[:2])}"
    options = [word.partition("=")[0] for word in call.words if word.startswith("--")]
    unknown = [option for option in options if option not in commands[name]]
    return f"duijie {name} has no option {unknown[0]}" if unknown else None


@pytest.fixture(scope="module")
def targets() -> set[str]:
    """What make can make."""
    return set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_commands_exist(document: Markdown, targets: set[str], commands: Mapping[str, frozenset[str]]) -> None:
    problems = [problem_of(call, targets, commands) for call in calls_of(document)]
    assert [problem for problem in problems if problem] == []


def test_wrong_commands_are_found(tmp_path: Path, targets: set[str], commands: Mapping[str, frozenset[str]]) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "`make dmo`, `$(duijie keys mke)`, `duijie serv`, `duijie serve --prot 1`, `duijie keys make`, `duijie`, `make demo ONCE=1`\n"
        "```sh\nX=1 duijie export a --knd needs\ndocker compose run --rm migrate duijie keys crate \\\n --role a\n```\n"
    )
    problems = [problem_of(call, targets, commands) for call in calls_of(Markdown(page))]
    assert problems == [
        "duijie export has no option --knd",
        "duijie has no command keys crate",
        "make has no target dmo",
        "duijie has no command keys mke",
        "duijie has no command serv",
        "duijie serve has no option --prot",
        "duijie has no command keys make",
        None,
        None,
    ]


def test_the_first_page_shows_the_commands_that_matter(readme: Markdown) -> None:
    shown = {" ".join((call.program, *call.plain[:count])) for call in calls_of(readme) for count in (1, 2)}
    assert {name.strip() for name in SHOWN.replace("\n", " ").split(",")} - shown == set()


def anchors_of(document: Markdown) -> set[str]:
    """The anchors of a document's headings, as GitHub makes them: letters, digits, hyphens."""
    headings = re.findall(r"^#{1,6} (.+)$", document.prose, re.MULTILINE)
    kept = ([c for c in heading.lower() if c in " -_" or unicodedata.category(c)[0] in "LN"] for heading in headings)
    return {"".join(characters).strip().replace(" ", "-") for characters in kept}


def test_links_lead_somewhere(document: Markdown) -> None:
    broken = []
    for target in LINK.findall(document.prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (document.path.parent / path).resolve() if path else document.path
        if not file.exists() or (anchor and anchor not in anchors_of(Markdown(file))):
            broken.append(target)
    assert broken == []


def test_anchors_are_those_of_github(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Your own data!\n## 导入自己的数据\n```sh\n# a comment\n```\n### `DUIJIE_MODEL` and more\n")
    assert anchors_of(Markdown(page)) == {"your-own-data", "导入自己的数据", "duijie_model-and-more"}


def test_no_path_of_a_machine() -> None:
    others = [ROOT / name for name in ("Makefile", "Dockerfile", "docker-compose.yml", ".ci/run", "pyproject.toml")]
    for path in [*(document.path for document in documents()), *others]:
        text = path.read_text(encoding="utf-8")
        assert MACHINE_PATH.findall(text) == [], path
        assert str(ROOT) not in text, path


def test_the_first_page_shows_a_screen_of_the_demo(readme: Markdown) -> None:
    screen = SCREEN.search(readme.text)
    assert screen, "the region between the two comments is gone"
    assert len(screen[1].splitlines()) > 10, "it shows no screen of the demo"


def test_every_decision_is_listed_and_has_its_parts() -> None:
    folder = ROOT / "docs" / "adr"
    pages = [Markdown(path) for path in sorted(folder.glob("[0-9]*.md"))]
    assert LINK.findall(Markdown(folder / "README.md").prose) == [page.path.name for page in pages]
    assert [int(page.path.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        assert page.text.startswith(f"# {page.path.name[:4]} "), page.name
        assert {"Context", "Decision", "Consequences"} <= set(re.findall(r"^## (.+)$", page.prose, re.MULTILINE)), (
            page.name
        )


def test_versions_of_libraries_are_the_pinned_ones() -> None:
    pins = "".join((ROOT / "requirements" / name).read_text(encoding="utf-8") for name in ("lock.txt", "torch.txt"))
    pinned = set(re.findall(r"^([\w.-]+)==(\S+)$", pins, re.MULTILINE))
    table = Markdown(ROOT / "docs" / "adr" / "0007-libraries.md").prose
    listed = set(re.findall(r"^\| ([a-z][\w-]+) \| (\d\S*) \|", table, re.MULTILINE))
    assert len(listed) > 15
    assert listed - pinned == set()
