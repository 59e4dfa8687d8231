"""API and worker killed again and again under many chains at once: what was acknowledged is there, and nothing is there twice.

20 chains; with FULL=1 in the environment 200. Clients do what clients should: they send an Idempotency-Key, and after a
broken connection the same request again.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest

from service.audit.verification import snapshot, verify
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from service.kit.idempotency import REPLAYED
from service.settings import Settings
from service.webhooks.signing import new_secret
from service.webhooks.vault import open_vault
from tests.chain.walking import AGREED, YES
from tests.conftest import Keys, Record
from tests.contracts.helpers import TERMS, with_codes
from tests.system.test_kill_telling import END_LEASES, Endpoint

CHAINS = 200 if os.environ.get("FULL") == "1" else 20
AT_ONCE, KILLS = 10, 4
DEADLINE_SECONDS = 1200
LISTING = """
insert into listing (kind, organization_id, state, title, field, region, published_at)
values ($1, $2, 'published', $3, 'goji', $4, now()) returning id
"""
# As if the worker had been through with them: it has enough to do with telling.
MATCHED = "insert into listing_matching (listing_id, indexed_version, ranked_at) select id, version, now() from listing"
PAIR = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
values ($1, $2, 0.5, 0.5, 'fair', '{"signals": [], "indicators": []}', 'test') returning id
"""
TYPES = ["recommendation.accept", "recommendation.consent", "case.consult", "contract.sign"]
CASE = "select id from docking_case where recommendation_id = $1"
UNTOLD = """
select (select count(*) from outbox) + (select count(*) from webhook_delivery where state = 'pending')
"""
STEPS = """
select subject_kind || '/' || action as step, count(*) as times, count(distinct subject_id) as subjects from event
where subject_kind in ('case', 'contract') or (subject_kind = 'recommendation' and action = 'accept')
group by subject_kind, action
"""


@dataclass
class Server:
    """API and worker as processes, started anew whenever they are killed."""

    environment: dict[str, str]
    port: int
    processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    async def start(self) -> None:
        """Both."""
        for command in (("serve", "--no-worker", "--port", str(self.port)), ("worker",)):
            made = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "service.cli", *command, env=self.environment
            )
            self.processes.append(made)

    async def end(self, how: signal.Signals) -> None:
        """Both, by a signal."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                process.send_signal(how)
        for process in self.processes:
            await process.wait()
        self.processes.clear()


@dataclass
class Clients:
    """Everybody's clients: what they were answered, and how often they had to ask again."""

    client: httpx2.AsyncClient
    keys: Keys
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    repeated: int = 0
    replayed: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def ask(self, chain: int, role: str, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Ask until there is an answer: the same request under the same key."""
        step = f"{chain}/{role}/{path.rpartition('/')[2]}"
        headers = self.keys.headers(role) | ({"If-Match": "*"} if method == "PUT" else {"Idempotency-Key": step})
        if path.endswith("/confirm"):
            headers["If-Match"] = "*"
        while True:
            try:
                answer = await self.client.request(method, path, json=body, headers=headers)
            except httpx2.TransportError:
                self.repeated += 1
                await asyncio.sleep(0.2)
                continue
            # The first request of the key may still be under way in a process that is gone.
            if answer.status_code < 500 and answer.json().get("code") != "idempotency_key_under_way":
                break
            self.repeated += 1
            await asyncio.sleep(0.2)
        assert answer.status_code in (200, 201), (step, answer.text)
        self.replayed += REPLAYED in answer.headers
        async with self.news:
            self.acknowledged[step] = answer.json()
            self.news.notify_all()
        return dict(answer.json())

    async def have(self, count: int) -> None:
        """Wait until so many requests were acknowledged."""
        async with self.news:
            await self.news.wait_for(lambda: len(self.acknowledged) >= count)


async def chain(clients: Clients, pool: Pool, number: int, pair: UUID) -> None:
    """From the acceptance of a pair to the signature of its contract."""
    await clients.ask(number, "broker", "POST", f"/v1/recommendations/{pair}/decisions", {"action": "accept"})
    case = await pool.fetchval(CASE, pair)
    assert case is not None, "an acceptance was acknowledged and its case is not there"
    at = f"/v1/cases/{case}"
    for role in ("enterprise", "provider"):
        await clients.ask(number, role, "POST", f"{at}/answer", YES)
    await clients.ask(number, "broker", "POST", f"{at}/consult")
    await clients.ask(number, "enterprise", "PUT", f"{at}/terms", AGREED)
    drafted = await clients.ask(number, "enterprise", "POST", "/v1/contracts", TERMS | {"case_id": str(case)})
    contract = f"/v1/contracts/{drafted['id']}"
    await clients.ask(number, "provider", "POST", f"{contract}/confirm")
    await clients.ask(number, "enterprise", "POST", f"{contract}/sign", {"signed_on": "2026-01-15"})


async def listed(owner: asyncpg.Connection, keys: Keys) -> list[UUID]:
    """Pairs that wait for review, each of a need and an outcome of its own."""
    pairs = []
    for number in range(CHAINS):
        need, outcome = [
            await owner.fetchval(LISTING, kind, keys.members[role].organization_id, f"演示 {kind} {number}", region)
            for kind, role, region in (("need", "enterprise", "640500"), ("outcome", "provider", "350100"))
        ]
        pairs.append(await owner.fetchval(PAIR, need, outcome))
    await owner.execute(MATCHED)
    await owner.fetchval("select settle_review(10000)")
    return pairs


async def hook(owner: asyncpg.Connection, keys: Keys, home: Path, url: str) -> None:
    """An endpoint of the enterprise."""
    identifier = await owner.fetchval("select uuidv7()")
    sealed = open_vault(Settings(home=home, model="fake")).seal(new_secret(), identifier)
    await owner.execute(
        "insert into webhook (id, organization_id, url, types, secret) values ($1, $2, $3, $4, $5)",
        identifier, keys.enterprise.organization_id, url, TYPES, sealed,
    )  # fmt: skip


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_kills_under_many_chains_lose_and_double_nothing(
    pool: Pool, keys: Keys, app_url: str, owner_url: str, tmp_path: Path, record_property: Record
) -> None:
    endpoint = Endpoint()
    receiver = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    owner = await asyncpg.connect(owner_url)
    await with_codes(pool, keys)
    pairs = await listed(owner, keys)
    await hook(owner, keys, tmp_path, f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/hooks")
    environment = os.environ | {
        "DUIJIE_HOME": str(tmp_path),
        "DUIJIE_DATABASE_URL": app_url,
        "DUIJIE_OWNER_DATABASE_URL": owner_url,
        "DUIJIE_MODEL": "fake",
        "DUIJIE_LOG_LEVEL": "error",
        "DUIJIE_LANGUAGE": "en",
        "DUIJIE_WEBHOOK_PRIVATE": "true",
        "DUIJIE_RATE_LIMIT": "0",
        "DUIJIE_RATE_LIMIT_ORGANIZATION": "0",
        "DUIJIE_RATE_LIMIT_ADDRESS": "0",
        "DUIJIE_RATE_LIMIT_FAILURES": "0",
    }
    server = Server(environment, free_port())
    await server.start()
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60) as client:
        clients = Clients(client, keys)
        slots = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, pair: UUID) -> None:
            async with slots:
                await chain(clients, pool, number, pair)

        whole = asyncio.gather(*(one(number, pair) for number, pair in enumerate(pairs)))
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                killed = 0
                for turn in range(KILLS):
                    # Spread over the way: each chain is acknowledged eight times.
                    enough = asyncio.create_task(clients.have(CHAINS * 8 * (turn + 1) // (KILLS + 1)))
                    await asyncio.wait((whole, enough), return_when=asyncio.FIRST_COMPLETED)
                    assert enough.done(), "the chains were through before they could be cut"
                    await server.end(signal.SIGKILL)
                    killed += 1
                    await owner.execute(END_LEASES)
                    await server.start()
                await whole
                for _ in range(DEADLINE_SECONDS):
                    if not await owner.fetchval(UNTOLD):
                        break
                    await asyncio.sleep(1)
        finally:
            whole.cancel()
            await server.end(signal.SIGTERM)
            receiver.close()
            await receiver.wait_closed()
    assert (killed, clients.repeated > 0) == (KILLS, True)
    record_property(
        "figure",
        f"{CHAINS} chains, {len(clients.acknowledged)} acknowledged steps, {killed} kills of both processes,"
        f" {clients.repeated} requests sent again, {clients.replayed} answered from the first try,"
        f" {len(endpoint.calls)} calls of {len(endpoint.effects)} webhooks",
    )
    await nothing_lost_or_doubled(pool, clients)
    await webhooks_once(owner, endpoint)
    await owner.close()
    async with snapshot(pool, SYSTEM) as connection:
        assert (await verify(connection)).holds


async def nothing_lost_or_doubled(pool: Pool, clients: Clients) -> None:
    """Every acknowledged object is there, and of every chain there is one case, one contract and two consents."""
    assert len(clients.acknowledged) == CHAINS * 8
    for table, last in (("decision", "decisions"), ("contract", "contracts")):
        told = {UUID(body["id"]) for step, body in clients.acknowledged.items() if step.endswith(last)}
        kept = {row["id"] for row in await pool.fetch(f"select id from {table}")}
        assert told == kept, table
        assert len(told) == CHAINS
    signed = [body for step, body in clients.acknowledged.items() if step.endswith("/sign")]
    assert {body["state"] for body in signed} == {"signed"}
    for statement, expected in (
        ("select count(*) from docking_case where state = 'contracted'", CHAINS),
        ("select count(*) from docking_case", CHAINS),
        ("select count(*) from contract where state = 'signed'", CHAINS),
        ("select count(distinct case_id) from contract", CHAINS),
        ("select count(*) from contract_party", CHAINS * 2),
        ("select count(*) from consent where withdrawn_at is null", CHAINS * 2),
        ("select count(distinct (recommendation_id, side)) from consent", CHAINS * 2),
        ("select count(*) from consent", CHAINS * 2),
    ):
        assert await pool.fetchval(statement) == expected, statement
    steps = {row["step"]: (row["times"], row["subjects"]) for row in await pool.fetch(STEPS)}
    # Terms are put, not posted: who was not answered puts them again.
    terms = steps.pop("case/set_terms")
    assert terms[0] >= terms[1] == CHAINS
    once = ("recommendation/accept", "case/open", "case/consult", "case/contract",
            "contract/create", "contract/confirm", "contract/sign")  # fmt: skip
    assert steps == dict.fromkeys(once, (CHAINS, CHAINS)) | {"case/consent": (CHAINS * 2, CHAINS)}


async def webhooks_once(owner: asyncpg.Connection, endpoint: Endpoint) -> None:
    """Every webhook arrived, its effect was made once by its id, and no event has two."""
    deliveries = await owner.fetch("select id::text, subject_id, type, state from webhook_delivery")
    assert {row["state"] for row in deliveries} == {"delivered"}
    assert set(endpoint.effects) == {row["id"] for row in deliveries}
    events = Counter(json.loads(body)["data"]["event_id"] for body in endpoint.effects.values())
    assert set(events.values()) == {1}
    told = Counter(row["type"] for row in deliveries)
    # Of its pairs the enterprise is told that they were accepted, that the other side consented, and what came of the case.
    assert told == dict.fromkeys(TYPES, CHAINS)
    assert all(endpoint.effects[identifier] == body for identifier, body in endpoint.calls)
