"""Which tables the two roles of work reach: the application's the business, the ranking one the index."""

import asyncpg
import pytest

from service.kit.actor import SYSTEM
from service.kit.db import Pool, ranking_role, transaction

REACHED = """
select distinct nspname from pg_class join pg_namespace on pg_namespace.oid = relnamespace,
    unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as may
where nspname in ('public', 'matching') and relkind in ('r', 'p', 'v') and has_table_privilege($1, pg_class.oid, may)
"""


async def test_each_role_reaches_its_own_schema_only(serving_pool: Pool) -> None:
    async with serving_pool.acquire() as connection:
        for role, schema in (("duijie_app", "public"), ("duijie_ranking", "matching")):
            assert [row[0] for row in await connection.fetch(REACHED, role)] == [schema]


@pytest.mark.parametrize("statement", ["select from matching.match_profile", "delete from matching.embedding_model"])
async def test_the_application_does_not_reach_the_index_as_itself(serving_pool: Pool, statement: str) -> None:
    async with transaction(serving_pool, SYSTEM) as connection:
        async with ranking_role(connection):
            await connection.execute(statement)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)


@pytest.mark.parametrize("statement", ["select from listing", "select from recommendation", "select from event"])
async def test_who_ranks_reaches_no_business_row(serving_pool: Pool, statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with transaction(serving_pool, SYSTEM) as connection, ranking_role(connection):
            await connection.execute(statement)


async def test_the_role_is_given_back_where_a_block_fails(serving_pool: Pool) -> None:
    async with transaction(serving_pool, SYSTEM) as connection:
        with pytest.raises(asyncpg.UndefinedTableError):
            async with connection.transaction(), ranking_role(connection):
                await connection.execute("select from match_nothing")
        assert await connection.fetchval("select current_user") == "duijie_app"
