"""Bring a database to the present schema: roles, extension, migrations, seeds. Safe to run at once and again."""

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service import seeds
from service.embedded import APPLICATION, OWNER
from service.kit.db import Connection, prepare_connection
from service.settings import MIGRATIONS

# Any two processes that migrate meet at this number.
MIGRATION_LOCK = 0x64756A6965
LEAST_VECTOR_VERSION = (0, 8, 4)


class MigrationError(RuntimeError):
    """The database cannot be brought to the present schema; the message says what to do."""


CREATE_APPLICATION_ROLE = """
do $$ begin
    create role duijie_app nologin nobypassrls;
exception when duplicate_object then null;
end $$
"""
CREATE_RANKING_ROLE = """
do $$ begin
    create role duijie_ranking nologin nobypassrls;
exception when duplicate_object then null;
end $$
"""
GRANT_APPLICATION_ROLE = "grant duijie_app to current_user"
# Taken for a while, never held beside the application's own rights.
GRANT_RANKING_ROLE = "grant duijie_ranking to duijie_app with inherit false, set true"
CREATE_EXTENSION = "create extension if not exists vector"
EXTENSION_VERSION = "select extversion from pg_extension where extname = 'vector'"
TAKE_LOCK = "select pg_advisory_lock($1)"


async def prepare_embedded(superuser_url: str, owner_url: str) -> None:
    """Create the roles and the database `duijie` in a fresh embedded server; does nothing where they exist."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(TAKE_LOCK, MIGRATION_LOCK)
        for role in (OWNER, APPLICATION):
            if not await connection.fetchval("select 1 from pg_roles where rolname = $1", role):
                await connection.execute(f"create role {role} login nobypassrls")
        await connection.execute(f"grant {APPLICATION} to {OWNER}")
        await connection.execute(CREATE_RANKING_ROLE)
        await connection.execute(GRANT_RANKING_ROLE)
        if not await connection.fetchval("select 1 from pg_database where datname = 'duijie'"):
            await connection.execute(f"create database duijie owner {OWNER} template template0 encoding 'UTF8'")
    finally:
        await connection.close()
    inside = await asyncpg.connect(superuser_url.replace("/postgres?", "/duijie?"))
    try:
        await inside.execute(CREATE_EXTENSION)
    finally:
        await inside.close()
    await migrate(owner_url)


async def migrate(owner_url: str) -> None:
    """Run every migration that is missing, under a lock that other migrating processes wait for.

    Raises:
        MigrationError: the owner may not create what is needed, or pgvector is missing or too old.
    """
    lock = await asyncpg.connect(owner_url)
    try:
        await lock.execute(TAKE_LOCK, MIGRATION_LOCK)
        await _ensure_roles(lock)
        await _ensure_extension(lock)
        engine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(owner_url), poolclass=NullPool
        )
        try:
            async with engine.begin() as connection:
                changed = await connection.run_sync(_upgrade)
        finally:
            await engine.dispose()
        if changed or await lock.fetchval(SEEDS_DIGEST) != seeds.digest():
            await _load_seeds(lock)
    finally:
        await lock.close()


SEEDS_DIGEST = "select value from setting where name = 'seeds'"
KEEP_SEEDS_DIGEST = """
insert into setting (name, value) values ('seeds', $1) on conflict (name) do update set value = excluded.value
"""


async def _load_seeds(owner: Connection) -> None:
    """Write the taxonomy and regions, and the digest by which the next start knows that it need not."""
    await prepare_connection(owner)
    async with owner.transaction():
        await seeds.load(owner)
        await owner.execute(KEEP_SEEDS_DIGEST, seeds.digest())


def _upgrade(connection: SyncConnection) -> bool:
    """Run what is missing; whether anything was."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    before = MigrationContext.configure(connection).get_current_revision()
    command.upgrade(config, "head")
    return before != MigrationContext.configure(connection).get_current_revision()


HAS_APPLICATION_ROLE = """
select exists (select from pg_roles where rolname = 'duijie_app' and pg_has_role(oid, 'member'))
"""
HAS_RANKING_ROLE = """
select exists (
    select from pg_roles as ranking, pg_roles as application
    where ranking.rolname = 'duijie_ranking' and application.rolname = 'duijie_app'
      and pg_has_role(application.oid, ranking.oid, 'set')
)
"""


async def _ensure_roles(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    try:
        if not await connection.fetchval(HAS_APPLICATION_ROLE):
            await connection.execute(CREATE_APPLICATION_ROLE)
            await connection.execute(GRANT_APPLICATION_ROLE)
        if not await connection.fetchval(HAS_RANKING_ROLE):
            await connection.execute(CREATE_RANKING_ROLE)
            await connection.execute(GRANT_RANKING_ROLE)
    except asyncpg.InsufficientPrivilegeError as error:
        raise MigrationError(
            "the role that migrates may not create roles. Let a superuser run once what is not there yet: "
            "create role duijie_app nologin; grant duijie_app to <the role of DUIJIE_DATABASE_URL>; "
            f"create role duijie_ranking nologin; {GRANT_RANKING_ROLE};"
        ) from error


async def _ensure_extension(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    version = await connection.fetchval(EXTENSION_VERSION)
    if version is None:
        try:
            await connection.execute(CREATE_EXTENSION)
        except (
            asyncpg.InsufficientPrivilegeError,
            asyncpg.FeatureNotSupportedError,
            asyncpg.UndefinedFileError,
        ) as error:
            raise MigrationError(
                f"pgvector cannot be enabled here ({error}). Install pgvector 0.8.4 or newer on the server and let a "
                "superuser run in this database: create extension vector;"
            ) from error
        version = await connection.fetchval(EXTENSION_VERSION)
    if tuple(int(part) for part in str(version).split(".")) < LEAST_VECTOR_VERSION:
        raise MigrationError(f"pgvector {version} is too old: 0.8.4 or newer is needed (alter extension vector update)")


__all__ = ["MigrationError", "migrate", "prepare_embedded"]
