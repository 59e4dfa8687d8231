"""Figures of a broker's work, counted from decisions and events when they are asked for; nothing is kept beside them.

All are of one period and of one broker: a person in an organization, or an organization's machine clients.

- refined: needs with an event `need/publish` from the state `refining` that the broker left.
- reviewed: pairs with a decision `accept` or `decline` of the broker's that was not undone.
- introduced: those among them with `accept`.
- consented: introduced pairs to which both sides have consented at some time, withdrawn since or not.
- contracted: contracts registered in the period, not cancelled since, of pairs that the broker accepted at any time.
- response_hours: the median, over needs assigned to the broker in the period, of the hours from the assignment to the
  broker's first event on the need or first decision on one of its pairs; assignments without any do not count.

The statement is the function `broker_figures` of the database: it reads what others than the broker may not, and tells numbers alone.
"""

from datetime import datetime, timedelta
from uuid import UUID

from service.brokers import repository
from service.brokers.schemas import Figures
from service.kit.db import Connection

PERIOD = timedelta(days=365)


async def figures_of(connection: Connection, broker_id: UUID, until: datetime) -> Figures:
    """A broker's work of the year before `until`."""
    since = until - PERIOD
    row = await repository.figures(connection, broker_id, since, until)
    return Figures(since=since, until=until, **dict(row))
