"""Rounds, questions and agreements of a market's needs."""

import asyncpg

from tests.access.market import Market, Subject

INSERT_QUESTION = """
insert into listing_question (listing_id, question, organization_id, asked_at, answer, answered_at)
values ($1, $2, $3, now(), $4, case when $4::text is not null then now() end)
returning id
"""
INSERT_ROUND = "insert into refinement (listing_id, organization_id, begun_at) values ($1, $2, now())"
INSERT_AGREEMENT = """
insert into listing_agreement (listing_id, revision, organization_id, agreed_at) values ($1, 1, $2, now())
"""


async def add_refinements(connection: asyncpg.Connection, market: Market) -> None:
    """One open and one answered question about each need of A that is in hand, a round, and an agreement."""
    staff, owner = market.houses["T"].id, market.houses["A"].id
    word = market.aviary.word
    for need in [each for each in market.subjects if each.kind == "need" and each.house == "A"]:
        if need.state not in ("submitted", "refining"):
            continue
        if need.state == "refining":
            await connection.execute(INSERT_ROUND, need.id, staff)
        await connection.execute(INSERT_AGREEMENT, need.id, owner)
        for state, answer in (("active", None), ("answered", word("history", "A"))):
            made = await connection.fetchval(INSERT_QUESTION, need.id, word("history", "A"), staff, answer)
            market.subjects.append(Subject("question", made, "A", state, of=need.id))
