"""The embedded server: shared, healed after a crash, and refused where another version wrote the folder."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from service import embedded
from service.embedded import EmbeddedDatabaseError


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="duijie-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        embedded.stop(Path(folder))


async def answer(server: embedded.EmbeddedServer) -> int:
    connection = await asyncpg.connect(server.url("postgres", "postgres"))
    try:
        return int(await connection.fetchval("select 41 + 1"))
    finally:
        await connection.close()


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


async def test_two_processes_share_one_server(home: Path) -> None:
    server = embedded.start(home)
    code = f"from pathlib import Path; from service import embedded; print(embedded.start(Path({str(home)!r})))"
    other = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == str(server)
    # The other process has ended, and the server is still there for this one.
    assert await answer(server) == 42


async def test_a_crashed_server_heals(home: Path) -> None:
    server = embedded.start(home)
    os.kill(postmaster(home), signal.SIGKILL)
    for _ in range(100):
        if not psutil.pid_exists(postmaster(home)):
            break
        await asyncio.sleep(0.1)
    embedded._wheel().PostgresServer._instances.clear()
    assert await answer(embedded.start(home)) == 42
    del server


async def test_a_stale_pid_file_of_a_stranger_is_no_hindrance(home: Path) -> None:
    embedded.start(home)
    embedded.stop(home)
    folder = home / "postgres"
    lines = [str(os.getpid()), str(folder.resolve()), "1700000000", "5432", str(folder), "", "0 0", "ready"]
    (folder / "postmaster.pid").write_text("\n".join(lines))
    (folder / ".handle_pids.json").write_text(json.dumps([2**22 + 1]))
    assert await answer(embedded.start(home)) == 42


def test_a_folder_of_another_version_is_refused_with_the_way_out(home: Path) -> None:
    folder = home / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedDatabaseError, match=r"PostgreSQL 16.*DUIJIE_HOME"):
        embedded.start(home)


async def test_a_first_start_that_was_killed_is_begun_anew(home: Path) -> None:
    folder = home / "postgres"
    (folder / "base").mkdir(parents=True)
    (folder / "PG_VERSION").write_text("18\n")
    assert await answer(embedded.start(home)) == 42
    assert [entry.name for entry in home.iterdir() if entry.name.startswith("postgres.unfinished")]
