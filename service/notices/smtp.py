"""Hands messages to the configured mail server (RFC 5321), and says what it made of them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final

import aiosmtplib

from service.settings import Settings

# Text behind the code may repeat the address: only the code goes on record.
REFUSED_FOR_GOOD: Final = range(500, 600)


@dataclass(frozen=True, slots=True)
class Taken:
    """The mail server has the message."""


@dataclass(frozen=True, slots=True)
class Bounced:
    """It never will take it; `reply` is its code."""

    reply: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not now; `reply` is its code or what kind of failure it was."""

    reply: str


Outcome = Taken | Bounced | Later
Send = Callable[[EmailMessage], Awaitable[Outcome]]


def client(settings: Settings) -> aiosmtplib.SMTP:
    """A client of the configured mail server, not connected yet. STARTTLS that is not offered is an error, not a fallback."""
    assert settings.smtp_host is not None
    return aiosmtplib.SMTP(
        hostname=settings.smtp_host,
        port=settings.smtp_port,
        username=settings.smtp_user,
        password=settings.smtp_password.get_secret_value() if settings.smtp_password else None,
        use_tls=settings.smtp_security == "tls",
        start_tls=settings.smtp_security == "starttls",
        tls_context=ssl.create_default_context() if settings.smtp_security != "none" else None,
        timeout=settings.smtp_seconds,
    )


async def refuses(settings: Settings) -> str | None:
    """Why the mail server does not let this service in, as a code or kind of failure; None where it does."""
    smtp = client(settings)
    try:
        await smtp.connect()
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return _kind(error)
    finally:
        await _leave(smtp)
    return None


@asynccontextmanager
async def open_mailer(settings: Settings) -> AsyncIterator[Send]:
    """A connection to send several messages by. What cannot be connected puts every one of them off."""
    smtp = client(settings)
    failure: Later | None = None
    try:
        await smtp.connect()
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        failure = Later(_kind(error))

    async def send(message: EmailMessage) -> Outcome:
        return failure if failure is not None else await _send(smtp, message)

    try:
        yield send
    finally:
        await _leave(smtp)


async def _leave(smtp: aiosmtplib.SMTP) -> None:
    """Say goodbye where the server still listens (RFC 5321, 4.1.1.10), and let go of the connection at once."""
    transport = smtp.transport
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        if smtp.is_connected:
            await smtp.quit()
    smtp.close()
    if isinstance(transport, asyncio.WriteTransport):
        # Nothing is owed any more: a server that never answers the end of TLS must not keep the socket open.
        transport.abort()


async def _send(smtp: aiosmtplib.SMTP, message: EmailMessage) -> Outcome:
    try:
        await smtp.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        codes = [each.code for each in error.recipients]
        return Bounced(str(codes[0])) if all(code in REFUSED_FOR_GOOD for code in codes) else Later(str(codes[0]))
    except aiosmtplib.SMTPSenderRefused as error:
        # A matter between this service and its mail server, not of the recipient.
        return Later(str(error.code))
    except aiosmtplib.SMTPDataError as error:
        return Bounced(str(error.code)) if error.code in REFUSED_FOR_GOOD else Later(str(error.code))
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        return Later(_kind(error))
    return Taken()


def _kind(error: Exception) -> str:
    code = getattr(error, "code", None)
    return str(code) if isinstance(code, int) else type(error).__name__[:40]
