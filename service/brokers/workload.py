"""What a broker has in hand: a row for each kind of work, by a function of the room whose work it is.

A room with work of brokers adds its function to COUNTS. Leases are short and count against nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from service.brokers import repository
from service.brokers.schemas import Workload
from service.kit.db import Connection, Row
from service.review import leases

Count = Callable[[Connection, Row, datetime], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: its name, how much of it a broker (a row of `broker`) has in hand, and whether it fills the capacity."""

    name: str
    count: Count
    fills: bool = True


async def _leases(connection: Connection, broker: Row, at: datetime) -> int:
    return await leases.count_of_broker(connection, broker["organization_id"], broker["person_id"], at)


async def _assigned(connection: Connection, broker: Row, at: datetime) -> int:
    del at
    return len(await repository.assigned(connection, broker["id"]))


async def _refining(connection: Connection, broker: Row, at: datetime) -> int:
    del at
    return await repository.refining(connection, broker["id"])


COUNTS: tuple[Kind, ...] = (
    Kind("leases", _leases, fills=False),
    Kind("assigned", _assigned),
    # Mostly needs that were assigned before; counting them again would fill a broker twice by one need.
    Kind("refining", _refining, fills=False),
)


async def workload_of(connection: Connection, broker: Row, at: datetime) -> Workload:
    """What a broker has in hand, and how much more it can take on."""
    counted = {kind.name: await kind.count(connection, broker, at) for kind in COUNTS}
    taken = sum(counted[kind.name] for kind in COUNTS if kind.fills)
    capacity: int = broker["capacity"]
    return Workload(open=counted, taken=taken, capacity=capacity, free=max(0, capacity - taken))
