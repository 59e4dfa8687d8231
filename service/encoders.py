"""The encoders of a process: the configured model, and the one that still serves while another is being filled in."""

import asyncio
from collections.abc import Callable, Sequence

from matching.embedding import Encoded, Encoder, Role, load_encoder
from matching.embedding.engine import EncodingEngine, EngineBusyError, State
from matching.index.models import EmbeddingModel
from service.errors import Unavailable
from service.kit.language import Text
from service.settings import Settings

BUSY = Text("等待编码的文本过多，请稍后重试", "Too many texts wait to be encoded: try again")


def load_configured_encoder(settings: Settings, source: str | None = None) -> Encoder:
    """The encoder of the settings, or of the source that an embedding model was made from. Blocks while it loads."""
    return load_encoder(
        source or settings.model, settings.cache, dtype=settings.dtype, threads=settings.encoder_threads
    )


class Encoders:
    """Opens an encoder for each embedding model in use; `primary` is the configured one."""

    def __init__(self, settings: Settings, load: Callable[[str | None], Encoder] | None = None) -> None:
        self.source = settings.model or "bundled"
        self._load = load or (lambda source: load_configured_encoder(settings, source))
        self._engines = {self.source: EncodingEngine(lambda: self._load(self.source))}

    @property
    def primary(self) -> EncodingEngine:
        """The engine of the configured model."""
        return self._engines[self.source]

    @property
    def state(self) -> State:
        """Whether the configured model is there."""
        return self.primary.state

    async def encode(
        self, model: EmbeddingModel, passages: Sequence[str], role: Role, *, urgent: bool = False
    ) -> Encoded:
        """The vectors of one text by a certain model.

        Raises:
            Unavailable: more texts wait than can.
        """
        engine = await self._engine_of(model)
        try:
            return await engine.encode(passages, role, urgent=urgent)
        except EngineBusyError as error:
            raise Unavailable(BUSY) from error

    async def _engine_of(self, model: EmbeddingModel) -> EncodingEngine:
        primary = await self.primary.encoder()
        if primary.identity.checksum == model.checksum:
            return self.primary
        if model.source not in self._engines:
            source = model.source
            self._engines[source] = EncodingEngine(lambda: self._load(source))
        return self._engines[model.source]

    async def close(self) -> None:
        """Finish what waits in every engine."""
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))
