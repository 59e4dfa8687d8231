"""The processes that people start: serving, documentation without a network, and an end in good order."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from service.kit.db import Pool


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def base(
    pool: Pool, app_url: str, owner_url: str, tmp_path: Path
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    port = free_port()
    environment = os.environ | {
        "DUIJIE_HOME": str(tmp_path),
        "DUIJIE_DATABASE_URL": app_url,
        "DUIJIE_OWNER_DATABASE_URL": owner_url,
        "DUIJIE_MODEL": "fake",
        "DUIJIE_PORT": str(port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "service.cli", "serve", env=environment, stderr=asyncio.subprocess.PIPE
    )
    async with httpx2.AsyncClient() as client:
        for _ in range(300):
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    break
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    yield f"http://127.0.0.1:{port}", process
    if process.returncode is None:
        process.kill()
        await process.wait()


async def test_serving_ends_in_good_order(base: tuple[str, asyncio.subprocess.Process]) -> None:
    _, process = base
    process.send_signal(signal.SIGTERM)
    _, log = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"worker stopped" in log


async def test_the_documentation_page_needs_no_other_host(base: tuple[str, asyncio.subprocess.Process]) -> None:
    address, _ = base
    async with httpx2.AsyncClient(base_url=address) as client:
        page = (await client.get("/docs")).text
        assert "https://" not in page
        script = await client.get("/static-offline-docs/swagger-ui-bundle.js")
        assert script.status_code == 200
        assert len(script.content) > 100_000
