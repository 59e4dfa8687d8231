"""A case in every state between A and P, handled by T, with canaries in what is said in it; X operates the partner pair of one."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from tests.access.market import Market, Subject

# State of the case, of the need of A, and of the outcome of P. One active case per pair, so each has a pair of its own.
CASES: Final = (
    ("invited", "docking", "transferred"),
    ("consented", "fulfilled", "published"),
    ("consulting", "fulfilled", "transferred"),
    ("negotiating", "published", "withdrawn"),
    ("contracted", "docking", "withdrawn"),
    ("following", "fulfilled", "expired"),
    ("closed", "withdrawn", "expired"),
    ("lapsed", "expired", "withdrawn"),
)
PARTNER: Final = ("350000", "640000", "minning")
INSERT_PAIR = """
insert into recommendation (need_id, outcome_id, state, score, probability, level, explanation, model_version)
values ($1, $2, 'accepted', 0.5, 0.5, 'fair', $3, 'probe') returning id
"""
INSERT_CASE = """
insert into docking_case (recommendation_id, need_id, outcome_id, need_organization_id, outcome_organization_id,
    broker_organization_id, state, closed_as, code, partner_pairs, mode, terms, messages, opened_at, state_since, updated_at,
    contracted_at, closed_at)
values ($1, $2, $3, $4, $5, $6, $7, case when $7 = 'closed' then 'lost' end, case when $7 = 'closed' then 'no_funds' end,
    $8, 'enclave', $9, 4, now(), now(), now(), case when $7 in ('contracted', 'following') then now() end,
    case when $7 = 'closed' then now() end)
returning id
"""
INSERT_WAIT = """
insert into case_wait (case_id, party, what, asked_at, begun_at, due_at, days, provisional)
values ($1, $2, 'invitation', now(), now(), now() + interval '9 days', 5, false)
"""
INSERT_MESSAGE = """
insert into case_message (case_id, number, channel, party, body, sent_at) values ($1, $2, $3, $4, $5, now()) returning id
"""
INSERT_FILE = """
insert into case_attachment (message_id, case_id, name, media_type, size, digest, content)
values ($1, $2, $3, 'text/plain', length($4::bytea), sha256($4), $4)
"""
INSERT_MEETING = """
insert into case_meeting (case_id, title, agenda, starts_at, ends_at, updated_at)
values ($1, $2, $3, now(), now() + interval '1 hour', now()) returning id
"""
INSERT_MILESTONE = """
insert into case_milestone (case_id, title, due_on, updated_at) values ($1, $2, '2099-01-01', now()) returning id
"""
INSERT_FOLLOW_UP = """
insert into follow_up (case_id, side, months, asked_at, due_at, provisional, note)
values ($1, $2, 3, now() - interval '1 day', now() + interval '9 days', false, $3) returning id
"""
INSERT_OPERATOR = """
insert into partner_operator (from_region, to_region, program, organization_id, assigned_at)
values ($1, $2, $3, $4, now()) returning id
"""


async def add_cases(connection: asyncpg.Connection, market: Market, listings: list[Subject]) -> None:
    """All of it, in the market that has its listings."""
    of = {(each.kind, each.house, each.state): each.id for each in listings}
    for state, need, outcome in CASES:
        about = {"A": need, "P": outcome, "partner": state == "consulting"}
        pair = of["need", "A", need], of["outcome", "P", outcome]
        await _case(connection, market, Subject("case", pair[0], "A", state, about), pair)
    operator = await connection.fetchval(INSERT_OPERATOR, *PARTNER, market.houses["X"].id)
    market.subjects.append(Subject("assignment", operator, "X", "assigned"))


async def _case(connection: asyncpg.Connection, market: Market, stub: Subject, pair: tuple[UUID, UUID]) -> None:
    word, houses = market.aviary.word, market.houses
    empty: dict[str, Any] = {"signals": [], "indicators": [], "score": 0.5, "level": "fair", "conflicts": []}
    recommendation = await connection.fetchval(INSERT_PAIR, *pair, empty)
    identifier = await connection.fetchval(
        INSERT_CASE, recommendation, *pair, houses["A"].id, houses["P"].id, houses["T"].id, stub.state,
        [":".join(PARTNER)] if stub.about["partner"] else [], {"operator": word("case_terms", "A")},
    )  # fmt: skip
    market.subjects.append(Subject("case", identifier, "A", stub.state, stub.about))
    if stub.state == "invited":
        for party in ("need", "outcome"):
            await connection.execute(INSERT_WAIT, identifier, party)
    parties = {"shared": "need", "need": "need", "outcome": "outcome", "broker": "broker"}
    for number, (channel, party) in enumerate(parties.items(), start=1):
        guard = f"case_{channel}"
        message = await connection.fetchval(INSERT_MESSAGE, identifier, number, channel, party, word(guard, "A"))
        content = word(guard, "A").encode()
        await connection.execute(INSERT_FILE, message, identifier, f"{word(guard, 'A')}.txt", content)
        if stub.state in ("invited", "following"):
            market.subjects.append(Subject("message", message, "A", channel, of=identifier))
    parts = {
        "meeting": await connection.fetchval(
            INSERT_MEETING, identifier, word("case_shared", "A"), word("case_shared", "A")
        ),
        "milestone": await connection.fetchval(INSERT_MILESTONE, identifier, word("case_shared", "A")),
    }
    if stub.state in ("following", "closed"):
        for side, house in (("need", "A"), ("outcome", "P")):
            asked = await connection.fetchval(INSERT_FOLLOW_UP, identifier, side, word("case_follow_up", house))
            market.subjects.append(Subject("follow_up", asked, house, side, of=identifier))
    if stub.state in ("invited", "negotiating"):
        market.subjects += [Subject(kind, each, "A", "kept", of=identifier) for kind, each in parts.items()]
