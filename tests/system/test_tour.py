"""The tours that the documents show, typed in as they stand while the demo serves, and what they say is printed."""

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.packaging.markdown import ROOT, Markdown
from tests.system.test_serve import free_port

TOUR, SHORT = Markdown(ROOT / "docs" / "tour.md"), Markdown(ROOT / "README.md")
TRANSLATED = {
    TOUR.name: Markdown(ROOT / "docs" / "tour.zh-CN.md"),
    SHORT.name: Markdown(ROOT / "README.zh-CN.md"),
}
ANSWER = re.compile(r"^# → (.*)$", re.MULTILINE)
VARIABLE = "…"


def script_of(document: Markdown) -> str:
    """The blocks of a document that belong to its tour, as one script."""
    return "\n".join(block for block in document.shell if re.search(r"^ask |\(ask ", block, re.MULTILINE))


def bare(script: str) -> list[str]:
    """A script without its explanations and the language that it asks for; what is printed stays."""
    lines = (re.sub(r"\s+# (?!→).*$|^# (?!→).*$", "", line) for line in script.splitlines())
    return [re.sub(r"Accept-Language: \w+", "Accept-Language", line) for line in lines if line]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder as after `make demo`, with the demo served on a port of its own until the tests are done."""
    with tempfile.TemporaryDirectory(prefix="duijie-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "home").mkdir(mode=0o755)
        port = free_port()
        settings = {"HOME": folder / "home", "MODEL": "fake", "PORT": port}
        command = folder / ".venv" / "bin" / "duijie"
        command.parent.mkdir(parents=True)
        exports = "".join(f"export DUIJIE_{key}='{value}'\n" for key, value in settings.items())
        command.write_text(
            f"#!/bin/sh\n{exports}export PYTHONPATH='{ROOT}'\nexec '{sys.executable}' -m service.cli \"$@\"\n"
        )
        command.chmod(0o755)
        with subprocess.Popen([command, "demo"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                _wait_for(f"http://127.0.0.1:{port}/readyz", process)
                yield folder
            finally:
                process.terminate()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(1800):
        assert process.poll() is None, "the demo ended"
        try:
            if httpx2.get(address).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    raise AssertionError("the demo does not serve")


@pytest.mark.parametrize("document", [TOUR, SHORT], ids=lambda document: document.name)
def test_a_tour_prints_what_it_says(folder: Path, document: Markdown) -> None:
    script = script_of(document)
    expected = ANSWER.findall(script)
    assert len(expected) > 5
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=180, check=False
    )
    printed = done.stdout.splitlines()
    assert done.returncode == 0, (printed, done.stderr)
    assert len(printed) == len(expected), printed
    assert all(printed)
    assert printed == [line if said == VARIABLE else said for said, line in zip(expected, printed, strict=True)]


@pytest.mark.parametrize("document", [TOUR, SHORT], ids=lambda document: document.name)
def test_a_tour_is_the_same_in_both_languages(document: Markdown) -> None:
    assert bare(script_of(document)) == bare(script_of(TRANSLATED[document.name]))
