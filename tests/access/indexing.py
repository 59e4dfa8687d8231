"""Builds a market in a database and lets it be matched, as a worker would."""

import asyncpg

from service import worker
from service.kit import queue
from service.kit.actor import SYSTEM
from service.kit.db import prepare_connection, transaction
from service.resources import Resources
from tests.access.market import Builder, Market
from tests.access.market_contracts import add_contracts
from tests.access.market_refinement import add_refinements


async def build_market(owner_url: str, role_sets: list[frozenset[str]]) -> Market:
    """A market, built by the owner of its database."""
    connection = await asyncpg.connect(owner_url)
    await prepare_connection(connection)
    try:
        async with connection.transaction():
            builder = Builder(connection)
            market = await builder.build(role_sets=role_sets)
            await add_refinements(connection, market)
            await add_contracts(builder)
            return market
    finally:
        await connection.close()


async def index_market(resources: Resources, market: Market) -> None:
    """Index and rank what is published. Pairs stand afterwards as they were built, found by the ranking or not."""
    async with transaction(resources.pool, SYSTEM) as connection:
        for each in market.subjects:
            if each.kind in ("need", "outcome") and each.state in ("published", "docking") and each.house in "AP":
                await queue.enqueue_index(connection, each.id, 2)
    await worker.drain(resources, concurrency=1)
    async with transaction(resources.pool, SYSTEM) as connection:
        for each in market.of_kind("recommendation"):
            await connection.execute(
                "update recommendation set state = $2, version = 1 where id = $1", each.id, each.state
            )
