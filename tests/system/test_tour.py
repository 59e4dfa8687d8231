"""The tours that the documents show, typed in as they stand while demo data are served, and what they say is printed."""

import asyncio
import re
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from service import demo, demo_keys, worker
from service.exchange.columns import ImportKind
from service.exchange.runs import import_path
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from service.resources import Resources
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


@pytest.fixture
async def folder(pool: Pool, resources: Resources, app_url: str, owner_url: str, tmp_path: Path) -> AsyncIterator[Path]:
    """A folder as after `make demo`: its command, and what the tours need of the demo served on a port of its own."""
    steps: tuple[tuple[ImportKind, str], ...] = (
        ("organizations", "organizations-*.jsonl"),
        ("outcomes", "outcomes-a.jsonl"),
    )
    for kind, files in steps:
        for file in sorted(demo.FOLDER.glob(files)):
            report = await import_path(pool, SYSTEM, file, kind, state="published")
            assert report.refused == 0
    await worker.drain(resources, concurrency=4)
    await demo_keys.make(pool, tmp_path)
    port = free_port()
    settings = {
        "HOME": tmp_path, "MODEL": "fake", "PORT": port, "DATABASE_URL": app_url, "OWNER_DATABASE_URL": owner_url,
    }  # fmt: skip
    exports = "".join(f"export DUIJIE_{key}='{value}'\n" for key, value in settings.items())
    command = tmp_path / ".venv" / "bin" / "duijie"
    command.parent.mkdir(parents=True)
    command.write_text(
        f"#!/bin/sh\n{exports}export PYTHONPATH='{ROOT}'\nexec '{sys.executable}' -m service.cli \"$@\"\n"
    )
    command.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        str(command), "serve", stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    await _ready(f"http://127.0.0.1:{port}/readyz", process)
    yield tmp_path
    if process.returncode is None:
        process.terminate()
        await process.wait()


async def _ready(address: str, process: asyncio.subprocess.Process) -> None:
    async with httpx2.AsyncClient() as client:
        for _ in range(600):
            assert process.returncode is None, "serving ended"
            with suppress(httpx2.TransportError):
                if (await client.get(address)).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError("nothing is served")


@pytest.mark.parametrize("document", [TOUR, SHORT], ids=lambda document: document.name)
async def test_a_tour_prints_what_it_says(folder: Path, document: Markdown) -> None:
    script = script_of(document)
    expected = ANSWER.findall(script)
    assert len(expected) > 5
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, cwd=folder,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, complaints = await asyncio.wait_for(process.communicate(), 180)
    printed = output.decode().splitlines()
    assert process.returncode == 0, (printed, complaints.decode())
    assert len(printed) == len(expected), printed
    assert all(printed)
    assert printed == [line if said == VARIABLE else said for said, line in zip(expected, printed, strict=True)]


@pytest.mark.parametrize("document", [TOUR, SHORT], ids=lambda document: document.name)
def test_a_tour_is_the_same_in_both_languages(document: Markdown) -> None:
    assert bare(script_of(document)) == bare(script_of(TRANSLATED[document.name]))
