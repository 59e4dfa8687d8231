"""Published needs and outcomes with pairs of given probabilities, written past the ranking, so that a queue can be recomputed."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import asyncpg
import httpx2

from service.kit.db import prepare_connection
from tests.conftest import Keys

LISTING = """
insert into listing (kind, organization_id, state, title, field, region, published_at)
values ($1, $2, 'published', $3, $4, $5, now()) returning id
"""
PAIR = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
values ($1, $2, $3, $3, 'fair', $4, 'test') returning id
"""
EMPTY = {"signals": [], "indicators": [], "score": 0.5, "level": "fair", "conflicts": []}


@dataclass
class World:
    """The owner's connection and what was made, by name: needs, outcomes, and pairs as `need/outcome`."""

    owner: asyncpg.Connection
    client: httpx2.AsyncClient
    keys: Keys
    needs: dict[str, UUID] = field(default_factory=dict)
    outcomes: dict[str, UUID] = field(default_factory=dict)
    pairs: dict[str, UUID] = field(default_factory=dict)

    async def need(self, name: str, work_field: str | None = "goji", region: str | None = "640000") -> UUID:
        """A published need of the enterprise."""
        owner = self.keys.enterprise.organization_id
        self.needs[name] = await self.owner.fetchval(LISTING, "need", owner, f"需求 {name}", work_field, region)
        return self.needs[name]

    async def outcome(self, name: str, region: str | None = "620000", role: str = "provider") -> UUID:
        """A published outcome of a provider."""
        owner = self.keys.members[role].organization_id
        self.outcomes[name] = await self.owner.fetchval(LISTING, "outcome", owner, f"成果 {name}", "goji", region)
        return self.outcomes[name]

    async def pair(self, need: str, outcome: str, probability: float) -> UUID:
        """A proposed pair."""
        made: UUID = await self.owner.fetchval(PAIR, self.needs[need], self.outcomes[outcome], probability, EMPTY)
        self.pairs[f"{need}/{outcome}"] = made
        return made

    async def fill(self, needs: dict[str, dict[str, float]]) -> None:
        """Needs, outcomes and pairs by name, and the places of the pairs counted."""
        for name, of_need in needs.items():
            if name not in self.needs:
                await self.need(name)
            for outcome, probability in of_need.items():
                if outcome not in self.outcomes:
                    await self.outcome(outcome)
                await self.pair(name, outcome, probability)
        await self.settle()

    async def settle(self) -> None:
        """Count the places anew, as the end of each change does."""
        await self.owner.fetchval("select settle_review(1000)")

    def name_of(self, identifier: str | UUID) -> str:
        """The name of a pair."""
        return next(name for name, pair in self.pairs.items() if pair == UUID(str(identifier)))

    async def ask(
        self, role: str, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        """A request in a role."""
        return await self.client.request(method, path, json=body, headers=self.keys.headers(role) | (headers or {}))

    async def queue(self, role: str = "broker", query: str = "") -> list[tuple[str, float]]:
        """The queue of a role, a page long: names with gains."""
        answer = await self.ask(role, "GET", f"/v1/review{query}")
        assert answer.status_code == 200, answer.text
        return [(self.name_of(item["recommendation"]["id"]), item["gain"]) for item in answer.json()["items"]]

    async def names(self, role: str = "broker", query: str = "") -> list[str]:
        """As `queue`, without gains."""
        return [name for name, _ in await self.queue(role, query)]

    async def decide(self, role: str, pair: str, **body: Any) -> httpx2.Response:
        """A decision on a pair by its name."""
        path = f"/v1/recommendations/{self.pairs[pair]}/decisions"
        return await self.ask(role, "POST", path, body or {"action": "accept"})

    async def lease(self, role: str = "broker", **body: Any) -> list[str]:
        """Names of pairs that a role leases."""
        answer = await self.ask(role, "POST", "/v1/review/leases", body)
        assert answer.status_code == 201, answer.text
        return [self.name_of(item["recommendation"]["id"]) for item in answer.json()["items"]]

    async def undo(self, role: str, pair: str) -> httpx2.Response:
        """Undo what was decided on a pair."""
        return await self.ask(role, "POST", f"/v1/recommendations/{self.pairs[pair]}/decisions/undo")


async def open_world(owner_url: str, client: httpx2.AsyncClient, keys: Keys) -> World:
    """An empty world; its connection is closed by whoever opened it."""
    owner = await asyncpg.connect(owner_url)
    await prepare_connection(owner)
    return World(owner, client, keys)
