"""Whoever gets past every lock is found: by the command and over the API, with the first position and what is wrong."""

from dataclasses import dataclass

import asyncpg
import httpx2
import pytest

from service.audit.verification import snapshot, verify
from service.events.chain import Point
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from tests.conftest import Keys
from tests.events.conftest import Append, Check, Command

Intruder = asyncpg.Connection
EVENTS = 12
# Swapping goes by way of a place that no seal has, since positions and events are unique.
SWAP_ROWS = """
update event_seal set position = 999 where position = 5;
update event_seal set position = 5 where position = 7;
update event_seal set position = 7 where position = 999;
"""
SWAP_EVENTS_AND_DIGESTS = """
with pair as (delete from event_seal where position in (5, 7) returning *)
insert into event_seal select 12 - position, event_id, digest,
    (select hash from pair as other where other.position = 12 - pair.position) from pair;
"""
SWAP_EVENTS = """
with pair as (delete from event_seal where position in (5, 7) returning *)
insert into event_seal select 12 - position, event_id,
    (select digest from pair as other where other.position = 12 - pair.position),
    (select hash from pair as other where other.position = 12 - pair.position) from pair;
"""
REMOVE_EVENT = "delete from event where id = (select event_id from event_seal where position = 6)"
# The whole chain made anew from the sixth event on, as one would who knows how it is made.
REWRITE = """
update event set action = 'nothing' where id = (select event_id from event_seal where position = 6);
do $$
declare
    seal record;
    previous bytea := (select hash from event_seal where position = 5);
    own bytea;
begin
    for seal in select * from event_seal where position >= 6 order by position loop
        own := (select event_digest(event) from event where id = seal.event_id);
        previous := sha256(previous || int8send(seal.position) || own);
        update event_seal set digest = own, hash = previous where position = seal.position;
    end loop;
end $$
"""
UNSEALED = "insert into event (subject_kind, subject_id, action) values ('need', uuidv7(), 'secretly')"


@dataclass(frozen=True, slots=True)
class Attack:
    """SQL of an intruder, and the fault and position that must be found."""

    statements: str
    fault: str
    position: int | None
    needs_anchor: bool = False


AT_6 = "(select event_id from event_seal where position = 6)"
ATTACKS = {
    "data changed": Attack(f"update event set data = data || '{{\"n\": 2}}' where id = {AT_6}", "event_changed", 6),
    "a number written otherwise": Attack(
        f"update event set data = jsonb_set(data, '{{n}}', '1.50') where id = {AT_6}", "event_changed", 6
    ),
    "actor changed": Attack(
        f"update event set organization_id = uuidv7() where id = {AT_6}",
        "event_changed",
        6,
    ),
    "moved in time": Attack(
        f"update event set at = at - interval '1 microsecond' where id = {AT_6}", "event_changed", 6
    ),
    "moved to the end of time": Attack(
        f"alter table event drop constraint event_at_is_finite; update event set at = 'infinity' where id = {AT_6}",
        "event_changed",
        6,
    ),
    "state null for empty": Attack(f"update event set from_state = '' where id = {AT_6}", "event_changed", 6),
    "digest made anew": Attack(
        f"update event set action = 'x' where id = {AT_6};"
        "update event_seal set digest = event_digest(event) from event where event.id = event_id and position = 6",
        "link_broken",
        6,
    ),
    "event removed": Attack(REMOVE_EVENT, "event_missing", 6),
    "event and seal removed": Attack(f"{REMOVE_EVENT}; delete from event_seal where position = 6", "seal_missing", 6),
    "removed and closed up": Attack(
        f"{REMOVE_EVENT}; delete from event_seal where position = 6;"
        "update event_seal set position = -position where position > 6;"
        "update event_seal set position = -position - 1 where position < 0",
        "link_broken",
        6,
    ),
    "seals swapped whole": Attack(SWAP_ROWS, "reordered", 5),
    "seals swapped below their hashes": Attack(SWAP_EVENTS_AND_DIGESTS, "reordered", 5),
    "events swapped below their digests": Attack(SWAP_EVENTS, "reordered", 5),
    "written past the seal": Attack(UNSEALED, "event_unsealed", None),
    "tail cut off": Attack(
        "delete from event where id in (select event_id from event_seal where position > 9);"
        "delete from event_seal where position > 9",
        "tail_missing",
        10,
        needs_anchor=True,
    ),
    "rewritten to the end": Attack(REWRITE, "anchor_differs", 12, needs_anchor=True),
    "beginning called pruned": Attack(
        "insert into event_checkpoint (position, hash) select position, hash from event_seal where position = 3;"
        "delete from event where id in (select event_id from event_seal where position <= 3);"
        "delete from event_seal where position <= 3",
        "checkpoint_unfounded",
        3,
    ),
}


async def break_in(intruder: "Intruder[asyncpg.Record]", attack: Attack) -> None:
    # The position's own check would stop what goes by way of negative ones.
    await intruder.execute("alter table event_seal drop constraint event_seal_position_check")
    await intruder.execute(attack.statements)


@pytest.fixture
async def anchor(append: Append, pool: Pool) -> Point:
    """A chain of twelve events, and its end as it was written down."""
    await append(EVENTS)
    row = await pool.fetchrow("select position, hash from event_seal order by position desc limit 1")
    assert row is not None
    return Point(row["position"], row["hash"])


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
async def test_the_first_break_is_named(
    anchor: Point, intruder: "Intruder[asyncpg.Record]", check: Check, attack: Attack
) -> None:
    assert (await check(anchor=anchor)).broken is None
    await break_in(intruder, attack)
    broken = (await check(anchor=anchor if attack.needs_anchor else None)).broken
    assert broken is not None
    assert (broken.fault, broken.position) == (attack.fault, attack.position)


@pytest.mark.parametrize("name", [name for name, attack in ATTACKS.items() if attack.needs_anchor])
async def test_only_the_anchor_shows_what_leaves_a_whole_chain(
    anchor: Point, intruder: "Intruder[asyncpg.Record]", check: Check, name: str
) -> None:
    await break_in(intruder, ATTACKS[name])
    assert (await check()).broken is None


@pytest.mark.parametrize("name", ["seals swapped whole", "events swapped below their digests"])
async def test_what_was_exchanged_is_found_at_its_new_place(
    anchor: Point, intruder: "Intruder[asyncpg.Record]", check: Check, name: str
) -> None:
    await break_in(intruder, ATTACKS[name])
    broken = (await check()).broken
    assert broken is not None
    assert broken.other == 7


BY_BOTH = ["data changed", "event and seal removed", "seals swapped whole", "tail cut off", "written past the seal"]


@pytest.mark.parametrize("name", BY_BOTH)
async def test_the_command_finds_it(
    anchor: Point, intruder: "Intruder[asyncpg.Record]", duijie: Command, name: str
) -> None:
    attack = ATTACKS[name]
    given = ["--anchor", str(anchor)] if attack.needs_anchor else []
    code, output = await duijie("verify", *given)
    assert (code, "the chain holds: 12 events" in output, "审计链完整" in output) == (0, True, True)
    await break_in(intruder, attack)
    code, output = await duijie("verify", *given)
    assert code == 1
    assert "审计链断裂" in output
    assert f"position {attack.position}:" in output or (attack.position is None and "outside the chain:" in output)


@pytest.mark.parametrize("name", BY_BOTH)
async def test_the_api_finds_it(
    append: Append, pool: Pool, client: httpx2.AsyncClient, keys: Keys, intruder: "Intruder[asyncpg.Record]", name: str
) -> None:
    """The keys of the test are events too, before these."""
    await append(EVENTS)
    headers = keys.headers("authority")
    head = (await client.get("/v1/audit/head", headers=headers)).json()
    attack = ATTACKS[name]
    given = {"anchor": head["anchor"]} if attack.needs_anchor else {}
    whole = (await client.get("/v1/audit/verification", params=given, headers=headers)).json()
    assert (whole["holds"], whole["checked"], whole["broken"]) == (True, head["position"], None)
    await break_in(intruder, attack)
    found = (await client.get("/v1/audit/verification", params=given, headers=headers)).json()
    assert found["holds"] is False
    assert (found["broken"]["fault"], found["broken"]["position"]) == (attack.fault, attack.position)


async def test_a_part_is_checked_against_the_hash_before_it(
    anchor: Point, intruder: "Intruder[asyncpg.Record]", check: Check
) -> None:
    await break_in(intruder, ATTACKS["data changed"])
    assert (await check(1, 5)).broken is None
    assert (await check(7, 12)).broken is None
    verdict = await check(3, 8)
    assert (verdict.checked, verdict.broken and verdict.broken.position) == (3, 6)


async def test_progress_adds_up_to_the_chain(anchor: Point, pool: Pool) -> None:
    counted: list[int] = []
    async with snapshot(pool, SYSTEM) as connection:
        await verify(connection, on_progress=counted.append)
    assert sum(counted) == EVENTS
