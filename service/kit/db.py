"""Connections and transactions. Everything that touches business rows runs inside `transaction`, under one actor."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import asyncpg
import orjson

from matching.index import register_codecs
from service.kit.actor import Actor

if TYPE_CHECKING:
    Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"
    Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
    Row: TypeAlias = asyncpg.Record
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection
    Row = asyncpg.Record

APPLICATION_ROLE = "duijie_app"
RANKING_ROLE = "duijie_ranking"
SEARCH_PATH = "public, matching"


def _to_json(value: Any) -> str:
    return orjson.dumps(value, default=_plain).decode()


def _plain(value: Any) -> Any:
    # asyncpg's own kind of UUID is a subclass, which orjson does not take for one.
    if isinstance(value, (Decimal, UUID)):
        return str(value)
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not stored as JSON")


async def prepare_connection(connection: Connection) -> None:
    """Codecs that every connection needs: JSON by orjson, and the vector types of the matching index."""
    await connection.set_type_codec("jsonb", encoder=_to_json, decoder=orjson.loads, schema="pg_catalog")
    await register_codecs(connection)


async def create_pool(url: str, *, size: int, statement_timeout_ms: int, application: str) -> Pool:
    """A pool whose connections carry the application role, which bypasses no row-level policy.

    The role is taken at connection start and not by `set role` later: what is set at the start survives the pool's
    reset between two users of a connection.
    """
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        init=prepare_connection,
        server_settings={
            "role": APPLICATION_ROLE,
            "search_path": SEARCH_PATH,
            # Until a transaction names its actor, the doorkeeper acts: it can tell keys apart, and sees nothing else.
            "duijie.roles": "door",
            "statement_timeout": str(statement_timeout_ms),
            "idle_in_transaction_session_timeout": "60000",
            "application_name": application,
            "timezone": "Asia/Shanghai",
        },
    )


SET_ACTOR = """
select set_config('duijie.key', $1, true),
       set_config('duijie.organization', $2, true),
       set_config('duijie.roles', $3, true),
       set_config('duijie.request', $4, true),
       set_config('duijie.address', $5, true),
       set_config('duijie.person', $6, true)
"""


@asynccontextmanager
async def transaction(pool: Pool, actor: Actor) -> AsyncIterator[Connection]:
    """One transaction in the name of `actor`: commits when the block ends, rolls back when it raises.

    The actor is set for this transaction only, so that a pooled connection never keeps the last one's name.
    """
    async with pool.acquire() as connection, connection.transaction():
        await set_actor(connection, actor)
        yield connection


async def set_actor(connection: Connection, actor: Actor) -> None:
    """Tell the database who acts until the transaction ends (read by policies and by the event log)."""
    await connection.execute(
        SET_ACTOR,
        str(actor.key_id or ""),
        str(actor.organization_id or ""),
        ",".join(sorted(actor.roles)),
        actor.request_id,
        actor.address_class,
        str(actor.person_id or ""),
    )


@asynccontextmanager
async def acting_as(connection: Connection, actor: Actor, *, instead_of: Actor) -> AsyncIterator[None]:
    """Within a transaction, act in another's name: what follows by itself from somebody's step is the service's own.

    A block that raises gives the former actor back, too: it is undone to where it began.
    """
    async with connection.transaction():
        await set_actor(connection, actor)
        yield
        await set_actor(connection, instead_of)


TAKE_RANKING_ROLE = f"set local role {RANKING_ROLE}"
TAKE_APPLICATION_ROLE = f"set local role {APPLICATION_ROLE}"


@asynccontextmanager
async def ranking_role(connection: Connection) -> AsyncIterator[None]:
    """Within a transaction, work on the matching index: its tables and no others are to be reached meanwhile.

    A block that raises leaves the role as it is: rolling back, to a savepoint too, gives the former one back.
    """
    await connection.execute(TAKE_RANKING_ROLE)
    yield
    await connection.execute(TAKE_APPLICATION_ROLE)


def affected(status: str) -> int:
    """Rows that a statement touched, from its status line.

    >>> affected("UPDATE 3")
    3
    """
    return int(status.rpartition(" ")[2])


def rows_as_dicts(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Plain dictionaries, for handing rows to pydantic."""
    return [dict(row) for row in rows]
