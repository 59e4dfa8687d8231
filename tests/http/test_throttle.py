"""Rates: what they allow, whom they count, that they hold over processes, and what a refusal says."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import create_app
from service.kit.clock import now
from service.kit.db import Pool
from service.kit.limits import SharedBuckets, open_buckets, sweep
from service.kit.rates import LocalBuckets, Rate, parse_rate
from service.kit.throttle import COSTS, cost_of
from service.resources import DatabaseUrls, resources_over
from service.settings import Settings
from tests.conftest import Keys

MINUTE = Rate(6, 60)


@pytest.mark.parametrize(("text", "rate"), [("6/minute", MINUTE), (" 1/day ", Rate(1, 86400)), ("0", None)])
def test_rates_as_settings_write_them(text: str, rate: Rate | None) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "6", "6/week", "-1/minute", "0/minute", "6/minute/key", "1e3/hour"])
def test_what_is_no_rate_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be a rate"):
        Settings(rate_limit=text) if text else parse_rate(text)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 8)), max_size=60), st.integers(1, 10))
def test_a_bucket_never_gives_more_than_its_rate(asks: list[tuple[float, int]], quota: int) -> None:
    """In any stretch of time: at most the quota, and what came back meanwhile."""
    clock = 1000.0
    bucket = LocalBuckets("x", Rate(quota, 60), lambda: clock)
    given_at: list[tuple[float, int]] = []
    for wait, cost in asks:
        clock += wait
        told = bucket.take("a", cost)
        assert 0 <= told.remaining <= quota
        if told.refuses:
            assert 1 <= told.wait_seconds <= 61
        else:
            given_at.append((clock, min(cost, quota)))
    for begin, _ in given_at:
        for end, _ in given_at:
            taken = sum(cost for moment, cost in given_at if begin <= moment <= end)
            assert taken <= quota + (end - begin) * quota / 60 + 1e-6 or end < begin


def test_waiting_as_long_as_was_said_is_enough() -> None:
    clock = 0.0
    bucket = LocalBuckets("x", MINUTE, lambda: clock)
    assert [bucket.take("a").remaining for _ in range(6)] == [5, 4, 3, 2, 1, 0]
    refused = bucket.take("a", 2)
    assert (refused.refuses, refused.wait_seconds) == (True, 20)
    clock = 20.0
    assert not bucket.take("a", 2).refuses
    assert not bucket.take("b").refuses


def test_buckets_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalBuckets, "MOST", 10)
    bucket = LocalBuckets("x", MINUTE)
    for number in range(100):
        bucket.take(str(number))
    assert len(bucket._full_at) == 10


async def test_shared_buckets_hold_over_processes(app_url: str, pool: Pool) -> None:
    """Two sets of connections, as two processes have, ask for one key at once."""
    key, organization = uuid4(), uuid4()
    rate = Rate(20, 3600)
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(open_buckets(app_url, rate, None)) for _ in range(2)]
        told = await asyncio.gather(*(each.take(key, organization, 1) for each in both * 20 if each is not None))
    assert sum(not standings[0].refuses for standings in told) == 20
    assert len(told) == 40
    assert await sweep_all(pool) == 0


async def sweep_all(pool: Pool) -> int:
    async with pool.acquire() as connection:
        return await sweep(connection, now(), 100)


async def test_a_refused_key_uses_up_nothing_of_its_organization(app_url: str) -> None:
    organization = uuid4()
    first, second = uuid4(), uuid4()
    async with open_buckets(app_url, Rate(2, 3600), Rate(5, 3600)) as buckets:
        assert buckets is not None
        for _ in range(10):
            await buckets.take(first, organization, 1)
        told = await buckets.take(second, organization, 1)
        assert [(each.name, each.remaining, each.refuses) for each in told] == [
            ("key", 1, False),
            ("organization", 2, False),
        ]
        await buckets.take(second, organization, 1)
        third = await buckets.take(uuid4(), organization, 2)
        assert [(each.name, each.refuses) for each in third] == [("key", False), ("organization", True)]


async def test_where_it_cannot_be_counted_the_request_goes_on(app_url: str) -> None:
    class Closed:
        def acquire(self, **_: Any) -> Any:
            raise OSError

    assert await SharedBuckets(Closed(), MINUTE, MINUTE).take(uuid4(), uuid4(), 1) == []  # type: ignore[arg-type]


@asynccontextmanager
async def served(pool: Pool, app_url: str, owner_url: str, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    async with resources_over(settings, DatabaseUrls(app_url, owner_url), pool) as resources:
        app = create_app(settings)
        app.state.resources = resources
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://duijie.test") as client:
            yield client


@pytest.fixture
async def limited(pool: Pool, app_url: str, owner_url: str, settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    """Six requests an hour for a key, ten for an organization, eight for an address, three wrong keys."""
    rates = {
        "rate_limit": "6/hour",
        "rate_limit_organization": "10/hour",
        "rate_limit_address": "8/hour",
        "rate_limit_failures": "3/hour",
    }
    async with served(pool, app_url, owner_url, settings.model_copy(update=rates)) as client:
        yield client


async def test_a_key_that_asks_too_fast_is_told_when_to_come_back(limited: httpx2.AsyncClient, keys: Keys) -> None:
    answers = [await limited.get("/v1/me", headers=keys.headers("enterprise")) for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"key";q=6;w=3600, "organization";q=10;w=3600'
    assert [re.findall(r";r=(\d+)", answer.headers["RateLimit"]) for answer in answers[:3]] == [
        ["5", "9"], ["4", "8"], ["3", "7"],
    ]  # fmt: skip
    refused = answers[-1]
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "too_many_requests"
    assert 590 <= int(refused.headers["Retry-After"]) <= 600
    assert '"key";r=0' in refused.headers["RateLimit"]
    assert (await limited.get("/v1/me", headers=keys.headers("broker"))).status_code == 200


async def test_another_process_counts_the_same_bucket(
    limited: httpx2.AsyncClient, pool: Pool, app_url: str, owner_url: str, settings: Settings, keys: Keys
) -> None:
    for _ in range(4):
        await limited.get("/v1/me", headers=keys.headers("enterprise"))
    other_settings = settings.model_copy(update={"rate_limit": "6/hour"})
    async with served(pool, app_url, owner_url, other_settings) as other:
        statuses = [(await other.get("/v1/me", headers=keys.headers("enterprise"))).status_code for _ in range(3)]
    assert statuses == [200, 200, 429]


async def test_a_request_that_is_rolled_back_counts_as_well(limited: httpx2.AsyncClient, keys: Keys) -> None:
    for _ in range(6):
        assert (await limited.post("/v1/needs", json={}, headers=keys.headers("enterprise"))).status_code == 422
    assert (await limited.post("/v1/needs", json={}, headers=keys.headers("enterprise"))).status_code == 429


async def test_expensive_requests_cost_more(limited: httpx2.AsyncClient, keys: Keys) -> None:
    await limited.get("/v1/me", headers=keys.headers("broker"))
    answer = await limited.post("/v1/needs/hints", json={"title": "x"}, headers=keys.headers("broker"))
    assert answer.status_code == 200
    assert '"key";r=0' in answer.headers["RateLimit"]


def test_every_cost_is_that_of_a_route(settings: Settings) -> None:
    routes = [
        (method.upper(), re.sub(r"\{action\}", "submit", path))
        for path, item in create_app(settings).openapi()["paths"].items()
        for method in item
    ]
    for method, pattern, cost in COSTS:
        assert any(name == method and pattern.match(path) for name, path in routes), pattern
        assert cost > 1
    assert cost_of("POST", "/v1/imports/") == 20
    # A contract as long as one may be takes a core for two seconds to set.
    assert cost_of("GET", "/v1/contracts/7/registration.pdf") == 20
    assert cost_of("GET", "/v1/contracts/7/registration") == 1
    assert cost_of("GET", "/v1/needs") == 1


async def test_guessing_keys_is_slowed_down_before_the_database_is_asked(
    limited: httpx2.AsyncClient, keys: Keys
) -> None:
    assert (await limited.get("/v1/me", headers=keys.headers("enterprise"))).status_code == 200
    statuses = [
        (await limited.get("/v1/me", headers={"Authorization": f"Bearer dj_{n}"})).status_code for n in range(5)
    ]
    assert statuses == [401, 401, 401, 429, 429]
    # A key that is known to work is not held up by the guesses of its neighbours; a new one has to wait.
    assert (await limited.get("/v1/me", headers=keys.headers("enterprise"))).status_code == 200
    assert (await limited.get("/v1/me", headers=keys.headers("stranger"))).status_code == 429


async def test_nobody_in_particular_is_counted_by_address(limited: httpx2.AsyncClient) -> None:
    answers = [await limited.get("/v1/regions") for _ in range(9)]
    assert [answer.status_code for answer in answers] == [200] * 8 + [429]
    assert answers[0].headers["RateLimit-Policy"] == '"address";q=8;w=3600'
    for path in ("/healthz", "/docs", "/metrics"):
        assert (await limited.get(path)).status_code == 200


async def test_zero_limits_nothing_and_says_nothing(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    answer = await client.get("/v1/me", headers=keys.headers("enterprise"))
    assert "RateLimit" not in answer.headers
    assert await pool.fetchval("select count(*) from rate_limit") == 0
