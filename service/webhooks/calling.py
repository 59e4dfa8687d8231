"""One call of an endpoint over HTTP, and what came of it."""

import asyncio
import ssl
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from ipaddress import IPv6Address
from time import perf_counter
from typing import Final

import httpx2

from service import __version__
from service.webhooks.addresses import Unsafe, resolve, target_of

# An answer is not read for its own sake; what is longer is cut off.
LARGEST_ANSWER: Final = 64 * 1024
GONE: Final = 410
# How long an endpoint may put the next attempt off by Retry-After.
LONGEST_RETRY_AFTER: Final = 24 * 3600


@dataclass(frozen=True, slots=True)
class Call:
    """What came of a call: a status, or in words why there is none; how long it took; what Retry-After asks."""

    status: int | None
    error: str | None
    milliseconds: int
    retry_after: timedelta | None = None

    @property
    def delivered(self) -> bool:
        """Whether the endpoint has it (2xx)."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the endpoint wants no more."""
        return self.status == GONE


async def call(url: str, headers: dict[str, str], body: bytes, *, seconds: float, private: bool) -> Call:
    """POST a body to a URL at a checked address; a redirect is an answer like any other and not followed.

    Nothing of the answer but its status and Retry-After is kept. Never raises for what the other side does.
    """
    begun = perf_counter()

    def came_of(status: int | None, error: str | None, retry_after: timedelta | None = None) -> Call:
        return Call(status, error, round((perf_counter() - begun) * 1000), retry_after)

    try:
        async with asyncio.timeout(seconds):
            return came_of(*await _post(url, headers, body, seconds=seconds, private=private))
    except Unsafe as error:
        return came_of(None, f"refused: {error}")
    except TimeoutError:
        return came_of(None, "no answer in time")
    except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
        # Of the error its kind alone: its text may hold more of the other side than is anybody's business.
        return came_of(None, type(error).__name__)


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """Whom a certificate must be of; read once, since that takes longer than a call. SSL_CERT_FILE adds a network's own."""
    return httpx2.create_ssl_context()


async def _post(
    url: str, headers: dict[str, str], body: bytes, *, seconds: float, private: bool
) -> tuple[int, str | None, timedelta | None]:
    target = target_of(url, private=private)
    address = await resolve(target, private=private)
    literal = f"[{address}]" if isinstance(address, IPv6Address) else str(address)
    parts = httpx2.URL(url)
    sent = headers | {
        "Host": parts.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": f"Duijie/{__version__}",
    }
    # The certificate is checked against the name, though the connection goes to the address.
    extensions = {"sni_hostname": target.host} if target.scheme == "https" else {}
    # No proxy of the environment: it would resolve the name once more.
    async with (
        httpx2.AsyncClient(verify=_trust(), timeout=seconds, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST", parts.copy_with(host=literal.strip("[]")), headers=sent, content=body, extensions=extensions
        ) as answer,
    ):
        read = 0
        async for chunk in answer.aiter_raw():
            read += len(chunk)
            if read > LARGEST_ANSWER:
                break
        status = answer.status_code
        error = None if 200 <= status < 300 else f"status {status}"
        return status, error, _retry_after(answer.headers.get("Retry-After"))


def _retry_after(value: str | None) -> timedelta | None:
    """Whole seconds of a Retry-After (RFC 9110, 10.2.3), bounded; a date in it is not read.

    >>> _retry_after("120"), _retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), _retry_after("999999999")
    (datetime.timedelta(seconds=120), None, datetime.timedelta(days=1))
    """
    if value is None or not (value.isascii() and value.isdigit()):
        return None
    return timedelta(seconds=min(int(value[:9]), LONGEST_RETRY_AFTER))
