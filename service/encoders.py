"""The encoders of a process: the one to be used, and the one that still serves while another is being filled in."""

import asyncio
from collections.abc import Callable, Sequence

from matching.embedding import Encoded, Encoder, EncoderError, Role, load_encoder
from matching.embedding.engine import EncodingEngine, EngineBusyError, State
from matching.index.models import EmbeddingModel
from service.encoder_choice import source_in_use
from service.errors import Unavailable
from service.kit.db import Connection
from service.kit.language import Text
from service.settings import Settings

BUSY = Text("等待编码的文本过多，请稍后重试", "Too many texts wait to be encoded: try again")


def load_configured_encoder(settings: Settings, source: str | None = None) -> Encoder:
    """The encoder of the settings, or of the source that an embedding model was made from. Blocks while it loads."""
    return load_encoder(
        source or settings.model, settings.cache, dtype=settings.dtype, threads=settings.encoder_threads
    )


async def load_encoder_in_use(settings: Settings, connection: Connection) -> Encoder:
    """The encoder of DUIJIE_MODEL, or else the one that was chosen last.

    Raises:
        EncoderError: it cannot be had.
    """
    source = await source_in_use(connection, settings)
    return await asyncio.to_thread(load_configured_encoder, settings, source)


class Encoders:
    """Opens an encoder for each embedding model in use; `primary` is the one to be used.

    That is the one of DUIJIE_MODEL, or else the source given here and later to `follow`.
    """

    def __init__(
        self, settings: Settings, load: Callable[[str | None], Encoder] | None = None, source: str | None = None
    ) -> None:
        self.source = settings.model or source or "bundled"
        self._load = load or (lambda source: load_configured_encoder(settings, source))
        self._engines = {self.source: self._new_engine(self.source)}

    @property
    def primary(self) -> EncodingEngine:
        """The engine of the encoder to be used."""
        return self._engines[self.source]

    @property
    def state(self) -> State:
        """Whether the encoder to be used is there."""
        return self.primary.state

    async def follow(self, source: str) -> Encoder:
        """Make another encoder the one to be used, once it is loaded; if it cannot be, all stays as it was.

        Raises:
            EncoderError: it cannot be had.
        """
        encoder = await (await self._open(source)).encoder()
        self.source = source
        return encoder

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
        if model.source != self.source and model.source not in self._engines:
            try:
                primary = await self.primary.encoder()
            except EncoderError:
                # An encoder to come that cannot be opened here must not stop the one that serves.
                return await self._open(model.source)
            if primary.identity.checksum == model.checksum:
                return self.primary
        return await self._open(model.source)

    async def _open(self, source: str) -> EncodingEngine:
        """The engine of a source; one that failed is tried anew, since its folder may have come meanwhile."""
        engine = self._engines.get(source)
        if engine is None or engine.state == "failed":
            self._engines[source] = self._new_engine(source)
            if engine is not None:
                await engine.close()
        return self._engines[source]

    def _new_engine(self, source: str) -> EncodingEngine:
        return EncodingEngine(lambda: self._load(source))

    async def keep_only(self, sources: set[str]) -> None:
        """Free the memory of encoders that are used no more; what waits in them is finished first."""
        unused = [source for source in self._engines if source not in sources and source != self.source]
        await asyncio.gather(*(self._engines.pop(source).close() for source in unused))

    async def close(self) -> None:
        """Finish what waits in every engine."""
        await asyncio.gather(*(engine.close() for engine in self._engines.values()))
