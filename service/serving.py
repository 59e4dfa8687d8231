"""Run the API and the worker as processes that end in good order."""

import asyncio
import contextlib
import signal

import uvicorn

from service import worker
from service.app import create_app
from service.resources import Resources, open_resources
from service.settings import Settings

GRACE_SECONDS = 20


async def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; requests and jobs under way are finished first."""
    async with open_resources(settings) as resources:
        await serve_with(settings, resources)


async def serve_with(settings: Settings, resources: Resources) -> None:
    """Serve over resources that are open already."""

    @contextlib.asynccontextmanager
    async def already_open(_: Settings):  # type: ignore[no-untyped-def]
        yield resources

    config = uvicorn.Config(
        create_app(settings, already_open),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    stop = asyncio.Event()
    working = (
        asyncio.create_task(worker.run(resources, concurrency=settings.worker_concurrency, stop=stop))
        if settings.worker
        else None
    )
    try:
        await server.serve()
    finally:
        stop.set()
        if working is not None:
            await working


async def work(settings: Settings) -> None:
    """Run the worker alone until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with open_resources(settings) as resources:
        await worker.run(resources, concurrency=settings.worker_concurrency, stop=stop)
