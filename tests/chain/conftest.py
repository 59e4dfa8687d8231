"""A market under one clock."""

import httpx2
import pytest

from service.kit.db import Pool
from service.resources import Resources
from tests.chain.walking import Market, WholeClock
from tests.conftest import Keys
from tests.contracts.helpers import with_codes


@pytest.fixture
async def market(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> Market:
    """Nothing published yet; every organization has its credit code."""
    await with_codes(pool, keys)
    return Market(client, keys, pool, resources, WholeClock(monkeypatch))
