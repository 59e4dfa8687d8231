"""Sends mail that is due: leased, looked up, handed to the mail server, settled."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import structlog

from service.kit.actor import SYSTEM
from service.kit.backoff import delay_after
from service.kit.clock import Clock
from service.kit.db import Pool, transaction
from service.kit.language import Text
from service.notices import mail_repository
from service.notices.mail import Line, UnusableAddress, compose
from service.notices.mail_repository import Leased
from service.notices.model import Category
from service.notices.smtp import Bounced, Later, Outcome, Send, Taken, open_mailer
from service.settings import Settings

log = structlog.get_logger("duijie.notices")

BATCH: Final = 20
# What a worker that was killed had in hand is taken by another after this; a batch with every wait in it is shorter.
LEASE: Final = timedelta(minutes=15)


async def send_mail(pool: Pool, settings: Settings, clock: Clock, chance: Callable[[], float] = random.random) -> int:
    """Send what is due; how many were tried.

    A kill between the mail server's yes and its being noted has the message sent again, with the same Message-ID.
    """
    if settings.smtp_host is None:
        return 0
    tried = 0
    while True:
        async with transaction(pool, SYSTEM) as connection:
            moment = clock()
            batch = await mail_repository.lease(connection, moment, moment + LEASE, BATCH)
        if not batch:
            return tried
        async with open_mailer(settings) as send:
            for mail in batch:
                outcome = await _tried(pool, settings, mail, send, clock())
                await _settle(pool, mail, outcome, clock(), chance())
        tried += len(batch)


async def _tried(pool: Pool, settings: Settings, mail: Leased, send: Send, moment: datetime) -> Outcome | None:
    """As `_send`; a mail that cannot be made is put off like any other, so that it holds up nobody else's."""
    try:
        return await _send(pool, settings, mail, send, moment)
    except Exception as error:
        log.error("mail not made", mail_id=str(mail.id), exc_info=error)
        return Later(type(error).__name__[:40])


async def _send(pool: Pool, settings: Settings, mail: Leased, send: Send, moment: datetime) -> Outcome | None:
    """None: there is nobody to send it to any more, or nothing left to tell."""
    assert settings.smtp_sender is not None
    async with transaction(pool, SYSTEM) as connection:
        to = await mail_repository.address(connection, mail.id, settings.language)
        rows = await mail_repository.content(connection, mail.id)
    if to is None or to["email"] is None or not rows:
        return None
    lines = [Line(Text(row["text_zh"], row["text_en"]), Category(row["category"]), row["at"]) for row in rows]
    try:
        message = compose(
            mail.id,
            mail.kind,
            lines,
            sender=settings.smtp_sender,
            to=to["email"],
            language=to["language"],
            moment=moment,
        )
    except UnusableAddress:
        return Bounced("address")
    return await send(message)


async def _settle(pool: Pool, mail: Leased, outcome: Outcome | None, moment: datetime, chance: float) -> None:
    async with transaction(pool, SYSTEM) as connection:
        match outcome:
            case None:
                await mail_repository.settle(connection, mail, "skipped", None, None)
            case Taken():
                await mail_repository.settle(connection, mail, "sent", None, moment)
            case Bounced(reply):
                log.warning("mail refused for good", mail_id=str(mail.id), reply=reply)
                await mail_repository.settle(connection, mail, "bounced", reply, None)
            case Later(reply):
                wait = delay_after(mail.attempts + 1, chance)
                log.info("mail put off" if wait else "mail given up", mail_id=str(mail.id), reply=reply)
                if wait is None:
                    await mail_repository.settle(connection, mail, "failed", reply, None)
                else:
                    await mail_repository.put_off(connection, mail, moment + wait, reply)
