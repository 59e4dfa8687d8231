"""Which rows every kind of actor reaches by plain SQL: tests/access/probes.py says what is tried and expected."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.access.probes import PROBES, World, fill, surprises
from tests.conftest import Server


@pytest.fixture
async def world(app_url: str, postgres: Server, database: str) -> AsyncIterator[World]:
    """Rows in every table, and a connection of the application."""
    owner = await asyncpg.connect(postgres.url("postgres", database))
    ids = await fill(owner)
    await owner.close()
    application = await asyncpg.connect(app_url)
    yield World(ids, application)
    await application.close()


async def test_every_actor_reaches_its_rows_and_no_others(world: World) -> None:
    found = {table: await surprises(world, table) for table in dict.fromkeys(table for table, _, _ in PROBES)}
    assert {table: wrong for table, wrong in found.items() if wrong} == {}


async def test_every_policy_has_a_probe(owner_url: str) -> None:
    """A policy on a table and command that nothing tries is noticed here."""
    owner = await asyncpg.connect(owner_url)
    rows = await owner.fetch("select tablename, lower(cmd) as command from pg_policies where schemaname = 'public'")
    await owner.close()
    tried = {(table, statement.split()[0]) for table, statement, _ in PROBES}
    assert {(row["tablename"], row["command"]) for row in rows if row["command"] != "all"} <= tried
