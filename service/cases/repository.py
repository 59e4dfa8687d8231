"""Rows of cases, and of who is awaited in them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.cases.business_days import Term
from service.cases.records import Case, Party, Wait
from service.kit.actor import Actor
from service.kit.db import Connection, Row

COLUMNS = tuple(Case.__dataclass_fields__)


def _case(row: Row) -> Case:
    return Case(**{name: row[name] for name in COLUMNS})


def _wait(row: Row) -> Wait:
    values = {name: row[name] for name in Wait.__dataclass_fields__}
    about = Party(row["about"]) if row["about"] else None
    return Wait(**values | {"party": Party(row["party"]), "about": about})


# The organizations as the two listings have them now; regions of a listing that names none are its organization's.
PAIR = """
select need.organization_id as need_organization, outcome.organization_id as outcome_organization,
       coalesce(need.region, need_house.region) as need_region,
       coalesce(outcome.region, outcome_house.region) as outcome_region
from listing as need
join listing as outcome on outcome.id = $2
left join organization as need_house on need_house.id = need.organization_id
left join organization as outcome_house on outcome_house.id = outcome.organization_id
where need.id = $1
"""


async def pair(connection: Connection, need_id: UUID, outcome_id: UUID) -> Row:
    """The organizations and regions of a pair's two sides."""
    row = await connection.fetchrow(PAIR, need_id, outcome_id)
    assert row is not None  # foreign keys of the recommendation
    return row


ORGANIZATIONS = "select distinct organization_id from listing where id = any ($1)"


async def organizations_of(connection: Connection, listings: list[UUID]) -> list[UUID]:
    """Whose some listings are."""
    return [row["organization_id"] for row in await connection.fetch(ORGANIZATIONS, listings)]


INSERT = """
insert into docking_case (
    recommendation_id, need_id, outcome_id, need_organization_id, outcome_organization_id, broker_organization_id,
    need_region, outcome_region, partner_pairs, opened_at, state_since, updated_at, broker_person_id
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11)
returning *
"""


async def insert(
    connection: Connection, actor: Actor, recommendation: Row, sides: Row, partner_pairs: list[str], at: datetime
) -> Case:
    """Open a case of an accepted pair in the name of the actor and its organization."""
    row = await connection.fetchrow(
        INSERT, recommendation["id"], recommendation["need_id"], recommendation["outcome_id"], sides["need_organization"],
        sides["outcome_organization"], actor.organization_id, sides["need_region"], sides["outcome_region"], partner_pairs, at,
        actor.person_id if actor.organization_id else None,
    )  # fmt: skip
    assert row is not None
    return _case(row)


GET = "select * from docking_case where id = $1"
LOCK = "select * from docking_case where id = $1 for update"
# The clock leaves a case alone that somebody works on, and comes back to it.
LOCK_FREE = "select * from docking_case where id = $1 for update skip locked"


async def get(connection: Connection, identifier: UUID) -> Case | None:
    """A case that the actor may know of."""
    row = await connection.fetchrow(GET, identifier)
    return _case(row) if row else None


async def lock(connection: Connection, identifier: UUID, *, waiting: bool = True) -> Case | None:
    """A case that the actor may change, held until the transaction ends; without `waiting` None while another holds it."""
    row = await connection.fetchrow(LOCK if waiting else LOCK_FREE, identifier)
    return _case(row) if row else None


LATEST = "select * from docking_case where recommendation_id = $1 order by id desc limit 1 for update"


async def lock_latest(connection: Connection, recommendation_id: UUID) -> Case | None:
    """The newest case of a recommendation, held until the transaction ends."""
    row = await connection.fetchrow(LATEST, recommendation_id)
    return _case(row) if row else None


ADVANCE = """
update docking_case
set state = $3, version = version + 1, updated_at = $4,
    state_since = case when state = $3 then state_since else $4 end,
    consented_at = case when $3 = 'consented' then coalesce(consented_at, $4) else consented_at end,
    contracted_at = case when $3 = 'contracted' then $4 else contracted_at end,
    closed_at = case when $3 = 'closed' then $4 end, closed_as = $5, code = $6
where id = $1 and state = $2
returning *
"""


async def advance(
    connection: Connection,
    identifier: UUID,
    source: str,
    target: str,
    at: datetime,
    *,
    closed_as: str | None = None,
    code: str | None = None,
) -> Case | None:
    """Save a step by compare-and-set; None where the state is not `source` any more."""
    row = await connection.fetchrow(ADVANCE, identifier, source, target, at, closed_as, code)
    return _case(row) if row else None


HAND_OVER = """
update docking_case set broker_organization_id = $2, broker_person_id = $3, version = version + 1, updated_at = $4
where id = $1 returning *
"""


async def hand_over(
    connection: Connection, identifier: UUID, organization_id: UUID, person_id: UUID | None, at: datetime
) -> Case:
    """Make a case another broker's."""
    row = await connection.fetchrow(HAND_OVER, identifier, organization_id, person_id, at)
    assert row is not None
    return _case(row)


SET_TERMS = """
update docking_case set mode = $2, terms = $3, version = version + 1, updated_at = $4 where id = $1 returning *
"""


async def set_terms(connection: Connection, identifier: UUID, mode: str, terms: dict[str, Any], at: datetime) -> Case:
    """Keep the mode of cooperation and what was agreed of it."""
    row = await connection.fetchrow(SET_TERMS, identifier, mode, terms, at)
    assert row is not None
    return _case(row)


# Optional filters are null where unused. `$5` is the caller's organization where only cases count that await it; `$6` a
# party that is awaited, whosoever it is; `$8` the end of the last term that counts. To `$9` a need's region is not told where
# the need does not name it: what nobody is told is not found either.
PAGE = """
select c.* from docking_case as c
cross join lateral (
    select $9::uuid is distinct from outcome_organization_id or need_organization_id = $9
        or state in ('consented', 'consulting', 'negotiating', 'contracted', 'following')
        or exists (select from listing where listing.id = need_id and listing.region = need_region) as told
) as reader
where ($1::uuid is null or id < $1)
  and ($2::text[] is null or state = any ($2))
  and ($3::boolean is null or (partner_pairs <> '{}' and told) = $3)
  and ($4::text is null or (need_region like $4 and told) or outcome_region like $4)
  and (($5::uuid is null and $6::text is null and $8::timestamptz is null) or exists (
      select from case_wait
      where case_wait.case_id = c.id and ended_at is null
        and ($6::text is null or party = $6)
        and ($8::timestamptz is null or due_at <= $8)
        and ($5::uuid is null or $5 = case party when 'need' then need_organization_id
                                                 when 'outcome' then outcome_organization_id
                                                 else broker_organization_id end)
  ))
order by id desc
limit $7
"""


async def page(
    connection: Connection,
    *,
    after: UUID | None,
    states: list[str] | None,
    partner: bool | None,
    region: str | None,
    awaiting_organization: UUID | None,
    awaiting_party: str | None,
    due_until: datetime | None,
    reader: UUID | None,
    limit: int,
) -> list[Case]:
    """Cases that the actor may know of, newest first. `region` is a pattern of `like`, `reader` an organization that is no staff."""
    rows = await connection.fetch(
        PAGE, after, states, partner, region, awaiting_organization, awaiting_party, limit, due_until, reader
    )
    return [_case(row) for row in rows]


WAITS = "select * from case_wait where case_id = any ($1) and ended_at is null order by due_at, id"


async def open_waits(connection: Connection, cases: Sequence[UUID]) -> list[Wait]:
    """Who is awaited in some cases, the soonest due first."""
    return [_wait(row) for row in await connection.fetch(WAITS, list(cases))]


BEGIN_WAIT = """
insert into case_wait (case_id, party, what, about, asked_at, begun_at, due_at, days, provisional, next_at)
values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9) returning *
"""


async def begin_wait(
    connection: Connection,
    case_id: UUID,
    party: Party,
    what: str,
    about: Party | None,
    asked_at: datetime,
    days: int,
    term: Term,
    next_at: datetime | None,
) -> Wait:
    """Await a party."""
    row = await connection.fetchrow(
        BEGIN_WAIT, case_id, party, what, about, asked_at, term.due, days, term.provisional, next_at
    )
    assert row is not None
    return _wait(row)


END_WAITS = """
update case_wait set ended_at = greatest(asked_at, $3), answered = (party = any ($4)), next_at = null
where case_id = $1 and ended_at is null and ($2::text[] is null or party = any ($2)) and ($5::text is null or about = $5)
returning *
"""


async def end_waits(
    connection: Connection,
    case_id: UUID,
    parties: Sequence[Party] | None,
    at: datetime,
    answered: Sequence[Party],
    about: Party | None = None,
) -> list[Wait]:
    """Await some parties no longer, or, if None, nobody; `answered` did what they were awaited for.

    With `about` only the question of that side ends.
    """
    named = None if parties is None else [str(party) for party in parties]
    rows = await connection.fetch(END_WAITS, case_id, named, at, [str(party) for party in answered], about)
    return [_wait(row) for row in rows]


SET_CLOCK = """
update case_wait
set due_at = $2, days = $3, provisional = $4, reminders = $5, escalated_at = $6, next_at = $7, begun_at = $8
where id = $1
"""


async def set_clock(connection: Connection, wait: Wait) -> None:
    """Keep what the clock of an open wait shows."""
    await connection.execute(
        SET_CLOCK, wait.id, wait.due_at, wait.days, wait.provisional, wait.reminders, wait.escalated_at, wait.next_at,
        wait.begun_at,
    )  # fmt: skip


DUE = """
select id, case_id from case_wait where ended_at is null and next_at <= $1 order by next_at, id limit $2
"""


async def due_waits(connection: Connection, at: datetime, limit: int) -> list[Row]:
    """Waits that the clock has to look at, the longest due first."""
    return await connection.fetch(DUE, at, limit)


OPEN_WAIT = "select * from case_wait where id = $1 and ended_at is null and next_at <= $2"


async def still_due(connection: Connection, identifier: UUID, at: datetime) -> Wait | None:
    """A wait that still is to be looked at, once its case is held."""
    row = await connection.fetchrow(OPEN_WAIT, identifier, at)
    return _wait(row) if row else None


PROVISIONAL = (
    "select * from case_wait where ended_at is null and provisional and escalated_at is null order by id limit $1"
)


async def provisional_waits(connection: Connection, limit: int) -> list[Wait]:
    """Open waits whose term touches a year that was not published when it was counted."""
    return [_wait(row) for row in await connection.fetch(PROVISIONAL, limit)]


EVER_ANSWERED = """
select exists (select from case_wait where case_id = $1 and answered)
    or exists (select from case_message where case_id = $1)
"""


async def was_answered(connection: Connection, case: Case) -> bool:
    """Whether a side did anything at all in a case."""
    found: bool = await connection.fetchval(EVER_ANSWERED, case.id)
    return found


END_INVITATIONS = "select end_invitations($1, $2)"


async def end_invitations(connection: Connection, case_id: UUID, at: datetime) -> None:
    """What the sides of a case were asked counts as a question no longer, except where it was answered."""
    await connection.execute(END_INVITATIONS, case_id, at)
