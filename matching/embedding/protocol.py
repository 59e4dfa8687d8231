"""What an encoder is to the rest of the code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from matching.embedding import tokens as token_vectors
from matching.embedding.tokens import TokenVectors
from matching.embedding.vectors import Vector, half, unit

Role = Literal["query", "document"]

__all__ = [
    "Encoded",
    "Encoder",
    "EncoderError",
    "ModelIdentity",
    "Role",
    "SilentTextError",
    "Vector",
    "as_stored",
    "check_texts",
    "unit",
]


class EncoderError(RuntimeError):
    """A model cannot be used; the message says why and what to do."""


class SilentTextError(ValueError):
    """A text says nothing to the model: it is empty, or has no token that the model knows."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Two encoders with the same checksum give the same vectors."""

    name: str
    checksum: str
    dimensions: int


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The vectors of one text: `vector` of shape (dimensions,), `passages` of shape (passages, dimensions), unit length.

    `tokens` are missing of what was stored by an earlier version.
    """

    vector: Vector
    passages: Vector
    tokens: TokenVectors | None = None


def as_stored(encoded: Encoded) -> Encoded:
    """The vectors as they come back from the index, so that a text ranks the same whether it is stored or not."""
    tokens = None if encoded.tokens is None else token_vectors.as_stored(encoded.tokens)
    return Encoded(half(encoded.vector), half(encoded.passages), tokens)


class Encoder(Protocol):
    """Turns texts, each given as its passages in order, into vectors. Not thread-safe."""

    @property
    def identity(self) -> ModelIdentity:
        """Which model this is."""
        ...

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text, in order.

        Needs are queries, outcomes are documents: models that tell the two apart see each in its role.

        Raises:
            SilentTextError: a text has no passage with a visible character, or none that the model knows.
        """
        ...


def check_texts(texts: Sequence[Sequence[str]]) -> None:
    """Refuse texts that say nothing: their vector would mean nothing."""
    for position, passages in enumerate(texts):
        if not any(passage.strip() for passage in passages):
            raise SilentTextError(f"text {position} is empty")
