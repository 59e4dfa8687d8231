"""A worker killed in the middle of a backlog: after a restart every published listing is indexed and ranked, once."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from service.exchange.runs import import_path
from service.kit.actor import SYSTEM
from service.kit.db import Pool
from service.settings import SEEDS

DEADLINE_SECONDS = 120

INDEXED = "select count(*) from match_vector"
PENDING = """
select count(*) from listing left join listing_matching on listing_id = listing.id
where state = 'published' and (ranked_at is null or ranked_at < indexed_at)
"""


async def start(environment: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "service.cli", "worker", env=environment)


async def until(pool: Pool, statement: str, reached: Any) -> int:
    for _ in range(DEADLINE_SECONDS * 20):
        value: int = await pool.fetchval(statement)
        if reached(value):
            return value
        await asyncio.sleep(0.05)
    raise AssertionError(f"still {value} after {DEADLINE_SECONDS} s: {statement}")


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
async def test_kill_in_the_middle_of_a_backlog_loses_and_doubles_nothing(
    pool: Pool, app_url: str, owner_url: str, tmp_path: Path
) -> None:
    for kind in ("organizations", "outcomes", "needs"):
        report = await import_path(pool, SYSTEM, SEEDS / "demo" / f"{kind}-a.jsonl", kind)  # type: ignore[arg-type]
        assert report.refused == 0
    environment = os.environ | {
        "DUIJIE_HOME": str(tmp_path),
        "DUIJIE_DATABASE_URL": app_url,
        "DUIJIE_OWNER_DATABASE_URL": owner_url,
        "DUIJIE_MODEL": "fake",
        "DUIJIE_WORKER_HEARTBEAT_SECONDS": "2",
        "DUIJIE_LOG_LEVEL": "error",
    }
    published = await pool.fetchval("select count(*) from listing where state = 'published'")
    worker = await start(environment)
    reached = await until(pool, INDEXED, lambda count: count >= 10)
    worker.send_signal(signal.SIGKILL)
    await worker.wait()
    assert reached < published, "the worker was through before it could be killed"
    again = await start(environment)
    try:
        await until(pool, PENDING, lambda count: count == 0)
    finally:
        again.terminate()
        await again.wait()
    assert again.returncode == 0
    assert await pool.fetchval(INDEXED) == published
    doubled = (
        "select count(*) from (select 1 from recommendation group by need_id, outcome_id having count(*) > 1) as twice"
    )
    assert await pool.fetchval(doubled) == 0
    without = """
        select count(*) from listing where state = 'published'
        and not exists (select from recommendation where need_id = listing.id or outcome_id = listing.id)
    """
    assert await pool.fetchval(without) == 0
    assert await pool.fetchval("select outcomes + needs from match_lexicon") == published
