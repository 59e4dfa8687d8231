"""One thread that owns the encoder, and the asynchronous way to it.

Encoding keeps a processor busy for tens of milliseconds a text and fast tokenizers may not be shared between threads:
so one thread encodes, the event loop waits without blocking, and a bounded queue says no before memory runs out.
"""

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from matching.embedding.protocol import Encoded, Encoder, Role, SilentTextError, check_texts

State = Literal["loading", "ready", "failed"]
MOST_WAITING = 512
MICRO_BATCH = 8


class EngineBusyError(RuntimeError):
    """More texts wait than the queue takes; try again later."""


class EngineClosedError(RuntimeError):
    """The engine has been closed."""


@dataclass(order=True, slots=True)
class _Job:
    priority: int
    number: int
    passages: Sequence[str] = field(compare=False)
    role: Role = field(compare=False)
    done: "Future[Encoded]" = field(compare=False)


class EncodingEngine:
    """Encodes in a thread of its own. The model is loaded there too, by `load`, when it is first asked for."""

    def __init__(self, load: Callable[[], Encoder], *, most_waiting: int = MOST_WAITING) -> None:
        self._load = load
        # The stop mark sorts after everything that waits, so that closing finishes what was asked for.
        self._queue: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._room = threading.Semaphore(most_waiting)
        self._numbers = itertools.count()
        self._loaded: Future[Encoder] = Future()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="encoder", daemon=True)
        self._started = False

    @property
    def state(self) -> State:
        """Whether the model is there."""
        if not self._loaded.done():
            return "loading"
        return "failed" if self._loaded.exception() else "ready"

    async def encoder(self) -> Encoder:
        """The encoder when it is loaded, for its identity; texts go through `encode`.

        Raises:
            EncoderError: what loading it raised.
        """
        self._start()
        return await asyncio.shield(asyncio.wrap_future(self._loaded))

    async def encode(self, passages: Sequence[str], role: Role, *, urgent: bool = False) -> Encoded:
        """The vectors of one text; urgent ones, for which somebody waits, go before the others.

        Raises:
            SilentTextError: the text says nothing to the model. EngineBusyError: too many wait. EngineClosedError: the engine is closing.
            EncoderError: the model could not be loaded.
        """
        check_texts([passages])
        if self._closing:
            raise EngineClosedError("the encoder is shutting down")
        if not self._room.acquire(blocking=False):
            raise EngineBusyError("too many texts wait to be encoded")
        job = _Job(0 if urgent else 1, next(self._numbers), tuple(passages), role, Future())
        job.done.add_done_callback(lambda _: self._room.release())
        self._start()
        self._queue.put(job)
        return await asyncio.wrap_future(job.done)

    def _start(self) -> None:
        # Called from the event loop only, so that two callers cannot both find it not started.
        if not self._started:
            self._started = True
            self._thread.start()

    async def close(self) -> None:
        """Finish what waits, then end the thread."""
        if not self._closing:
            self._closing = True
            self._queue.put(_Job(2, next(self._numbers), (), "query", Future()))
        if self._started:
            await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        try:
            encoder = self._load()
        except BaseException as error:
            self._loaded.set_exception(error)
            self._refuse_everything(error)
            return
        self._loaded.set_result(encoder)
        while True:
            batch = self._next_batch()
            if not batch:
                return
            self._encode(encoder, batch)

    def _next_batch(self) -> list[_Job]:
        """What waits now, of one role and priority, up to a micro-batch: fewer hand-overs between threads."""
        first = self._queue.get()
        if first.priority == 2:
            return []
        batch = [first]
        while len(batch) < MICRO_BATCH:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            if job.priority != first.priority or job.role != first.role:
                self._queue.put(job)
                break
            batch.append(job)
        return batch

    def _encode(self, encoder: Encoder, batch: list[_Job]) -> None:
        wanted = [job for job in batch if job.done.set_running_or_notify_cancel()]
        try:
            found = encoder.encode([job.passages for job in wanted], batch[0].role)
        except SilentTextError:
            # One text of which the model knows no token must not take the others with it.
            for job in wanted:
                self._encode_alone(encoder, job)
            return
        except BaseException as error:
            for job in wanted:
                job.done.set_exception(error)
            return
        for job, encoded in zip(wanted, found, strict=True):
            job.done.set_result(encoded)

    def _encode_alone(self, encoder: Encoder, job: _Job) -> None:
        try:
            (encoded,) = encoder.encode([job.passages], job.role)
        except BaseException as error:
            job.done.set_exception(error)
        else:
            job.done.set_result(encoded)

    def _refuse_everything(self, error: BaseException) -> None:
        while True:
            job = self._queue.get()
            if job.priority == 2:
                return
            if job.done.set_running_or_notify_cancel():
                job.done.set_exception(error)
