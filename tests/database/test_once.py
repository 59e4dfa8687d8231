"""Unique indexes and triggers refuse what would happen twice or be rewritten, whoever asks."""

import asyncpg

from tests.access.probes import fill
from tests.conftest import Server
from tests.database.once import BY_ACTOR, FOLLOW, KEPT, ONCE, SEALED, TOLD, let_through

# They hold the primary key, and are there for foreign keys to refer to.
REFERRED = {"listing_kind", "membership_of_key"}
UNIQUE = """
select index.relname from pg_index join pg_class index on index.oid = indexrelid join pg_class owner on owner.oid = indrelid
where owner.relnamespace = 'public'::regnamespace and indisunique and not indisprimary and owner.relname not like 'pgqueuer%'
"""
TRIGGERS = """
select tgname from pg_trigger join pg_class on pg_class.oid = tgrelid
where relnamespace = 'public'::regnamespace and not tgisinternal and relname not like 'pgqueuer%'
"""


async def test_nothing_happens_twice_and_nothing_is_rewritten(postgres: Server, database: str) -> None:
    superuser = await asyncpg.connect(postgres.url("postgres", database))
    try:
        assert await let_through(superuser, await fill(superuser)) == []
    finally:
        await superuser.close()


async def test_every_unique_index_and_trigger_is_tried(postgres: Server, database: str) -> None:
    superuser = await asyncpg.connect(postgres.url("postgres", database))
    try:
        unique = {name for (name,) in await superuser.fetch(UNIQUE)}
        assert unique - REFERRED <= set(ONCE)
        assert {name for (name,) in await superuser.fetch(TRIGGERS)} == {*KEPT, SEALED, TOLD, *FOLLOW, *BY_ACTOR}
    finally:
        await superuser.close()
