"""From the outbox to notifications and mail: what each event leaves, in one transaction with its leaving the outbox."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog

from service.kit.actor import SYSTEM
from service.kit.backoff import DELAYS
from service.kit.clock import Clock
from service.kit.db import Connection, Pool, Row, transaction
from service.notices import mail_repository, repository
from service.notices.model import Category, Event, Mailing, Notice, Recipient
from service.notices.parties import RESOLVERS, operators_of
from service.notices.preferences import read
from service.notices.rules import BY_TYPE
from service.notices.tell import concerned, notices_of
from service.settings import Settings

log = structlog.get_logger("duijie.notices")

BATCH: Final = 100
# What else is to be done for the organizations that an event concerns, in the same transaction.
Also = Callable[[Connection, Event, Collection[UUID], datetime], Awaitable[None]]


async def empty_outbox(pool: Pool, settings: Settings, clock: Clock, also: Also) -> int:
    """Work through what lies in the outbox; how many events.

    Several workers share the work: each takes what no other has in hand. An event whose transaction is rolled back, by
    a kill or an error, lies in the outbox as before.
    """
    worked = 0
    while True:
        async with transaction(pool, SYSTEM) as connection:
            moment = clock()
            taken = await repository.take(connection, moment, BATCH)
            if not taken:
                return worked
            operators = await operators_of(connection)
            told = [
                event.id
                for event, failures in taken
                if await _tell_or_put_off(connection, settings, event, failures, operators, moment, also)
            ]
            await repository.done(connection, told)
        worked += len(taken)


async def _tell_or_put_off(
    connection: Connection,
    settings: Settings,
    event: Event,
    failures: int,
    operators: Sequence[Recipient],
    moment: datetime,
    also: Also,
) -> bool:
    """Whether everybody was told. An event that cannot be worked out holds up its own subject, and no other."""
    try:
        async with connection.transaction():
            await tell(connection, settings, event, operators, moment, also)
    except Exception as error:
        log.error("event not told", event_type=event.type, event_id=str(event.id), exc_info=error)
        await repository.put_off(connection, event.id, moment + _patience(failures))
        return False
    return True


def _patience(failures: int) -> timedelta:
    return DELAYS[min(failures, len(DELAYS) - 1)]


async def tell(
    connection: Connection,
    settings: Settings,
    event: Event,
    operators: Collection[Recipient],
    moment: datetime,
    also: Also,
) -> None:
    """Tell everybody whom the rules name; whom nobody names, nobody is told."""
    resolve = RESOLVERS.get(event.subject_kind)
    if resolve is None or event.type not in BY_TYPE:
        return
    parties = await resolve(connection, event)
    if parties is None:
        return
    notices = notices_of(event, parties, operators)
    preferences = await repository.preferences_of(connection, [notice.recipient.id for notice in notices])
    for notice in notices:
        await _notify(connection, settings, event, notice, preferences[notice.recipient.id], moment)
    organizations = [each.organization_id for each in concerned(event, parties, operators) if each.organization_id]
    await also(connection, event, list(dict.fromkeys(organizations)), moment)


async def _notify(
    connection: Connection, settings: Settings, event: Event, notice: Notice, preference: Row, moment: datetime
) -> None:
    way = read(preference if preference["chosen"] else None, settings.language).way(notice.category)
    mailing = way.mail if _may_mail(settings, notice, preference) else Mailing.OFF
    if not way.in_app and mailing is Mailing.OFF:
        return
    identifier = await repository.insert(connection, event, notice, in_app=way.in_app, mailing=mailing, moment=moment)
    if identifier is not None and mailing is Mailing.AT_ONCE:
        await mail_repository.mail_at_once(connection, notice.recipient, identifier, moment)


def _may_mail(settings: Settings, notice: Notice, preference: Row) -> bool:
    """Whether there is a mail server, and an address. Who is suspended is mailed about its account only."""
    address = preference["own_email"] if notice.recipient.person_id else preference["email"]
    suspended = preference["state"] == "suspended" and notice.category is not Category.ACCOUNT
    return settings.smtp_host is not None and address is not None and not suspended
