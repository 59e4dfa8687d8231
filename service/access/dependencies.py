"""How an endpoint gets its one transaction under its one actor."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from service.access.bearer import identify, proven
from service.kit.actor import Actor
from service.kit.db import Connection, Pool, set_actor

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key, or a token of the configured OpenID Connect issuer: `Authorization: Bearer dj_…`. A person "
    "with several memberships names one by `X-Organization` / 在 Authorization 请求头中携带 API 密钥或身份提供方的令牌",
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


async def _open(request: Request, credentials: Credentials) -> AsyncIterator[Transaction]:
    proof = await proven(request, credentials.credentials if credentials else None)
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = await identify(connection, request, proof)
        await set_actor(connection, actor)
        request.state.actor = actor
        yield Transaction(connection, actor)


# Function scope: the transaction has committed before the answer leaves, so nothing is acknowledged that a crash undoes.
Tx = Annotated[Transaction, Depends(_open, scope="function")]


async def _actor(request: Request, credentials: Credentials) -> Actor:
    proof = await proven(request, credentials.credentials if credentials else None)
    async with pool_of(request).acquire() as connection, connection.transaction():
        actor = await identify(connection, request, proof)
    request.state.actor = actor
    return actor


# For endpoints whose work must not hold a connection throughout: encoding a text, reading an upload.
CurrentActor = Annotated[Actor, Depends(_actor)]


async def _anonymous(request: Request) -> AsyncIterator[Connection]:
    async with pool_of(request).acquire() as connection, connection.transaction(readonly=True):
        yield connection


# Code lists are nobody's secret: readable without a key.
OpenRead = Annotated[Connection, Depends(_anonymous, scope="function")]
