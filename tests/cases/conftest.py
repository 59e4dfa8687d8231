"""A clock that tests move, and a case that has just been opened by it."""

import httpx2
import pytest

from service.kit.db import Pool
from service.resources import Resources
from tests.cases.helpers import Clock, Desk, opened
from tests.conftest import Keys


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of cases."""
    return Clock(monkeypatch)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, moment: Clock) -> Desk:
    """A case between the enterprise and the provider, opened by the broker."""
    return await opened(client, keys, resources, pool)
