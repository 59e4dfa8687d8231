"""Run the API and the worker as processes that end in good order."""

import asyncio
import contextlib
import signal

import structlog
import uvicorn

from matching.embedding import Encoder
from service import worker
from service.app import create_app
from service.resources import Resources, open_resources
from service.settings import Settings

log = structlog.get_logger("duijie.serving")

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
    _stop_on_signals(stop)
    # Serving begins at once; /readyz says when the model is there too.
    loading = asyncio.create_task(resources.encoders.primary.encoder())
    loading.add_done_callback(_say_what_failed)
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


def _stop_on_signals(stop: asyncio.Event) -> None:
    """Set `stop` on SIGINT and SIGTERM.

    uvicorn puts handlers of its own over these while it serves, and raises the signal again when it is through; with
    none of ours beneath, that would end the process before the worker and the database are closed.
    """
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)


def _say_what_failed(loading: "asyncio.Task[Encoder]") -> None:
    if not loading.cancelled() and (error := loading.exception()) is not None:
        log.error("the encoder cannot be loaded", error=str(error))


async def work(settings: Settings) -> None:
    """Run the worker alone until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    _stop_on_signals(stop)
    async with open_resources(settings) as resources:
        await worker.run(resources, concurrency=settings.worker_concurrency, stop=stop)
