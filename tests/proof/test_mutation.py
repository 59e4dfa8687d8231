"""`make mutate` finds protections by itself, takes out what it says, and its verdicts can be trusted."""

import ast
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest

from proof.mutation import database as schema
from proof.mutation import guards, judged, statements
from proof.mutation.covering import Traces, lines
from proof.mutation.mutants import Edit, Mutant, numbered, sources
from proof.mutation.patching import patch
from proof.mutation.running import Result, Workshop, applied, copy_project
from proof.mutation.suites import (
    AT_ONCE,
    DOCUMENT,
    EVERYTHING,
    FIRST,
    MATRIX,
    NEAREST,
    POLICIES,
    SECOND_LOCK,
    TAGS,
    nearest,
    tags,
)
from service.app import create_app
from service.settings import Settings
from tests.conftest import Server

ROOT = Path(__file__).resolve().parents[2]
CODE = '''"""例"""
class Closed(Exception):
    pass
class Open(ValidationProblem):
    pass
def enter(door, 名=None):
    check_bell(door)
    if door.shut or (door.locked and not 名):
        raise Closed("关")
    if door.odd:
        raise ValidationProblem([])
def may_enter(door):
    return not door.shut
def redacted(door):
    return door.copy(update={"key": None, "name": 1})
class Door(Tiered):
    bell: Annotated[str, SHOWN]
    key: Annotated[str | None, CONTACT] = Field(description="钥匙")
def tier_of(door):
    if door.open:
        return Tier.OWNER
    return Tier.MEMBER
def present(door):
    return redact(door, view)
'''.encode()

DOOR = """def enter(shut):
    if shut:
        raise ValueError
    return True
"""
TESTS_OF_THE_DOOR = """
import time
import pytest
from service.door import enter
def test_it():
    assert enter(False)
def test_in_vain_and_slowly():
    time.sleep(0.1)
    with pytest.raises(ValueError):
        enter(True)
def test_in_vain():
    with pytest.raises(ValueError):
        enter(True)
"""


def mutated(code: bytes, name: str) -> str:
    found = {mutant.name: mutant.change for mutant in guards.find([("a.py", code)])}
    change = found[name]
    assert isinstance(change, Edit)
    return change.applied(code).decode()


def test_protections_in_code_are_found_and_taken_out() -> None:
    names = [mutant.name for mutant in guards.find([("a.py", CODE)])]
    assert names == [
        "call:a.py:enter:check_bell",
        "guard:a.py:enter:Closed",
        "operand:a.py:enter:Closed.1",
        "operand:a.py:enter:Closed.2",
        "answer:a.py:may_enter:may_enter",
        "redaction:a.py:redacted:key",
        "tier:a.py:Door:key CONTACT",
        "tier:a.py:tier_of:Tier.MEMBER",
        "redaction:a.py:present:redact",
    ]
    assert "def enter(door, 名=None):\n    pass\n" in mutated(CODE, names[0])
    assert "if (door.shut or (door.locked and not 名)) and False:" in mutated(CODE, names[1])
    assert "if door.shut or (((door.locked and not 名) and False)):" in mutated(CODE, names[3])
    assert "return bool(not door.shut) or True" in mutated(CODE, names[4])
    assert "update={'-': None, \"name\": 1}" in mutated(CODE, names[5])
    assert "key: Annotated[str | None, type(CONTACT)(type(CONTACT.tier)(0))]" in mutated(CODE, names[6])
    assert "        return Tier.OWNER\n    return Tier.OWNER\n" in mutated(CODE, names[7])
    assert "    return door\n" in mutated(CODE, names[8])


def test_what_a_statement_compares_and_locks_is_found() -> None:
    code = (
        b'GET = "select a from t where id = $1 for update"\n'
        b'SAVE = """\nupdate t set a = 1 where id = $1 and version = $2\nreturning a\n"""\n'
    )
    changed = {
        mutant.name: mutant.change.applied(code).decode()
        for mutant in statements.find([("a.py", code)])
        if isinstance(mutant.change, Edit)
    }
    assert list(changed) == ["lock:a.py:GET:for update", "clause:a.py:SAVE:version = $2"]
    assert '"select a from t where id = $1 "' in changed["lock:a.py:GET:for update"]
    assert "id = $1 and ((version = $2) or true)\nreturning" in changed["clause:a.py:SAVE:version = $2"]


def test_every_mutant_of_the_code_is_python_and_has_a_name_of_its_own() -> None:
    files = dict(sources(ROOT))
    found = numbered([*guards.find(files.items()), *statements.find(files.items())])
    assert len({mutant.name for mutant in found}) == len(found) > 250
    for mutant in found:
        assert isinstance(mutant.change, Edit)
        changed = mutant.change.applied(files[mutant.path])
        assert changed != files[mutant.path]
        ast.parse(changed)


async def test_every_policy_table_trigger_and_unique_index_is_a_mutant_that_applies(
    owner_url: str, postgres: Server, database: str
) -> None:
    connection = await asyncpg.connect(postgres.url("postgres", database))
    try:
        found = [mutant async for mutant in schema.find(connection)]
        policies = await connection.fetchval("select count(*) from pg_policies where schemaname = 'public'")
        assert sum(mutant.kind == "policy" for mutant in found) == 2 * policies > 100
        assert {"trigger:event.event_is_sealed:gone", "unique:membership.membership_open:gone"} <= {
            m.name for m in found
        }
        for mutant in found:
            change = connection.transaction()
            await change.start()
            await connection.execute(str(mutant.change))
            await change.rollback()
    finally:
        await connection.close()


def test_the_nearest_tests_are_there() -> None:
    named = {suite for suites in (*NEAREST.values(), *FIRST.values()) for suite in suites} | {*EVERYTHING, *POLICIES}
    named |= {SECOND_LOCK, AT_ONCE, MATRIX, DOCUMENT}
    assert {suite for suite in named if not (ROOT / suite).exists()} == set()
    assert nearest(Mutant("guard:service/access/tokens.py:x:y", ""))[0] == "tests/access/test_tokens.py"
    assert MATRIX in nearest(Mutant("guard:service/access/tokens.py:x:y", ""))
    assert nearest(Mutant("lock:service/access/tokens.py:x:y", ""))[0] == "tests/database/test_locks.py"
    described = create_app(Settings(model="fake")).openapi()
    there = {tag for item in described["paths"].values() for operation in item.values() for tag in operation["tags"]}
    assert {tag for asked in TAGS.values() for tag in asked.split()} <= there
    assert {room for room in TAGS if not (ROOT / "service" / room).is_dir()} == set()
    assert tags(Mutant("a", Edit("service/cases/clock.py", 0, 1, b""))) == "cases review"
    assert tags(Mutant("a", Edit("service/access/keys.py", 0, 1, b""))) == tags(Mutant("a", "drop …")) == ""
    assert nearest(Mutant("unique:recommendation.recommendation_pair:gone", "")) == NEAREST["recommendation"]


def test_results_are_kept_and_reported(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "results.jsonl"
    for result in (
        Result("a:1", "survived", "", 1),
        Result("a:1", "caught", "t::x", 2),
        Result("a:2", "survived", "", 1),
    ):
        judged.keep(file, result)
    results = judged.kept_results(file)
    assert results["a:1"].outcome == "caught"
    mutants = [Mutant(f"a:{number}", "") for number in (1, 2, 3)]
    assert [each.name for each in judged.open_questions(results.values(), {})] == ["a:2"]
    page = judged.report(mutants, results, {})
    assert "| a | 3 | 1 | 0 | 1 | 0 | 1 |" in page
    assert "## Survived\n\n- `a:2`" in page
    excused = {"a:2*": "it cannot happen"}
    assert judged.open_questions(results.values(), excused) == []
    assert "- `a:2`: it cannot happen" in judged.report(mutants, results, excused)


def test_an_edit_is_taken_back(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"abc")
    with applied(tmp_path, Edit("a.py", 1, 2, b"-")):
        assert (tmp_path / "a.py").read_bytes() == b"a-c"
    assert (tmp_path / "a.py").read_bytes() == b"abc"


def test_a_real_mutant_is_caught_and_a_harmless_one_is_not(tmp_path: Path, postgres: Server) -> None:
    """One guard taken out of a copy of the project, and one edit that changes nothing, against a fast suite."""
    copy_project(ROOT, tmp_path)
    files = sources(tmp_path)
    workshop = Workshop(tmp_path, postgres.server, Traces(tmp_path / "nothing"))
    mutant = next(m for m in guards.find(files) if m.name == "answer:service/workflows/engine.py:_may:_may")
    suites = ["tests/workflows/test_engine.py"]
    caught = workshop.judge(mutant, suites)
    assert caught.outcome == "caught"
    assert caught.test.startswith("tests/workflows/test_engine.py::")
    comment = Mutant("comment:engine", Edit("service/workflows/engine.py", 0, 0, b"# nothing\n"))
    assert workshop.judge(comment, suites).outcome == "survived"
    fatal = Mutant("fatal:engine", Edit("service/workflows/engine.py", 0, 0, b"__import__('os').abort()\n"))
    assert workshop.judge(fatal, suites).outcome == "died"


def test_a_mutant_is_put_into_loaded_code(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"""
import functools

ASK = "select 1"
LIMIT = 3


class Door:
    @staticmethod
    def opens(key):
        if key != 1:
            raise ValueError("shut")
        return True


@functools.cache
def enter(key):
    if key != 1:
        raise ValueError("shut")
    return ASK
"""
    door, other = ModuleType("service.door"), ModuleType("service.other")
    exec(compile(source, "door", "exec"), vars(door))
    vars(other)["ASKED"] = door.ASK  # As `from service.door import ASK as ASKED` does.
    monkeypatch.setitem(sys.modules, "service.door", door)
    monkeypatch.setitem(sys.modules, "service.other", other)

    def put(before: bytes, after: bytes) -> bool:
        start = source.rindex(before)
        return patch(Edit("service/door.py", start, start + len(before), after), source)

    enter = door.enter
    with pytest.raises(ValueError, match="shut"):
        enter(2)
    assert put(b"key != 1", b"False")
    assert enter(2) == "select 1"
    with pytest.raises(ValueError, match="shut"):
        door.Door.opens(2)
    start = source.index(b"key != 1")
    assert patch(Edit("service/door.py", start, start + 8, b"False"), source)
    assert door.Door.opens(2) is True
    assert put(b"select 1", b"select 2")
    assert (enter(1), other.ASKED) == ("select 2", "select 2")
    # Neither a function nor a text: that takes a new process.
    assert not put(b"LIMIT = 3", b"LIMIT = 4")
    assert not put(b"class Door:", b"class Door(dict):")


def test_the_lines_that_matter_are_those_of_the_statement_or_of_who_uses_the_text() -> None:
    source = b"""ASK = "select 1 for update"
def ask(door):
    return door(ASK)
def enter(door):
    if door.shut:
        raise Closed
    return ask(door)
"""

    def at(text: bytes) -> set[int]:
        start = source.index(text)
        return lines(Edit("a.py", start, start + len(text), b""), source)

    assert at(b" for update") == {2, 3}
    assert at(b"door.shut") == {5, 6}


def test_what_a_run_recorded_says_which_tests_come_first(tmp_path: Path) -> None:
    """Recorded by a run of its own: the line that fewest tests execute decides, and the quickest of them comes first."""
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "__init__.py").touch()
    (tmp_path / "service" / "door.py").write_text(DOOR)
    (tmp_path / "test_door.py").write_text(TESTS_OF_THE_DOOR)
    (tmp_path / "record.py").write_text(
        f"import sys\nsys.path.append({str(ROOT)!r})\nfrom pathlib import Path\nfrom proof.mutation import covering\n"
        "covering.ROOT = Path.cwd()\ncovering.FOLDER = Path.cwd() / 'traces'\nfrom proof.mutation.covering import *\n"
    )
    for more in ([], ["-n", "1"]):
        run = [sys.executable, "-m", "pytest", "-q", "-p", "record", "-p", "no:cacheprovider", "test_door.py", *more]
        done = subprocess.run(run, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(tmp_path)}, capture_output=True)
        assert done.returncode == 0, done.stdout.decode()
        traces = Traces(tmp_path / "traces", tmp_path)
        source = DOOR.encode()
        start = source.index(b"shut:")
        edit = Edit("service/door.py", start, start + 4, b"False")
        assert traces.tests(edit, source) == ["test_door.py::test_in_vain", "test_door.py::test_in_vain_and_slowly"]
        assert traces.tests(Edit("service/other.py", 0, 1, b""), b"a = 1") == []
    assert Traces(tmp_path / "nothing", tmp_path).tests(edit, source) == []
