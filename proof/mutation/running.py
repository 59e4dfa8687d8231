"""One mutant at a time: applied to a scratch copy or a scratch database, and left to the tests."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from proof.mutation.mutants import Edit, Mutant
from service.embedded import OWNER, EmbeddedServer

LONGEST_SECONDS = 600
FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
TEMPLATE = "DUIJIE_TEST_TEMPLATE"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant. `outcome`: caught, survived, hung (caught by never ending), or broken (not run)."""

    name: str
    outcome: str
    test: str
    seconds: float


@dataclass
class Workshop:
    """A copy of the project and a server of its own databases, for one mutant after the other."""

    copy: Path
    server: EmbeddedServer
    number: int
    # Tests that fail without any mutant say nothing about one.
    unreliable: set[str] = field(default_factory=set)
    reliable: set[str] = field(default_factory=set)

    async def judge(self, mutant: Mutant, suites: Sequence[str]) -> Result:
        """Run the suites against the mutant until a test fails that passes without it."""
        started = time.monotonic()
        while True:
            outcome, test = await self._attempt(mutant, suites)
            if outcome != "caught" or test in self.reliable:
                break
            unchanged, _ = await self._attempt(None, [test])
            if unchanged == "survived":
                self.reliable.add(test)
                break
            self.unreliable.add(test)
        return Result(mutant.name, outcome, test, round(time.monotonic() - started, 1))

    async def _attempt(self, mutant: Mutant | None, suites: Sequence[str]) -> tuple[str, str]:
        change = mutant.change if mutant else ""
        sql = change if isinstance(change, str) else ""
        edit = change if isinstance(change, Edit) else None
        try:
            database = await self._template(sql)
        except asyncpg.PostgresError as error:
            return "broken", str(error)
        with applied(self.copy, edit):
            return self._tested(
                database, [suite for suite in suites if (self.copy / suite.partition("::")[0]).exists()]
            )

    async def _template(self, sql: str) -> str:
        name = f"mutant_{self.number}"
        admin = await asyncpg.connect(self.server.url("postgres", "postgres"))
        try:
            await admin.execute(f"drop database if exists {name} with (force)")
            await admin.execute(f"create database {name} template duijie owner {OWNER} strategy file_copy")
        finally:
            await admin.close()
        if sql:
            inside = await asyncpg.connect(self.server.url("postgres", name))
            try:
                await inside.execute(sql)
            finally:
                await inside.close()
        return name

    def _tested(self, database: str, suites: Sequence[str]) -> tuple[str, str]:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
        command += [f"--deselect={test}" for test in sorted(self.unreliable)]
        given = os.environ | {
            TEMPLATE: f"{self.server.socket_folder} {self.server.port} {database}",
            "OMP_NUM_THREADS": "1",
        }
        process = subprocess.Popen(
            [*command, *suites], cwd=self.copy, env=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            printed, _ = process.communicate(timeout=LONGEST_SECONDS)
        except subprocess.TimeoutExpired:
            # Fixtures put away what they started.
            process.send_signal(signal.SIGINT)
            try:
                process.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            return "hung", ""
        if process.returncode in (0, 5):
            return "survived", ""
        failed = FAILED.search(printed)
        if process.returncode == 1 and failed:
            return "caught", failed.group(1)
        return "broken", printed[-300:]


@contextmanager
def applied(copy: Path, edit: Edit | None) -> Iterator[None]:
    """The edit made in the copy, and taken back afterwards."""
    if edit is None:
        yield
        return
    file = copy / edit.path
    before = file.read_bytes()
    try:
        _write(file, edit.applied(before))
        yield
    finally:
        _write(file, before)


def _write(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    # Compiled code is told from stale by size and second, which two mutants may share.
    for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
        compiled.unlink()


def copy_project(root: Path, target: Path) -> None:
    """Copy what is under version control, or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, target / name)
