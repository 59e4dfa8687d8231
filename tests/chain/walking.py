"""One market under one clock: who asks what, which events each answer leaves, and what neither side is told too early."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import httpx2
import pytest

from service import telling, worker
from service.kit import clock
from service.kit.clock import MARKET_ZONE
from service.kit.db import Pool
from service.resources import Resources
from tests.conftest import Keys

SIDES = ("enterprise", "provider")
OTHER = {"enterprise": "provider", "provider": "enterprise"}
CONTACTS: dict[str, dict[str, str]] = {
    "enterprise": {
        "contact_name": "甄需求",
        "contact_phone": "0951-7310001",
        "contact_email": "zhen@need.example.com",
    },
    "provider": {
        "contact_name": "贾成果",
        "contact_phone": "0591-7310002",
        "contact_email": "jia@outcome.example.com",
    },
}
NEED: dict[str, Any] = {
    "title": "枸杞鲜果快速干燥",
    "description": "现用热风烘房干燥一批需要三十多个小时，成品发暗。求干燥时间短、能耗低的成套装备。",
    "indicators": ["单批干燥时间≤12 h", "含水率≤13%"],
    "field": "goji",
    "industry": "C",
    "region": "640500",
    "modes": ["commissioned_rd"],
    **CONTACTS["enterprise"],
}
OUTCOME: dict[str, Any] = {
    "title": "枸杞真空脉动干燥装备",
    "description": "枸杞鲜果真空脉动干燥，单批干燥时间 10 h，能耗低，成套装备已中试。",
    "field": "goji",
    "region": "350100",
    "ip_rights": [{"kind": "invention_patent", "number": "ZL202010000001.X", "title": "真空脉动干燥方法"}],
    **CONTACTS["provider"],
}
BROKER = {"name": "演示技术经理人", "fields": ["goji"], "regions": ["640000"], "capacity": 8}
YES = {"answer": "yes", "purpose": "就中试条件洽谈"}
# What a commissioned development cannot do without.
AGREED = {
    "mode": "commissioned_rd",
    "terms": {
        "task": "枸杞低温干燥样机",
        "fee": "800000",
        "delivered_on": "2099-06-30",
        "acceptance": "含水率≤13%",
        "ownership": "共有",
    },
}
# What a yes leaves: the first of two, and the second, by which the need is docking.
FIRST = ["recommendation/consent", "case/consent"]
SECOND = [*FIRST, "need/dock"]
LATEST = "select coalesce(max(id::text), '')::text from event"
SINCE = "select subject_kind, action from event where id::text > $1 order by id"


class WholeClock:
    """The clock of every room of the service. It begins with this instant, since the database stamps rows by its own."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.at = clock.now()
        given = {clock.now: lambda: self.at, clock.today: lambda: self.at.astimezone(MARKET_ZONE).date()}
        for name, module in list(sys.modules.items()):
            if name.startswith("service."):
                for word, value in list(vars(module).items()):
                    if callable(value) and getattr(value, "__module__", "") == clock.__name__ and value in given:
                        patch.setattr(module, word, given[value])

    def __call__(self) -> datetime:
        return self.at

    def go(self, to: datetime | timedelta) -> None:
        """Set the clock, or move it on."""
        self.at = self.at + to if isinstance(to, timedelta) else to

    @property
    def today(self) -> date:
        """The day where the market is."""
        return self.at.astimezone(MARKET_ZONE).date()


@dataclass
class Market:
    """A client, keys of every role, a clock; and whether the two sides know each other yet."""

    client: httpx2.AsyncClient
    keys: Keys
    pool: Pool
    resources: Resources
    clock: WholeClock
    acquainted: bool = False
    strangers: tuple[str, ...] = ("stranger", "other_provider")
    ids: dict[str, str] = field(default_factory=dict)

    def named(self, role: str) -> tuple[str, ...]:
        """What of a side is closed until both consented: whom to call, and of a need whose it is (ADR 0016)."""
        own = (f"测试演示单位 {role}", str(self.keys.members[role].organization_id)) if role == "enterprise" else ()
        return (*own, *CONTACTS[role].values())

    async def ask(
        self, role: str, method: str, path: str, json: Any = None, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx2.Response:
        """The answer to a request, in which neither side is named to the other, nor to strangers, before it may be."""
        answer = await self.client.request(
            method, f"/v1{path}", json=json, headers=self.keys.headers(role) | (headers or {}), **options
        )
        assert answer.status_code < 500, answer.text
        hidden = SIDES if role in self.strangers else (OTHER.get(role, ""),)
        if not self.acquainted or role in self.strangers:
            told = answer.text + str(answer.headers)
            for side in filter(None, hidden):
                assert not [word for word in self.named(side) if word in told], (role, method, path)
        return answer

    async def read(self, role: str, path: str) -> Any:
        """What a role is shown."""
        answer = await self.ask(role, "GET", path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()

    async def step(
        self,
        role: str,
        method: str,
        path: str,
        json: Any = None,
        *,
        leaves: Sequence[str],
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> Any:
        """A request that is taken, and leaves exactly these events (`kind/action`), in this order."""
        before = await self.pool.fetchval(LATEST)
        answer = await self.ask(role, method, path, json, headers, **options)
        assert answer.status_code in (200, 201), (path, answer.text)
        left = await self.since(before)
        assert left == list(leaves), (path, left)
        return answer.json()

    async def refused(
        self, role: str, method: str, path: str, json: Any = None, *, status: int, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """A request that is refused with this status, and leaves nothing; the problem."""
        before = await self.pool.fetchval(LATEST)
        answer = await self.ask(role, method, path, json, headers)
        assert answer.status_code == status, (role, path, answer.status_code, answer.text)
        assert await self.since(before) == [], path
        return dict(answer.json())

    async def since(self, before: str) -> list[str]:
        """The events after one, as `kind/action`."""
        return [f"{row['subject_kind']}/{row['action']}" for row in await self.pool.fetch(SINCE, before)]

    async def house(self) -> list[str]:
        """A round of the worker's housekeeping by the clock, and the events that it left; a second one leaves none."""
        before = await self.pool.fetchval(LATEST)
        await worker.keep_house(self.resources)
        left = await self.since(before)
        last = await self.pool.fetchval(LATEST)
        await worker.keep_house(self.resources)
        assert await self.since(last) == []
        return left

    async def told(self) -> None:
        """Everything that happened is told to whom it concerns."""
        await telling.all_of_it(self.resources, self.clock)

    async def awaited(self, role: str = "broker") -> set[tuple[str, str]]:
        """Who is awaited in the case, for what."""
        case = await self.read(role, f"/cases/{self.ids['case']}")
        return {(each["party"], each["what"]) for each in case["awaiting"]}

    async def look_around(self) -> None:
        """Both sides, and strangers, look wherever something of the other side could show; `ask` checks what they read."""
        for role in (*SIDES, "stranger", "other_provider"):
            await self.told()
            for path in (
                "/needs", "/outcomes", "/cases", "/contracts", "/notifications", "/declines",
                *(f"/needs/{self.ids['need']}{what}" for what in ("", "/matches", "/revisions") if "need" in self.ids),
                *(f"/outcomes/{self.ids['outcome']}{what}" for what in ("", "/matches") if "outcome" in self.ids),
                *(f"/recommendations/{self.ids['pair']}{what}" for what in ("", "/consent") if "pair" in self.ids),
                *(f"/cases/{self.ids['case']}{what}" for what in ("", "/messages", "/follow-ups") if "case" in self.ids),
                *(f"/refinements/{self.ids['need']}" for _ in "1" if "need" in self.ids),
            ):  # fmt: skip
                await self.ask(role, "GET", path)

    async def etag(self, role: str, path: str) -> dict[str, str]:
        """If-Match with the version that stands."""
        return {"If-Match": (await self.ask(role, "GET", path)).headers["ETag"]}

    async def holds(self) -> None:
        """The audit chain verifies, as an authority is told."""
        verdict = await self.read("authority", "/audit/verification")
        assert verdict["holds"], verdict
        assert verdict["last"] >= 1


async def published(market: Market) -> None:
    """Need and outcome on the market on the shortest way, and their pair ranked."""
    for kind, role, content, actions in (
        ("need", "enterprise", NEED, ("submit", "publish")),
        ("outcome", "provider", OUTCOME, ("submit", "verify", "publish")),
    ):
        made = await market.step(role, "POST", f"/{kind}s", content, leaves=[f"{kind}/create"])
        market.ids[kind] = made["id"]
        for action in actions:
            who = role if action == "submit" else "operator"
            await market.step(who, "POST", f"/{kind}s/{made['id']}/{action}", leaves=[f"{kind}/{action}"])
    await ranked(market)


async def ranked(market: Market) -> None:
    """The worker is through, and a broker finds the pair of the need."""
    await worker.drain(market.resources, concurrency=2)
    (found,) = (await market.read("broker", f"/needs/{market.ids['need']}/matches"))["items"]
    market.ids["pair"] = found["id"]


async def accepted(market: Market) -> None:
    """A broker leases the pair and accepts it, in two calls; the case that it opens."""
    leased = await market.step("broker", "POST", "/review/leases", {"limit": 1}, leaves=[])
    assert [item["recommendation"]["id"] for item in leased["items"]] == [market.ids["pair"]]
    decision = {"recommendation_id": market.ids["pair"], "action": "accept"}
    await market.step(
        "broker",
        "POST",
        "/review/decisions",
        {"decisions": [decision]},
        leaves=["recommendation/accept", "case/open"],
    )
    found = (await market.read("broker", "/cases"))["items"]
    market.ids["case"] = next(each["id"] for each in found if each["state"] == "invited")


async def agreed(market: Market) -> None:
    """Both sides say yes."""
    for role in SIDES:
        path = f"/cases/{market.ids['case']}/answer"
        market.acquainted = role == "provider"
        await market.step(role, "POST", path, YES, leaves=SECOND if market.acquainted else FIRST)
