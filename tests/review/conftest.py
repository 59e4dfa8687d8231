"""The world of the review queue."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from service.access import service as access
from service.access.schemas import KeyRequest
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from tests.conftest import Keys, Member
from tests.review.world import World, open_world


@pytest.fixture
async def world(owner_url: str, client: httpx2.AsyncClient, keys: Keys) -> AsyncIterator[World]:
    """Nothing published yet."""
    made = await open_world(owner_url, client, keys)
    yield made
    await made.owner.close()


@pytest.fixture
async def second(keys: Keys, pool: Pool) -> str:
    """The role name of a second broker, of the operator's organization."""
    async with transaction(pool, SYSTEM) as connection:
        request = KeyRequest(label="second", roles=["broker"], scopes=["read", "write"])
        made = await access.create_key(connection, SYSTEM, keys.operator.organization_id, request)
    keys.members["second"] = Member("broker", keys.operator.organization_id, made.key)
    return "second"
