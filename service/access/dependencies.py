"""How an endpoint gets its one transaction under its one actor."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.access.service import authenticate
from service.kit.actor import Actor
from service.kit.addresses import address_class
from service.kit.db import Connection, Pool, set_actor

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key: `Authorization: Bearer dj_…` / 在 Authorization 请求头中携带 API 密钥",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


@dataclass(frozen=True, slots=True)
class Transaction:
    """The request's open transaction and the actor in whose name it runs."""

    connection: Connection
    actor: Actor


def pool_of(request: Request) -> Pool:
    """The pool that the application opened at start."""
    pool: Pool = request.app.state.resources.pool
    return pool


def _from(request: Request, actor: Actor) -> Actor:
    # uvicorn puts the address that a proxy forwards here, if FORWARDED_ALLOW_IPS names the proxy as trusted.
    return replace(actor, address_class=address_class(request.client.host if request.client else None))


async def _open(request: Request, credentials: Credentials) -> AsyncIterator[Transaction]:
    key = credentials.credentials if credentials else None
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = _from(request, await authenticate(connection, key, request.state.request_id))
        await set_actor(connection, actor)
        request.state.actor = actor
        yield Transaction(connection, actor)


# Function scope: the transaction has committed before the answer leaves, so nothing is acknowledged that a crash undoes.
Tx = Annotated[Transaction, Depends(_open, scope="function")]


async def _actor(request: Request, credentials: Credentials) -> Actor:
    key = credentials.credentials if credentials else None
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = _from(request, await authenticate(connection, key, request.state.request_id))
    request.state.actor = actor
    return actor


# For endpoints whose work must not hold a connection throughout: encoding a text, reading an upload.
CurrentActor = Annotated[Actor, Depends(_actor)]


async def _anonymous(request: Request) -> AsyncIterator[Connection]:
    async with pool_of(request).acquire() as connection, connection.transaction(readonly=True):
        yield connection


# Code lists are nobody's secret: readable without a key.
OpenRead = Annotated[Connection, Depends(_anonymous, scope="function")]
