"""When a day's or a week's digest is due, by the market's wall clock."""

from datetime import datetime, time, timedelta
from typing import Final

from service.kit.actor import SYSTEM
from service.kit.clock import MARKET_ZONE, Clock
from service.kit.db import Pool, transaction
from service.notices import mail_repository
from service.notices.model import DIGESTS, Mailing

# When work begins: what happened overnight is in it.
DIGEST_HOUR: Final = 8
BATCH: Final = 200


def period_end(kind: Mailing, moment: datetime) -> datetime:
    """When the last complete day or week ended: at 08:00 in Shanghai, of a week on Monday. Does no I/O.

    >>> from datetime import UTC
    >>> period_end(Mailing.DAILY, datetime(2026, 3, 4, 23, 59, tzinfo=UTC)).isoformat()
    '2026-03-04T08:00:00+08:00'
    >>> period_end(Mailing.WEEKLY, datetime(2026, 3, 5, 0, 0, tzinfo=UTC)).isoformat()
    '2026-03-02T08:00:00+08:00'
    """
    local = moment.astimezone(MARKET_ZONE)
    day = local.date() if local.hour >= DIGEST_HOUR else local.date() - timedelta(days=1)
    if kind is Mailing.WEEKLY:
        day -= timedelta(days=day.weekday())
    return datetime.combine(day, time(DIGEST_HOUR), MARKET_ZONE)


async def make_digests(pool: Pool, clock: Clock) -> int:
    """Make every digest that is due; how many. A recipient has one for each period, however many workers try."""
    count, moment = 0, clock()
    for kind in DIGESTS:
        end = period_end(kind, moment)
        made = 1
        while made:
            async with transaction(pool, SYSTEM) as connection:
                recipients = await mail_repository.due_digests(connection, kind, end, BATCH)
                made = sum(
                    [await mail_repository.make_digest(connection, each, kind, end, moment) for each in recipients]
                )
            count += made
    return count
