"""Refuses requests that come too fast, before their body is read: 429 (RFC 6585) with the fields that say when."""

import hashlib
import ipaddress
import re
from collections import OrderedDict
from uuid import UUID

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError
from service.kit.language import Text
from service.kit.limits import SharedBuckets
from service.kit.rates import LocalBuckets, Rate, Standing, parse_rate, rate_headers
from service.kit.web import problem_response
from service.settings import Settings

LIMITED = "/v1/"
# Units of requests that take more than a few statements: encoding a text, ranking by it, reading or writing files.
COSTS: tuple[tuple[str, re.Pattern[str], int], ...] = (
    ("POST", re.compile(r"^/v1/match$"), 10),
    ("POST", re.compile(r"^/v1/(needs|outcomes)/(hints|[^/]+/submit)$"), 5),
    ("GET", re.compile(r"^/v1/(needs|outcomes)/[^/]+/hints$"), 5),
    ("POST", re.compile(r"^/v1/imports$"), 20),
    ("GET", re.compile(r"^/v1/exports$"), 10),
    ("GET", re.compile(r"^/v1/contracts/[^/]+/registration\.(pdf|xlsx)$"), 20),
)
MOST_CALLERS = 20_000


class TooManyRequests(ServiceError):
    """More requests than a bucket gives."""

    status = 429
    code = "too_many_requests"
    title = Text("请求过于频繁", "Too many requests")

    def __init__(self, standings: list[Standing]) -> None:
        seconds = max(each.wait_seconds for each in standings)
        super().__init__(
            Text(f"请在 {seconds} 秒后重试", f"Try again in {seconds} seconds"),
            headers={"Retry-After": str(seconds), **rate_headers(standings)},
        )


def cost_of(method: str, path: str) -> int:
    """Units that a request costs.

    >>> cost_of("POST", "/v1/match"), cost_of("GET", "/v1/needs")
    (10, 1)
    """
    bare = path.rstrip("/")
    return next((cost for name, pattern, cost in COSTS if name == method and pattern.match(bare)), 1)


def address_class(scope: Scope) -> str:
    """Where a request comes from: an IPv4 address, or the /64 that one IPv6 subscriber has.

    >>> address_class({"client": ("2001:db8::1:2", 9)}), address_class({"client": None})
    ('2001:db8::/64', 'unknown')
    """
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return str(host)
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


class Throttle:
    """Counts requests by key and organization, and by address while nobody is known to have asked.

    Whom a credential belongs to is learned from the first request that it authenticates, which counts as well but is
    not refused. Until then the credential's address is counted, and one whose credentials fail again and again is
    answered before the database is asked; keys that have been seen to work are not held up by their neighbours' guesses.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        address, failures = parse_rate(settings.rate_limit_address), parse_rate(settings.rate_limit_failures)
        self._addresses = _buckets("address", address)
        self._failures = _buckets("failures", failures)
        self._callers: OrderedDict[bytes, tuple[UUID, UUID]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(LIMITED):
            await self.app(scope, receive, send)
            return
        authorization = Headers(scope=scope).get("authorization")
        # Only a digest is held: nothing in memory is worth stealing.
        credential = hashlib.sha256(authorization.encode()).digest() if authorization else None
        caller = self._callers.get(credential) if credential else None
        shared: SharedBuckets | None = scope["app"].state.resources.limits
        cost = cost_of(scope["method"], scope["path"])
        if caller is None:
            told = self._by_address(address_class(scope), guessing=credential is not None)
        else:
            told = await shared.take(*caller, cost) if shared else []
        if any(each.refuses for each in told):
            state = scope["state"]
            refusal = problem_response(TooManyRequests(told), state["language"], state["request_id"])
            await refusal(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                if caller is None and credential is not None:
                    told = await self._learn(scope, credential, message["status"], shared, cost) or told
                MutableHeaders(scope=message).update(rate_headers(told))
            await send(message)

        await self.app(scope, receive, counted)

    def _by_address(self, address: str, *, guessing: bool) -> list[Standing]:
        told = [self._addresses.take(address)] if self._addresses else []
        if guessing and self._failures and (failed := self._failures.look(address)).refuses:
            told.append(failed)
        return told

    async def _learn(
        self, scope: Scope, credential: bytes, status: int, shared: SharedBuckets | None, cost: int
    ) -> list[Standing]:
        """What a first request tells of its credential: whose it is, or that it is nobody's."""
        actor = scope["state"].get("actor")
        if status == 401 and self._failures:
            self._failures.take(address_class(scope))
        if actor is None or actor.caller_id is None or actor.organization_id is None:
            return []
        self._callers[credential] = (actor.caller_id, actor.organization_id)
        if len(self._callers) > MOST_CALLERS:
            self._callers.popitem(last=False)
        return await shared.take(actor.caller_id, actor.organization_id, cost) if shared else []


def _buckets(name: str, rate: Rate | None) -> LocalBuckets | None:
    return LocalBuckets(name, rate) if rate else None
