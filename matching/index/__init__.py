"""The matching index in PostgreSQL with pgvector: the only SQL of this package."""

from typing import TYPE_CHECKING, TypeAlias

from pgvector.asyncpg import register_vector

if TYPE_CHECKING:
    import asyncpg

    Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
else:
    Connection = object

EXTENSION_SCHEMA = """
select nspname from pg_extension join pg_namespace on pg_namespace.oid = extnamespace where extname = 'vector'
"""


async def register_codecs(connection: Connection) -> None:
    """Teach a connection the vector types. Every connection that this package gets needs it once."""
    schema = await connection.fetchval(EXTENSION_SCHEMA)
    await register_vector(connection, schema=schema)  # type: ignore[arg-type]  # a pooled connection serves as well


__all__ = ["Connection", "register_codecs"]
