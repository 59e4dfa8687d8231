"""Events leave after their time and not before, and what stays can be verified; exports hold their own proof."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import orjson
import pydantic
import pytest

from service.audit.commands import prune
from service.audit.exports import verify_file
from service.audit.verification import read_anchor
from service.events.chain import Event, Point, digest_of, link
from service.kit.clock import now, today
from service.kit.db import Pool, prepare_connection
from service.resources import DatabaseUrls
from service.settings import Settings
from tests.events.conftest import Append, Check, Command

Owner = asyncpg.Connection


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator["Owner[asyncpg.Record]"]:
    connection = await asyncpg.connect(owner_url)
    await prepare_connection(connection)
    yield connection
    await connection.close()


async def append_old(owner: "Owner[asyncpg.Record]", days: list[int]) -> None:
    """Events so many days ago, each in a transaction of its own; the owner alone chooses an instant."""
    for age in days:
        await owner.execute(
            "insert into event (at, subject_kind, subject_id, action) "
            "values (now() - make_interval(days => $1), 'need', uuidv7(), 'change')",
            age,
        )


async def test_what_is_past_its_time_leaves_and_the_rest_holds(
    owner: "Owner[asyncpg.Record]", pool: Pool, check: Check
) -> None:
    # The fifth is old, but stands behind one that is not: it stays until that one goes.
    await append_old(owner, [500, 450, 400, 300, 380, 10])
    early, late = await hash_at(owner, 3), await hash_at(owner, 4)
    pruned = await prune(owner, now() - timedelta(days=365))
    assert pruned is not None
    assert (pruned.point, pruned.events) == (early, 3)
    # The pruning is an event itself, the seventh.
    rows = await pool.fetch(
        "select position, action from event_seal join event on event.id = event_id order by position"
    )
    assert [tuple(row) for row in rows] == [(4, "change"), (5, "change"), (6, "change"), (7, "prune")]
    verdict = await check()
    assert (verdict.first, verdict.checked, verdict.broken) == (4, 4, None)
    assert (await check(anchor=early)).holds
    assert (await check(anchor=late)).holds
    forged = await check(anchor=Point(2, early.hash))
    assert forged.broken is not None
    assert forged.broken.fault == "anchor_pruned"


async def hash_at(connection: "Owner[asyncpg.Record]", position: int) -> Point:
    return Point(position, await connection.fetchval("select hash from event_seal where position = $1", position))


async def test_pruning_everything_and_again_goes_on_counting(
    owner: "Owner[asyncpg.Record]", check: Check, append: Append
) -> None:
    await append_old(owner, [500, 450])
    assert await prune(owner, now() - timedelta(days=365)) is not None
    assert await prune(owner, now() - timedelta(days=365)) is None
    await append_old(owner, [400])
    await append(1)
    verdict = await check()
    assert (verdict.first, verdict.head.position, verdict.broken) == (3, 5, None)


async def test_the_database_itself_keeps_what_is_younger_than_six_months(owner: "Owner[asyncpg.Record]") -> None:
    await append_old(owner, [200, 183, 100])
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="event is append-only"):
        await prune(owner, now())
    assert await owner.fetchval("select count(*) from event") == 3
    pruned = await prune(owner, now() - timedelta(days=184))
    assert pruned is not None
    assert pruned.events == 1


async def test_the_command_refuses_days_that_must_be_kept(owner: "Owner[asyncpg.Record]", duijie: Command) -> None:
    await append_old(owner, [400, 300])
    code, output = await duijie("prune", "--before", f"{today() - timedelta(days=364)}")
    assert code == 1
    assert "still to be kept (DUIJIE_AUDIT_DAYS=365)" in output
    code, output = await duijie("prune")
    assert (code, output) == (0, "removed 1 events, up to position 1\n")
    assert (await duijie("prune"))[1] == "no event is past its time\n"
    assert (await duijie("verify"))[0] == 0


async def test_pruning_takes_the_owner(
    owner: "Owner[asyncpg.Record]", duijie: Command, app_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await append_old(owner, [400])
    with monkeypatch.context() as patched:
        # The application's own connection in the owner's place, on a schema that is up to date already.
        patched.setattr("service.audit.commands.open_database", as_application(app_url))
        code, output = await duijie("prune")
    assert (code, "DUIJIE_OWNER_DATABASE_URL" in output) == (1, True)
    assert await owner.fetchval("select count(*) from event") == 1


def as_application(url: str) -> object:
    async def opened(_: Settings, *, migrating: bool) -> DatabaseUrls:
        return DatabaseUrls(url, url)

    return opened


def test_no_setting_goes_below_six_months(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).audit_days == 365
    with pytest.raises(pydantic.ValidationError):
        Settings(home=tmp_path, audit_days=183)


@pytest.fixture
async def exported(owner: "Owner[asyncpg.Record]", append: Append, duijie: Command, tmp_path: Path) -> Path:
    """The last two of four events, of today."""
    await append_old(owner, [400, 300])
    await append(2)
    path = tmp_path / "audit.jsonl"
    code, output = await duijie("export", "--from", f"{today() - timedelta(days=1)}", "--to", f"{today()}", str(path))
    assert (code, "wrote 2 events" in output) == (0, True)
    return path


async def test_an_export_is_verified_without_a_database(
    exported: Path, duijie: Command, owner: "Owner[asyncpg.Record]"
) -> None:
    code, output = await duijie("verify", "--file", str(exported))
    assert (code, "2 events checked (positions 3–4)" in output) == (0, True)
    code, head = await duijie("head")
    assert (code, head.strip()) == (0, str(await hash_at(owner, 4)))
    assert (await duijie("verify", "--file", str(exported), "--anchor", head.strip()))[0] == 0
    code, output = await duijie("verify", "--file", str(exported), "--anchor", f"9:{head.strip().partition(':')[2]}")
    assert (code, "holds positions 3 to 4" in output) == (1, True)


async def test_days_without_an_event_make_no_file(append: Append, duijie: Command, tmp_path: Path) -> None:
    code, output = await duijie("export", "--from", "2001-01-01", "--to", "2001-01-02", str(tmp_path / "none.jsonl"))
    assert (code, "There are no events on these days" in output) == (1, True), output
    assert list(tmp_path.glob("none*")) == []


async def test_a_line_holds_all_that_its_hash_is_made_of(exported: Path) -> None:
    """As somebody computes it who has nothing but the file and the description of the form."""
    head, *lines = map(orjson.loads, exported.read_bytes().splitlines())
    point = read_anchor(head["after"])
    for line in lines:
        event = Event(**{name: line[name] for name in Event.__slots__})
        point = Point(line["position"], link(point.hash, line["position"], digest_of(event)))
        assert (point.hash.hex(), digest_of(event).hex()) == (line["hash"], line["digest"])
    assert [orjson.loads(line["data"])["标题"] for line in lines] == ["第 0 次", "第 1 次"]


@pytest.mark.parametrize(
    ("order", "word", "fault", "position"),
    [
        ([0, 1, 2], b'"nothing"', "event_changed", 3),
        ([0, 2], b'"change"', "seal_missing", 3),
        ([0, 2, 1], b'"change"', "reordered", 3),
        ([0, 1], b'"change"', "seal_missing", 4),
        ([0, 1, 1, 2], b'"change"', "reordered", 4),
    ],
)
async def test_a_spoilt_export_is_found(
    exported: Path, order: list[int], word: bytes, fault: str, position: int
) -> None:
    lines = exported.read_bytes().replace(b'"change"', word).splitlines(keepends=True)
    exported.write_bytes(b"".join(lines[number] for number in order))
    broken = verify_file(exported).broken
    assert broken is not None
    assert (broken.fault, broken.position) == (fault, position)


@pytest.mark.parametrize("content", [b"", b"no json\n", b'{"format": "other"}\n', b"[]\n"])
async def test_another_file_is_refused_with_its_line(tmp_path: Path, duijie: Command, content: bytes) -> None:
    path = tmp_path / "other.jsonl"
    path.write_bytes(content)
    code, output = await duijie("verify", "--file", str(path))
    assert (code, "Line 1 is not what" in output) == (1, True)


async def test_an_anchor_that_is_none_is_refused(duijie: Command) -> None:
    for anchor in ("7", "7:abc", "x:" + "0" * 64, "7:" + "z" * 64, "²:" + "0" * 64):
        code, output = await duijie("verify", "--anchor", anchor)
        assert (code, "POSITION:HASH" in output) == (1, True)


async def test_an_empty_chain_holds(duijie: Command) -> None:
    assert (await duijie("verify"))[0] == 0
    assert (await duijie("head"))[1].strip() == "0:" + "0" * 64
