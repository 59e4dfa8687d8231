"""Brokers of the market, and what was written for the provider with its declines."""

from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from tests.access.market import Builder

INSERT_BROKER = """
insert into broker (organization_id, person_id, name, introduction) values ($1, $2, $3, '多年从事枸杞加工领域的技术转移') returning id
"""
INSERT_QUALIFICATION = """
insert into broker_qualification (broker_id, position, title, issuer, number) values ($1, 0, '技术经理人', '演示机构', $2)
"""
ASSIGN = "insert into broker_assignment (need_id, broker_id, assigned_at) values ($1, $2, now())"
TELL = "update decision set to_provider = $2 where recommendation_id = $1"


async def add_review(builder: "Builder", person: UUID) -> None:
    """A profile of each organization that has callers, and of the person of A; a text with each decline."""
    houses = builder.market.houses
    for label, person_id in (("A", None), ("A", person), ("P", None), ("X", None), ("T", None)):
        broker = await builder.connection.fetchval(
            INSERT_BROKER, houses[label].id, person_id, f"演示技术经理人 {label}"
        )
        builder.market.brokers[label] = broker
        await builder.connection.execute(INSERT_QUALIFICATION, broker, builder.bird.word("number", label))
    given = next(each for each in builder.market.of_kind("need") if (each.house, each.state) == ("A", "refining"))
    await builder.connection.execute(ASSIGN, given.id, builder.market.brokers["T"])
    given.about["assigned"] = True
    for pair in builder.market.of_kind("recommendation"):
        await builder.connection.execute(TELL, pair.id, builder.bird.word("number", "P"))
