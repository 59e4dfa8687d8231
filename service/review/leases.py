"""Leases: a pair of the queue is one broker's for a while, so that two do not work on the same.

A lease is no change of the pair and leaves no event. It ends with a decision, which takes the pair off the queue, by being
given back, or by time. Nobody needs one to decide; but what another broker has under lease nobody else decides on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from service.errors import OutOfTurn
from service.kit.actor import Actor
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection
from service.kit.language import Text
from service.review import repository
from service.review.repository import leased_by

# What other rooms may call.
__all__ = ["Leased", "check_free", "holder_of", "leased_by", "of_others", "settle"]

# Entries that the end of one transaction works off; housekeeping takes what is left.
SETTLED_AT_ONCE = 500


class Leased(OutOfTurn):
    """Another broker works on the pair."""

    code = "leased"
    title = Text("其他技术经理人正在处理", "Another broker works on it")


def holder_of(actor: Actor) -> UUID | None:
    """Who holds a lease: the person who acts, whatever the key; of a machine client its key."""
    return actor.person_id or actor.key_id


async def of_others(
    connection: Connection, actor: Actor, identifiers: Sequence[UUID], at: datetime
) -> dict[UUID, datetime]:
    """Pairs among these that others have under lease, with the end of it; no lease begins until the transaction ends."""
    if not identifiers:
        return {}
    return await repository.leased_by_others(connection, list(identifiers), holder_of(actor), at)


def check_free(identifier: UUID, taken: Mapping[UUID, datetime]) -> None:
    """Let a decision pass only on what nobody else has under lease.

    Raises:
        Leased: says until when.
    """
    if identifier in taken:
        until = taken[identifier].astimezone(MARKET_ZONE).isoformat(timespec="seconds")
        raise Leased(
            Text(f"该推荐由其他技术经理人处理中，至 {until}", f"Another broker works on this pair until {until}")
        )


async def settle(connection: Connection) -> int:
    """Count places in the queue anew; the last thing that a transaction does, since it waits for nobody."""
    return await repository.settle(connection, SETTLED_AT_ONCE)
