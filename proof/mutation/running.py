"""One mutant at a time: applied to a scratch copy or a scratch database, and left to the tests."""

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from proof.mutation.covering import Traces
from proof.mutation.mutants import Edit, Mutant
from proof.mutation.patching import patch
from proof.mutation.suites import tags
from service.embedded import EmbeddedServer

LONGEST_SECONDS = 600
# Exit code of a fork that could not be given the edit; pytest has none as high.
UNPATCHED = 75
FAILED = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)
# A fork has imported modules of the suite's plugins before pytest could rewrite their assertions.
REWRITING = "ignore::pytest.PytestAssertRewriteWarning"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a mutant. `outcome`: caught, survived, hung or died (caught with the tests' process), or broken (not run)."""

    name: str
    outcome: str
    test: str
    seconds: float


@dataclass
class Workshop:
    """A copy of the project and a server of its own databases, for one mutant after the other."""

    copy: Path
    server: EmbeddedServer
    traces: Traces
    # Tests that fail without any mutant say nothing about one.
    unreliable: set[str] = field(default_factory=set)
    reliable: set[str] = field(default_factory=set)

    def judge(self, mutant: Mutant, suites: Sequence[str]) -> Result:
        """Run the suites against the mutant until a test fails that passes without it."""
        started = time.monotonic()
        asked = {"TAGS": tags(mutant)}
        while True:
            outcome, test = self._attempt(mutant, suites, asked)
            if outcome != "caught" or test in self.reliable:
                break
            unchanged, _ = self._tested([test], _forked, asked)
            if unchanged == "survived":
                self.reliable.add(test)
                break
            self.unreliable.add(test)
        return Result(mutant.name, outcome, test, round(time.monotonic() - started, 1))

    def _attempt(self, mutant: Mutant, suites: Sequence[str], asked: dict[str, str]) -> tuple[str, str]:
        there = [suite for suite in suites if (self.copy / suite.partition("::")[0]).exists()]
        if isinstance(mutant.change, str):
            return self._tested(there, _forked, asked | {"DUIJIE_MUTANT_SQL": mutant.change})
        edit = mutant.change
        first = self.traces.tests(edit, (self.copy / edit.path).read_bytes())
        batches = [first, there] if first else [there]
        quick = self._through(batches, partial(_forked, edit=edit), asked)
        # What was made of the code before lives on, and tests start processes of their own: that takes a new one to be sure of.
        if quick[0] in ("caught", "hung", "died"):
            return quick
        with applied(self.copy, edit):
            return self._through(batches, _fresh, asked)

    def _through(self, batches: Sequence[Sequence[str]], start: "Starter", asked: dict[str, str]) -> tuple[str, str]:
        outcome = ("survived", "")
        for suites in batches:
            outcome = self._tested(suites, start, asked)
            if outcome[0] != "survived":
                break
        return outcome

    def _tested(self, suites: Sequence[str], start: "Starter", asked: dict[str, str]) -> tuple[str, str]:
        arguments = ["-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider", "-W", REWRITING]
        arguments += [f"--deselect={test}" for test in sorted(self.unreliable)]
        server = f"{self.server.socket_folder} {self.server.port}"
        variables = {"DUIJIE_TEST_SERVER": server, "OMP_NUM_THREADS": "1"} | asked
        code, printed = start(self.copy, variables, [*arguments, *suites])
        if code is None:
            return "hung", ""
        if code < 0:
            return "died", ""
        if code in (0, 5):
            return "survived", ""
        failed = FAILED.search(printed)
        if code == 1 and failed:
            return "caught", failed.group(1)
        return "broken", printed[-300:]


Starter = Callable[[Path, dict[str, str], list[str]], tuple[int | None, str]]


def _fresh(copy: Path, variables: dict[str, str], arguments: list[str]) -> tuple[int | None, str]:
    """Exit code (None where the tests never end) and output of pytest in a new process: the code has changed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=copy,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
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
        return None, ""
    return process.returncode, printed


def _forked(
    copy: Path, variables: dict[str, str], arguments: list[str], *, edit: Edit | None = None
) -> tuple[int | None, str]:
    """The same in a fork of this process, which has imported the unchanged code already and is given the edit."""
    with tempfile.NamedTemporaryFile() as output:
        child = multiprocessing.get_context("fork").Process(
            target=_run_tests, args=(copy, variables, arguments, output.name, edit)
        )
        child.start()
        child.join(LONGEST_SECONDS)
        if child.is_alive():
            child.kill()
            child.join()
            return None, ""
        return child.exitcode, Path(output.name).read_text(encoding="utf-8", errors="replace")


def _run_tests(copy: Path, variables: dict[str, str], arguments: list[str], output: str, edit: Edit | None) -> None:
    if edit is not None and not patch(edit, (copy / edit.path).read_bytes()):
        os._exit(UNPATCHED)
    os.environ.update(variables)
    os.chdir(copy)
    written = os.open(output, os.O_WRONLY)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os._exit(int(pytest.main(arguments)))


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
