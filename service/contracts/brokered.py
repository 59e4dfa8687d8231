"""Registered contracts that came from brokers' cases and pairs, for the room of brokers; knows nothing of that room."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from service.kit.db import Connection


@dataclass(frozen=True, slots=True)
class Brokered:
    """Contracts of one broker in one currency. The amounts are None for those who may not see contracts."""

    currency: str
    contracts: int
    turnover: Decimal | None
    technology_value: Decimal | None


BROKERED = "select * from broker_contracts($1, $2, $3, $4) order by place, currency"


async def brokered(
    connection: Connection, organizations: list[UUID], persons: list[UUID | None], after: date, until: date
) -> list[list[Brokered]]:
    """For each of some brokers its contracts by currency, registered after one day and no later than another.

    A broker's are those of cases that are its own now, and of pairs that it accepted and did not take back. Each counts
    once, by the day of its latest registration, also while what was registered has changed and is filed again; a cancelled
    one does not. Turnover (成交额) and technology value (技术交易额) are as the contract stands today.
    """
    found: list[list[Brokered]] = [[] for _ in organizations]
    for row in await connection.fetch(BROKERED, organizations, persons, after, until):
        found[row["place"] - 1].append(
            Brokered(row["currency"], row["contracts"], row["turnover"], row["technology_value"])
        )
    return found
