"""A pair that a broker accepts, a clock that tests move, and short ways to ask."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from service.cases import service as cases
from service.kit import clock
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.resources import Resources
from service.settings import get_settings
from tests.access.test_confidential import made
from tests.conftest import Keys

NEED = {
    "title": "枸杞鲜果快速干燥",
    "description": "求干燥时间短的装备。",
    "region": "640500",
    "contact_name": "演示甲",
    "contact_phone": "0951-0000001",
}
OUTCOME = {
    "title": "枸杞真空脉动干燥装备",
    "description": "干燥时间 10 h。",
    "region": "350100",
    "contact_name": "演示乙",
    "contact_email": "yi@example.com",
}
YES = {"answer": "yes", "purpose": "就中试条件洽谈"}
# A Wednesday with nothing but working days before 国庆: the 28th to the 30th, then the 8th of October.
BEGIN = datetime(2026, 9, 23, 2, 0, tzinfo=UTC)


class Clock:
    """The clock of the room of cases, as a test sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: datetime = BEGIN) -> None:
        self.at = at
        monkeypatch.setattr(clock, "now", lambda: self.at)

    def go(self, to: datetime | timedelta) -> None:
        """Set the clock, or move it on."""
        self.at = self.at + to if isinstance(to, timedelta) else to


@dataclass(frozen=True, slots=True)
class Desk:
    """What a test asks with: a client, keys, the pool, and a case."""

    client: httpx2.AsyncClient
    keys: Keys
    pool: Pool
    case_id: str
    recommendation: str
    need: str
    outcome: str

    async def ask(self, role: str, method: str, what: str = "", json: Any = None, **options: Any) -> httpx2.Response:
        """A request about the case by a role."""
        headers = self.keys.headers(role) | options.pop("headers", {})
        return await self.client.request(
            method, f"/v1/cases/{self.case_id}{what}", json=json, headers=headers, **options
        )

    async def take(self, role: str, what: str, json: Any = None, status: int = 200) -> dict[str, Any]:
        """A step that must have this status; the body."""
        answer = await self.ask(role, "POST", what, json)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    async def read(self, role: str = "broker") -> dict[str, Any]:
        """The case as a role is shown it."""
        answer = await self.ask(role, "GET")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def awaited(self, role: str = "broker") -> set[tuple[str, str]]:
        """Who is awaited for what."""
        return {(each["party"], each["what"]) for each in (await self.read(role))["awaiting"]}

    async def tick(self, at: datetime) -> None:
        """Housekeeping at a moment, twice: the second time changes nothing."""
        async with transaction(self.pool, SYSTEM) as connection:
            await cases.keep_clock(connection, at, get_settings())
            assert await cases.keep_clock(connection, at, get_settings()) == 0

    async def events(self) -> list[tuple[str, str | None, str | None]]:
        """Actions on the case with the states before and after, oldest first."""
        rows = await self.pool.fetch(
            "select action, from_state, to_state from event where subject_kind = 'case' and subject_id = $1 order by id",
            UUID(self.case_id),
        )
        return [tuple(row) for row in rows]

    async def actions(self) -> list[str]:
        """The actions on the case, oldest first."""
        return [action for action, _, _ in await self.events()]

    async def agree(self) -> None:
        """Both sides say yes."""
        for role in ("enterprise", "provider"):
            await self.take(role, "/answer", YES)


def with_settings(client: httpx2.AsyncClient, resources: Resources, **changes: Any) -> Resources:
    """The application behind a client with other settings than those of the process."""
    own = replace(resources, settings=resources.settings.model_copy(update=changes))
    client._transport.app.state.resources = own  # type: ignore[attr-defined]
    return own


async def accept(client: httpx2.AsyncClient, keys: Keys, pair: str) -> None:
    """The broker accepts a pair."""
    path = f"/v1/recommendations/{pair}/decisions"
    answer = await client.post(path, json={"action": "accept"}, headers=keys.headers("broker"))
    assert answer.status_code == 201, answer.text


async def opened(client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool) -> Desk:
    """A case that has just been opened."""
    world = await made(client, keys, resources, NEED, OUTCOME)
    await accept(client, keys, world.pair)
    (case,) = (await client.get("/v1/cases", headers=keys.headers("broker"))).json()["items"]
    return Desk(client, keys, pool, case["id"], world.pair, world.need, world.outcome)
