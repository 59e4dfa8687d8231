"""What cases brokers have in hand, for the room of brokers; knows nothing of that room."""

from collections.abc import Sequence
from uuid import UUID

from service.kit.db import Connection

# On the way to a contract, and until the broker has handed it to the follow-up.
OPEN = ("invited", "consented", "consulting", "negotiating", "contracted")
# For a year somebody is asked now and then what became of it.
FOLLOWED = ("following",)

IN_HAND = """
select given.place - 1 as place, need_id
from unnest($1::uuid[], $2::uuid[]) with ordinality as given (organization_id, person_id, place)
join docking_case on broker_organization_id = given.organization_id
 and broker_person_id is not distinct from given.person_id
where state not in ('closed', 'lapsed') and state = any ($3)
"""


async def in_hand(
    connection: Connection, organizations: list[UUID], persons: list[UUID | None], states: Sequence[str]
) -> list[tuple[int, UUID]]:
    """Cases in some states, and whose of some brokers they are: places in the two lists, each with a case's need."""
    rows = await connection.fetch(IN_HAND, organizations, persons, list(states))
    return [(row["place"], row["need_id"]) for row in rows]
