"""What a broker has in hand: a row for each kind of work, by a function of the room whose work it is.

A room with work of brokers adds its function to KINDS. Each finds the work of all brokers asked for by one statement.

Capacity is needs and cases at a time. A need fills it once, whether it was assigned, is being refined or both; once it has
cases of the broker's it fills it as often as it has cases. Leases are short, and a case that is followed up asks for
little in a year: these two are shown and fill nothing.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from service.brokers import repository
from service.brokers.schemas import Workload
from service.cases import in_hand as cases
from service.kit.db import Connection, Row
from service.listings import refinement
from service.review import leases

# Places in the list of brokers (rows of `broker`), each with the need that a piece of work is about.
Find = Callable[[Connection, Sequence[Row], datetime], Awaitable[list[tuple[int, UUID]]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of work: its name, how to find it, and whether it fills the capacity."""

    name: str
    find: Find
    fills: bool = True


def identities(brokers: Sequence[Row]) -> tuple[list[UUID], list[UUID | None]]:
    """The organizations and persons of brokers, by which other rooms know whose work something is. Does no I/O."""
    return [row["organization_id"] for row in brokers], [row["person_id"] for row in brokers]


async def _leases(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[tuple[int, UUID]]:
    return await leases.leased_by(connection, *identities(brokers), at)


async def _assigned(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[tuple[int, UUID]]:
    del at
    return await repository.assigned_to(connection, [row["id"] for row in brokers])


async def _refining(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[tuple[int, UUID]]:
    del at
    return await refinement.in_hand(connection, *identities(brokers))


async def _cases(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[tuple[int, UUID]]:
    del at
    return await cases.in_hand(connection, *identities(brokers), cases.OPEN)


async def _followed(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[tuple[int, UUID]]:
    del at
    return await cases.in_hand(connection, *identities(brokers), cases.FOLLOWED)


KINDS: tuple[Kind, ...] = (
    Kind("leases", _leases, fills=False),
    Kind("assigned", _assigned),
    Kind("refining", _refining),
    Kind("cases", _cases),
    Kind("followed", _followed, fills=False),
)


async def workloads_of(connection: Connection, brokers: Sequence[Row], at: datetime) -> list[Workload]:
    """What some brokers have in hand, in their order, and how much more each can take on: a statement for each kind."""
    needs = [{kind.name: Counter[UUID]() for kind in KINDS} for _ in brokers]
    for kind in KINDS:
        for place, need in await kind.find(connection, brokers, at):
            needs[place][kind.name][need] += 1
    return [_workload(row["capacity"], found) for row, found in zip(brokers, needs, strict=True)]


def _workload(capacity: int, found: dict[str, Counter[UUID]]) -> Workload:
    taken = Counter[UUID]()
    for kind in KINDS:
        if kind.fills:
            # The union of counters: for each need the kind that it is most often in.
            taken |= found[kind.name]
    counted = {name: counter.total() for name, counter in found.items()}
    return Workload(open=counted, taken=taken.total(), capacity=capacity, free=max(0, capacity - taken.total()))
