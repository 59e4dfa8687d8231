"""How an endpoint gets its one transaction under its one actor."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.access.bearer import identify, proven
from service.kit import idempotency
from service.kit.actor import Actor
from service.kit.addresses import address_class
from service.kit.clock import now
from service.kit.db import Connection, Pool, set_actor
from service.settings import Settings

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key, or a token of the configured OpenID Connect issuer: `Authorization: Bearer dj_…`. A person "
    "with several memberships names one by `X-Organization` / 在 Authorization 请求头中携带 API 密钥或身份提供方的令牌",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


@dataclass(frozen=True, slots=True)
class Transaction:
    """The request's open transaction, the actor in whose name it runs, and the settings of the application."""

    connection: Connection
    actor: Actor
    settings: Settings


def pool_of(request: Request) -> Pool:
    """The pool that the application opened at start."""
    pool: Pool = request.app.state.resources.pool
    return pool


def _from(request: Request, actor: Actor) -> Actor:
    # uvicorn puts the address that a proxy forwards here, if FORWARDED_ALLOW_IPS names the proxy as trusted.
    return replace(actor, address_class=address_class(request.client.host if request.client else None))


@asynccontextmanager
async def _begin(request: Request, credentials: Credentials, *, waiting: bool = True) -> AsyncIterator[Transaction]:
    """The request's transaction: who acts first, then the Idempotency-Key, then the work.

    A key that cannot be kept from working twice is not taken: only requests that act carry one here.
    """
    proof = await proven(request, credentials.credentials if credentials else None)
    asked = await _asked(request)
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = _from(request, await identify(connection, request, proof))
        await set_actor(connection, actor)
        request.state.actor = actor
        if asked is not None and actor.caller_id is not None:
            request.state.claim = await idempotency.claim(
                connection, actor.caller_id, _for(actor, asked), now(), waiting=waiting
            )
        yield Transaction(connection, actor, request.app.state.resources.settings)


async def _asked(request: Request) -> idempotency.Asked | None:
    """What the request asks under an Idempotency-Key; read once, and only where the route acts."""
    state = request.state
    if not hasattr(state, "asked"):
        state.asked = await idempotency.asked_by(request) if getattr(state, "acts", False) else None
    asked: idempotency.Asked | None = state.asked
    return asked


def _for(actor: Actor, asked: idempotency.Asked) -> idempotency.Asked:
    """A key of ours acts for one organization. A login names one by a header, and the same words for another are another request."""
    return asked if actor.key_id is not None else asked.in_name_of(actor.organization_id)


async def open_now(request: Request, credentials: Credentials) -> AsyncIterator[Transaction]:
    """The request's transaction, open from before the endpoint until its answer is made."""
    async with _begin(request, credentials) as transaction:
        yield transaction


# Function scope: the transaction has committed before the answer leaves, so nothing is acknowledged that a crash undoes.
Tx = Annotated[Transaction, Depends(open_now, scope="function")]


class Opening:
    """Opens the request's transaction when the endpoint is ready for it; it ends with the endpoint's answer."""

    def __init__(self, request: Request, credentials: Credentials, stack: AsyncExitStack) -> None:
        self._request = request
        self._credentials = credentials
        self._stack = stack

    async def __call__(self, *, waiting: bool = True) -> Transaction:
        """Begin; `waiting` as in `idempotency.claim`."""
        return await self._stack.enter_async_context(_begin(self._request, self._credentials, waiting=waiting))

    async def hold(self) -> None:
        """Hold the Idempotency-Key, if there is one, over work in many transactions; its answer is stored at the end.

        What an interruption leaves of such work must be finished by a second try.

        Raises:
            UnderWay: another request with the key still runs; work of minutes is not waited for.
        """
        if await _asked(self._request) is not None:
            await self(waiting=False)


async def open_later(request: Request, credentials: Credentials) -> AsyncIterator[Opening]:
    """The transaction of an endpoint that has work before it which must not hold a connection."""
    async with AsyncExitStack() as stack:
        yield Opening(request, credentials, stack)


LateTx = Annotated[Opening, Depends(open_later, scope="function")]


async def _actor(request: Request, credentials: Credentials) -> Actor:
    proof = await proven(request, credentials.credentials if credentials else None)
    asked = await _asked(request)
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = _from(request, await identify(connection, request, proof))
        if asked is not None and actor.caller_id is not None:
            # Before any work: what was answered already needs none.
            await set_actor(connection, actor)
            await idempotency.replay(connection, actor.caller_id, _for(actor, asked), now())
    request.state.actor = actor
    return actor


# For endpoints whose work must not hold a connection throughout: encoding a text, reading an upload.
CurrentActor = Annotated[Actor, Depends(_actor)]


async def _anonymous(request: Request) -> AsyncIterator[Connection]:
    async with pool_of(request).acquire() as connection, connection.transaction(readonly=True):
        yield connection


# Code lists are nobody's secret: readable without a key.
OpenRead = Annotated[Connection, Depends(_anonymous, scope="function")]
