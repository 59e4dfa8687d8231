"""The encoding thread: order, bounds, errors and the end."""

import asyncio
import threading
from collections.abc import Callable, Sequence

import pytest

from matching.embedding.engine import EncodingEngine, EngineBusyError, EngineClosedError
from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import Encoded, EncoderError, Role


class Gated(FakeEncoder):
    """Waits at a gate, and remembers in which order texts came."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.seen: list[str] = []
        self.entered = threading.Event()

    async def busy(self) -> None:
        """Until a text is at work."""
        assert await asyncio.to_thread(self.entered.wait, 10)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        self.entered.set()
        self.gate.wait(10)
        self.seen.extend(passages[0] for passages in texts)
        if any("坏" in passages[0] for passages in texts):
            raise RuntimeError("bad text")
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


async def test_a_full_queue_says_so_at_once() -> None:
    encoder = Gated()
    engine = engine_of(encoder, most_waiting=2)
    waiting = [asyncio.create_task(engine.encode(["在编"], "document"))]
    await encoder.busy()
    waiting += [asyncio.create_task(engine.encode([f"{n}号"], "document")) for n in range(2)]
    await asyncio.sleep(0)
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
    encoder.gate.set()
    await first
    assert (await engine.encode(["之后"], "document")).vector.shape == (48,)
    assert "走开" not in encoder.seen
    await engine.close()


async def test_a_bad_text_fails_alone() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    first = asyncio.create_task(engine.encode(["首个"], "document"))
    await encoder.busy()
    rest = [asyncio.create_task(engine.encode([text], "document")) for text in ("好一", "坏", "好二")]
    await asyncio.sleep(0)
    encoder.gate.set()
    await first
    found = await asyncio.gather(*rest, return_exceptions=True)
    assert [isinstance(each, Encoded) for each in found] == [True, False, True]
    assert isinstance(found[1], RuntimeError)
    await engine.close()


async def test_an_urgent_text_waits_for_no_more_than_the_one_at_work() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    usual = [asyncio.create_task(engine.encode([f"其余{n}"], "document")) for n in range(6)]
    await encoder.busy()
    urgent = asyncio.create_task(engine.encode(["急件"], "document", urgent=True))
    await asyncio.sleep(0)
    encoder.gate.set()
    await asyncio.gather(urgent, *usual)
    assert encoder.seen.index("急件") == 1
    await engine.close()


async def test_callers_that_give_up_cannot_fill_the_queue_past_its_bound() -> None:
    encoder = Gated()
    engine = engine_of(encoder, most_waiting=2)
    first = asyncio.create_task(engine.encode(["首个"], "document"))
    await encoder.busy()
    for number in range(2):
        gone = asyncio.create_task(engine.encode([f"走开{number}"], "document"))
        await asyncio.sleep(0)
        gone.cancel()
    with pytest.raises(EngineBusyError):
        await engine.encode(["多余"], "document")
    encoder.gate.set()
    await first
    assert (await engine.encode(["之后"], "document")).vector.shape == (48,)
    assert encoder.seen == ["首个", "之后"]
    await engine.close()


async def test_the_event_loop_goes_on_while_a_text_is_encoded() -> None:
    encoder = Gated()
    engine = engine_of(encoder)
    encoding = asyncio.create_task(engine.encode(["慢"], "document"))
    await encoder.busy()
    for _ in range(100):
        await asyncio.sleep(0)
    assert not encoding.done()
    encoder.gate.set()
    assert (await encoding).vector.shape == (48,)
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

    engine = EncodingEngine(load)
    await engine.close()
    with pytest.raises(EngineClosedError):
        await engine.encoder()
    assert loaded == []
