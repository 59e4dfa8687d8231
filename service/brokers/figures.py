"""Figures of a broker's work, counted when they are asked for; nothing is kept beside what they are counted from.

All are of one period (the year before the moment of asking, its end left out) and of one broker: a person in an
organization, or an organization's machine clients.

- refined: rounds of refinement (凝练) that the broker began and that ended in the period with the publication of the need.
  A round that ended otherwise (returned, withdrawn, expired) does not count; a need that was refined twice counts twice.
- reviewed: pairs with a decision `accept` or `decline` of the broker's in the period that was not undone.
- introduced: those among them with `accept`.
- consented: cases of the broker in which both sides consented for the first time in the period, withdrawn since or not.
  A case that was handed over is that broker's who has it now.
- contracted: registered contracts from the broker's cases, or from pairs that it accepted, by the day of their latest
  registration in the market's time; one that is both counts once. Contracts that were entered for a stated reason have no
  broker and count for nobody.
- amounts: of these contracts turnover (成交额) and technology value (技术交易额), each currency by itself; none is converted.
  They are for staff: the sum of a single contract would tell a member what that contract says.
- response_hours: the median, over needs assigned to the broker in the period, of the hours from the assignment to the
  broker's first event on the need or first decision on one of its pairs; assignments without any do not count.

Where nothing can be counted, counts are 0 and the median is None. The statements are functions of the database: they read
what others than the broker may not, and tell numbers alone. A page of brokers takes two of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from service.brokers import repository
from service.brokers.schemas import Amount, Figures
from service.brokers.workload import identities
from service.contracts.brokered import Brokered, brokered
from service.kit.clock import MARKET_ZONE
from service.kit.db import Connection, Row

PERIOD = timedelta(days=365)


async def figures_of(connection: Connection, brokers: Sequence[Row], until: datetime) -> list[Figures]:
    """The work of some brokers (rows of `broker`) in the year before `until`, in their order."""
    since = until - PERIOD
    counted = await repository.figures(connection, [row["id"] for row in brokers], since, until)
    days = (instant.astimezone(MARKET_ZONE).date() for instant in (since, until))
    contracts = await brokered(connection, *identities(brokers), *days)
    return [
        Figures(
            since=since,
            until=until,
            contracted=sum(each.contracts for each in own),
            amounts=_amounts(own),
            **dict(row),
        )
        for row, own in zip(counted, contracts, strict=True)
    ]


def _amounts(found: Sequence[Brokered]) -> list[Amount] | None:
    if any(each.turnover is None for each in found):
        return None
    return [
        Amount(
            currency=each.currency,
            contracts=each.contracts,
            turnover=each.turnover,
            technology_value=each.technology_value,
        )
        for each in found
    ]
