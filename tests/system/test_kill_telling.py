"""Workers killed in the middle of telling: every event is told once, and every webhook arrives, by its id, once."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service.kit.db import Pool
from service.settings import Settings
from service.webhooks.signing import new_secret
from service.webhooks.vault import open_vault
from tests.conftest import Keys

DEADLINE_SECONDS = 120
NEEDS = 400
FILL = """
insert into listing (kind, organization_id, state, title)
select 'need', $1, 'expired', '需求 ' || n from generate_series(1, $2::integer) as n
"""
EXPIRE = (
    "insert into event (subject_kind, subject_id, action, to_state) select 'need', id, 'expire', 'expired' from listing"
)
# A lease outlives the one who held it; here its end is brought forward instead of being waited for.
END_LEASES = "update webhook_delivery set leased_until = now() where leased_until > now()"


class Endpoint:
    """An endpoint that keeps the id and body of every call; an effect is what a receiver makes of an id it does not know."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, bytes]] = []
        self.effects: dict[str, bytes] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One call, one answer. Some calls are heard and not answered, as when a line breaks."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            body = await reader.readexactly(int(fields["content-length"]))
            self.calls.append((fields["webhook-id"], body))
            self.effects.setdefault(fields["webhook-id"], body)
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "service.cli", "worker", env=environment)


async def until(reached: Any) -> None:
    for _ in range(DEADLINE_SECONDS * 20):
        if await reached():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"not reached in {DEADLINE_SECONDS} s")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_kills_in_the_middle_lose_and_double_nothing(
    pool: Pool, keys: Keys, app_url: str, owner_url: str, tmp_path: Path
) -> None:
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    own = keys.enterprise.organization_id
    owner = await asyncpg.connect(owner_url)
    hook = await owner.fetchval("select uuidv7()")
    sealed = open_vault(Settings(home=tmp_path, model="fake")).seal(new_secret(), hook)
    await owner.execute(
        "insert into webhook (id, organization_id, url, types, secret) values ($1, $2, $3, '{need.expire}', $4)",
        hook, own, url, sealed,
    )  # fmt: skip
    await owner.execute(FILL, own, NEEDS)
    await owner.execute(EXPIRE)
    environment = os.environ | {
        "DUIJIE_HOME": str(tmp_path),
        "DUIJIE_DATABASE_URL": app_url,
        "DUIJIE_OWNER_DATABASE_URL": owner_url,
        "DUIJIE_MODEL": "fake",
        "DUIJIE_LOG_LEVEL": "error",
        "DUIJIE_WEBHOOK_PRIVATE": "true",
    }

    async def told_some() -> bool:
        return int(await pool.fetchval("select count(*) from notification where action = 'expire'")) >= 1

    async def called_some() -> bool:
        return len(endpoint.effects) >= NEEDS // 4

    async def all_settled() -> bool:
        open_ones = (
            "select (select count(*) from outbox) + (select count(*) from webhook_delivery where state = 'pending')"
        )
        return int(await owner.fetchval(open_ones)) == 0

    try:
        for reached in (told_some, called_some):
            workers = [await start(environment) for _ in range(2)]
            await until(reached)
            for worker in workers:
                worker.send_signal(signal.SIGKILL)
                await worker.wait()
            assert not await all_settled(), "the workers were through before they could be killed"
            await owner.execute(END_LEASES)
        last = await start(environment)
        try:
            await until(all_settled)
        finally:
            last.terminate()
            await last.wait()
    finally:
        server.close()
        await server.wait_closed()
    notices = await pool.fetch(
        "select subject_id, count(*) as times from notification where action = 'expire' group by 1"
    )
    assert len(notices) == NEEDS
    assert {row["times"] for row in notices} == {1}
    deliveries = {
        str(row["id"]): row["subject_id"] for row in await owner.fetch("select id, subject_id from webhook_delivery")
    }
    await owner.close()
    assert set(endpoint.effects) == set(deliveries)
    assert len(set(deliveries.values())) == NEEDS
    bodies = Counter(json.loads(body)["data"]["event_id"] for body in endpoint.effects.values())
    assert set(bodies.values()) == {1}
    # Whatever was called twice was called with the same body.
    assert all(endpoint.effects[identifier] == body for identifier, body in endpoint.calls)
