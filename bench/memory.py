"""Resident memory of the API and of the worker as processes of their own, after they have done some work."""

import asyncio
import os
import sys
from pathlib import Path

import httpx2
import psutil

from bench.figures import Figure
from bench.generated import database
from service import embedded

PORT = 8973
MEGABYTE = 1024 * 1024


async def measure(home: Path) -> list[Figure]:
    """Megabytes of each process with the real model loaded, the worker after embedding the demo's first listings."""
    folder = home / "memory"
    server = await database(folder)
    url = server.url(embedded.APPLICATION)
    environment = os.environ | {
        "DUIJIE_HOME": str(folder),
        "DUIJIE_DATABASE_URL": url,
        "DUIJIE_OWNER_DATABASE_URL": server.url(embedded.OWNER),
        "DUIJIE_PORT": str(PORT),
        "DUIJIE_LOG_LEVEL": "error",
    }
    api = await _start(environment, "serve", "--no-worker")
    worker = await _start(environment, "worker")
    try:
        await _import_demo(environment)
        await _until_ready()
        figures = [("api", api), ("worker", worker)]
        own = psutil.Process().memory_info().rss / MEGABYTE
        return [Figure(f"{name}, resident", _resident(process), "MB", "this process", own) for name, process in figures]
    finally:
        for process in (api, worker):
            process.terminate()
            await process.wait()


async def _start(environment: dict[str, str], *command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "service.cli", *command, env=environment)


async def _import_demo(environment: dict[str, str]) -> None:
    from service.demo import FOLDER

    for kind in ("organizations", "outcomes"):
        file = str(sorted(FOLDER.glob(f"{kind}-a.jsonl"))[0])
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "service.cli",
            "import",
            file,
            "--kind",
            kind,
            env=environment,
            stdout=asyncio.subprocess.DEVNULL,
        )
        await process.wait()


async def _until_ready() -> None:
    """Until the encoder is loaded and no job waits."""
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{PORT}") as client:
        for _ in range(300):
            try:
                answer = await client.get("/readyz")
                if answer.status_code == 200 and answer.json()["jobs_waiting"] == 0:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(1)
    raise TimeoutError("the service did not become ready within five minutes")


def _resident(process: asyncio.subprocess.Process) -> float:
    return psutil.Process(process.pid).memory_info().rss / MEGABYTE
