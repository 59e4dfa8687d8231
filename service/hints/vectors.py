"""What hints need an encoder for, without waiting long: a text's vectors, and those of the fields, which are kept."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import structlog

from matching.embedding import Encoded, Role
from matching.index.models import EmbeddingModel
from matching.listing_hints import FieldWords
from matching.types import Language, Profile
from service.encoders import Encoders

log = structlog.get_logger("duijie.hints")

ROLES: dict[str, Role] = {"need": "query", "outcome": "document"}
Key = tuple[str, Language, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True, slots=True)
class FieldVectors:
    """The vectors of the fields' words, by model and language: encoded once, then kept with the process."""

    kept: dict[Key, "asyncio.Task[list[Encoded]]"] = field(default_factory=dict)

    async def of(
        self, encoders: Encoders, model: EmbeddingModel, fields: Sequence[FieldWords], language: Language
    ) -> list[Encoded]:
        """The vectors of each field, in order.

        A caller that gives up does not end the work: it serves the next one.
        """
        words = tuple(each.in_language(language) for each in fields)
        key = (model.checksum, language, words)
        if key not in self.kept:
            self.kept[key] = asyncio.create_task(_encode_all(encoders, model, words))
            self.kept[key].add_done_callback(lambda task: self._forget_failure(key, task))
        return await asyncio.shield(self.kept[key])

    def _forget_failure(self, key: Key, task: "asyncio.Task[list[Encoded]]") -> None:
        if task.cancelled() or task.exception() is not None:
            self.kept.pop(key, None)


async def _encode_all(encoders: Encoders, model: EmbeddingModel, words: Sequence[tuple[str, ...]]) -> list[Encoded]:
    return list(await asyncio.gather(*(encoders.encode(model, each, "document", urgent=True) for each in words)))


@dataclass(frozen=True, slots=True, eq=False)
class Vectors:
    """What the encoder gave in time; None for what it did not."""

    text: Encoded | None = None
    fields: list[Encoded] | None = None


async def vectors_of(
    encoders: Encoders,
    kept: FieldVectors,
    model: EmbeddingModel | None,
    profile: Profile,
    fields: Sequence[FieldWords],
    *,
    seconds: float,
) -> Vectors:
    """The vectors of a text and of the fields, as far as they come within `seconds`. Never raises for their lack."""
    if model is None or encoders.state != "ready" or not any(text.strip() for text in profile.texts):
        return Vectors()
    text: Encoded | None = None
    try:
        async with asyncio.timeout(seconds):
            text = await encoders.encode(model, profile.texts, ROLES[profile.kind], urgent=True)
            return Vectors(text, await kept.of(encoders, model, fields, profile.language))
    except Exception as error:
        # Too slow, busy, closing, or broken: others hear of it by the readiness check, and hints go without.
        log.info("no vectors for hints", error=repr(error))
        return Vectors(text)
