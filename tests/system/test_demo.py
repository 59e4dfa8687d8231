"""A newcomer's way: the demo from nothing, killed on the way, run again; and the commands that come after it."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEMO = Path(__file__).parents[2] / "seeds" / "demo"


@pytest.fixture
def environment() -> Iterator[dict[str, str]]:
    """A home of its own, and the encoder that needs no model."""
    with tempfile.TemporaryDirectory(prefix="duijie-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield os.environ | {"DUIJIE_HOME": folder, "DUIJIE_MODEL": "fake", "DUIJIE_LANGUAGE": "en", "COLUMNS": "120"}


async def duijie(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", *arguments, env=environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await asyncio.wait_for(process.communicate(), 600)
    assert process.returncode is not None
    return process.returncode, output.decode()


async def test_the_demo_from_nothing_killed_and_run_again(environment: dict[str, str]) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", "demo", "--once", env=environment,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await asyncio.sleep(6)
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    await process.wait()
    # What the killed run had in hand waits for its heartbeat to be missed.
    code, output = await duijie(environment | {"DUIJIE_WORKER_HEARTBEAT_SECONDS": "2"}, "demo", "--once")
    assert code == 0, output
    assert "need need-e-01" in output
    assert "shared mode" in output
    # Of the example pairs one is declined; the others became cases, once, however often the demo runs.
    cases = "cases: invited 1, consulting 1, being followed 1"
    assert cases in output
    for role in ("enterprise", "provider", "broker", "operator", "authority", "administrator"):
        assert f"{role} " in output
    keys = json.loads((Path(environment["DUIJIE_HOME"]) / "demo-keys.json").read_text())
    assert all(key in output for key in keys.values())
    code, again = await duijie(environment, "demo", "--once")
    assert code == 0
    assert all(key in again for key in keys.values())
    assert cases in again

    code, output = await duijie(environment, "doctor")
    assert code == 0, output
    assert "PostgreSQL 18" in output
    folder = Path(environment["DUIJIE_HOME"])
    code, output = await duijie(environment, "export", str(folder / "needs.xlsx"), "--kind", "needs")
    needs = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in DEMO.glob("needs-*.jsonl"))
    assert (code, f"Exported {needs} " in output) == (0, True), output
    code, output = await duijie(environment, "import", str(folder / "needs.xlsx"), "--kind", "needs", "--dry-run")
    assert code == 0, output
    assert f"unchanged  {needs}" in output
    code, output = await duijie(environment, "keys", "create", "--organization", "org-market", "--role", "king")
    assert code == 1
    assert "Unknown role king" in output


async def test_commands_refuse_with_one_line_and_no_traceback(environment: dict[str, str], tmp_path: Path) -> None:
    for arguments, words in (
        (("evaluate", str(tmp_path)), "corpus.jsonl"),
        (("import", str(tmp_path), "--kind", "needs"), "BEIR"),
        (("export", str(tmp_path / "x.docx"), "--kind", "needs"), ".xlsx"),
        (("keys", "list", "--organization", "nobody"), "nobody"),
    ):
        code, output = await duijie(environment, *arguments)
        assert code == 1, output
        assert words in output
        assert "Traceback" not in output
    code, output = await duijie(environment | {"DUIJIE_PORT": "many"}, "serve")
    assert code == 2
    assert "DUIJIE_PORT" in output
    code, output = await duijie(environment | {"DUIJIE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "migrate")
    assert code == 1
    assert "Traceback" not in output
