"""The encoding thread: order, bounds, errors and the end."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from matching.embedding.engine import EncodingEngine, EngineBusyError, EngineClosedError
from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import Encoded, EncoderError, Role, SilentTextError


class Gated(FakeEncoder):
    """Waits at a gate, and remembers in which order texts came."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.seen: list[str] = []

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        self.gate.wait(10)
        self.seen.extend(passages[0] for passages in texts)
        if any("坏" in passages[0] for passages in texts):
            raise RuntimeError("bad text")
        if any("默" in passages[0] for passages in texts):
            raise SilentTextError("no token")
        return super().encode(texts, role)


def engine_of(encoder: FakeEncoder, **options: int) -> EncodingEngine:
    load: Callable[[], FakeEncoder] = lambda: encoder  # noqa: E731
    return EncodingEngine(load, **options)


async def test_urgent_texts_go_first_and_closing_finishes_what_waits() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    first = asyncio.create_task(engine.encode(["首个"], "document"))
    await asyncio.sleep(0.2)
    rest = [asyncio.create_task(engine.encode([f"其余{n}"], "document")) for n in range(3)]
    urgent = asyncio.create_task(engine.encode(["急件"], "query", urgent=True))
    await asyncio.sleep(0.1)
    closing = asyncio.create_task(engine.close())
    encoder.gate.set()
    await asyncio.gather(first, urgent, closing, *rest)
    assert encoder.seen == ["首个", "急件", "其余0", "其余1", "其余2"]
    with pytest.raises(EngineClosedError):
        await engine.encode(["迟到"], "query")


async def test_a_text_that_says_nothing_fails_alone() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    first = asyncio.create_task(engine.encode(["首个"], "document"))
    await asyncio.sleep(0.1)
    texts = ("其余0", "默", "其余1")
    batch = [asyncio.create_task(engine.encode([text], "document")) for text in texts]
    await asyncio.sleep(0.1)
    encoder.gate.set()
    await first
    found = await asyncio.gather(*batch, return_exceptions=True)
    assert [isinstance(each, Encoded) for each in found] == [True, False, True]
    assert isinstance(found[1], SilentTextError)
    await engine.close()


async def test_a_full_queue_says_so_at_once() -> None:
    encoder = Gated()
    engine = engine_of(encoder, most_waiting=2)
    waiting = [asyncio.create_task(engine.encode([f"{n}号"], "document")) for n in range(2)]
    await asyncio.sleep(0.1)
    with pytest.raises(EngineBusyError):
        await engine.encode(["多余"], "document")
    encoder.gate.set()
    await asyncio.gather(*waiting)
    await engine.encode(["现在可以"], "document")
    await engine.close()


async def test_an_error_reaches_its_caller_and_the_thread_goes_on() -> None:
    encoder = Gated()
    encoder.gate.set()
    engine = engine_of(encoder)
    with pytest.raises(RuntimeError, match="bad text"):
        await engine.encode(["坏"], "document")
    assert (await engine.encode(["好"], "document")).vector.shape == (48,)
    with pytest.raises(ValueError, match="empty"):
        await engine.encode(["  "], "document")
    await engine.close()


async def test_a_caller_that_gives_up_breaks_nothing() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    first = asyncio.create_task(engine.encode(["首个"], "document"))
    await asyncio.sleep(0.1)
    gone = asyncio.create_task(engine.encode(["走开"], "query"))
    await asyncio.sleep(0.1)
    gone.cancel()
    # The cancelling reaches the queue in the loop's next round, and only then may the thread go on.
    with pytest.raises(asyncio.CancelledError):
        await gone
    encoder.gate.set()
    await first
    assert (await engine.encode(["之后"], "document")).vector.shape == (48,)
    assert "走开" not in encoder.seen
    await engine.close()


async def test_a_model_that_does_not_load_tells_every_caller() -> None:
    def fail() -> FakeEncoder:
        raise EncoderError("no such model")

    engine = EncodingEngine(fail)
    assert engine.state == "loading"
    for _ in range(2):
        with pytest.raises(EncoderError, match="no such model"):
            await engine.encode(["文字"], "query")
    assert engine.state == "failed"
    with pytest.raises(EncoderError):
        await engine.encoder()
    await engine.close()


async def test_an_engine_that_nobody_asked_loads_nothing() -> None:
    loaded: list[bool] = []

    def load() -> FakeEncoder:
        loaded.append(True)
        return FakeEncoder()

    await EncodingEngine(load).close()
    assert loaded == []
