"""Which tests execute which lines of the service: recorded by a run of the suite, asked for each mutant.

As a plugin of pytest (`-p proof.mutation.covering`, by `make trace`) it records; `Traces` reads what was recorded. Records
that are older than the code cost time, and change no verdict: they only say which tests are tried first.
"""

import ast
import json
import shutil
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Final

import coverage
import pytest

from proof.mutation.mutants import Edit

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".cache" / "mutation" / "traces"
SECONDS: Final = "seconds.json"
# So many tests of so many files are tried first: each file takes a moment to collect.
TESTS, FILES = 10, 4
RECORDER: Final = pytest.StashKey[coverage.Coverage]()
seconds: Counter[str] = Counter()


def _coverage() -> coverage.Coverage:
    return coverage.Coverage(
        data_file=str(FOLDER / "lines"), data_suffix=True, source=[str(ROOT / "service")], config_file=False
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, in each process of the run that executes tests."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
    if not config.getoption("numprocesses", None):
        recorder = config.stash[RECORDER] = _coverage()
        recorder.start()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Lines belong to the test whose turn it is."""
    recorder = item.config.stash[RECORDER]
    recorder.switch_context(item.nodeid)
    ran = yield
    recorder.switch_context("")
    return ran


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """How long a test takes, with what it needs."""
    seconds[report.nodeid] += report.duration


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave what was recorded; the process that handed out the tests has heard of all of them."""
    if recorder := session.config.stash.get(RECORDER, None):
        recorder.stop()
        recorder.save()
    if not hasattr(session.config, "workerinput"):
        (FOLDER / SECONDS).write_text(json.dumps(seconds), encoding="utf-8")


class Traces:
    """What the last recorded run says; nothing where there was none."""

    def __init__(self, folder: Path = FOLDER, root: Path = ROOT) -> None:
        self._root = root
        self._seconds: dict[str, float] = {}
        self._data = coverage.CoverageData(str(folder / "lines"))
        if (folder / SECONDS).exists():
            if list(folder.glob("lines.*")):
                coverage.Coverage(data_file=str(folder / "lines"), config_file=False).combine([str(folder)])
            self._seconds = json.loads((folder / SECONDS).read_text(encoding="utf-8"))
            self._data.read()

    def tests(self, edit: Edit, source: bytes) -> list[str]:
        """The quickest of the tests that execute the line of the edit which fewest tests execute."""
        if not self._seconds:
            return []
        recorded = self._data.contexts_by_lineno(str(self._root / edit.path))
        found = [{test for test in recorded.get(line, []) if test in self._seconds} for line in lines(edit, source)]
        rarest = min(filter(None, found), key=len, default=set())
        chosen: list[str] = []
        files: set[str] = set()
        for test in sorted(rarest, key=self._seconds.__getitem__):
            file = test.partition("::")[0]
            if file in files or len(files) < FILES:
                files.add(file)
                chosen.append(test)
        return chosen[:TESTS]


def lines(edit: Edit, source: bytes) -> set[int]:
    """Lines that run where the edit matters: of its own statement, or of the functions that use the changed constant."""
    at = source[: edit.start].count(b"\n") + 1
    tree = ast.parse(source)
    around = [node for node in ast.walk(tree) if isinstance(node, ast.stmt) and at in _span(node)]
    innermost = min(around, key=lambda node: len(_span(node)), default=None)
    if innermost is None:
        return set()
    if innermost not in tree.body or not isinstance(innermost, ast.Assign):
        return set(_span(innermost))
    names = {target.id for target in innermost.targets if isinstance(target, ast.Name)}
    return {line for function in _functions(tree) if names & _names(function) for line in _span(function)}


def _span(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _names(function: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
