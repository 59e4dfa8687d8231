"""What an encoder is to the rest of the code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Role = Literal["query", "document"]


class EncoderError(RuntimeError):
    """A model cannot be used; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Two encoders with the same checksum give the same vectors."""

    name: str
    checksum: str
    dimensions: int


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The vectors of one text: `vector` of shape (dimensions,), `passages` of shape (passages, dimensions), unit length."""

    vector: Vector
    passages: Vector


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
            ValueError: a text has no passage with a visible character.
        """
        ...


def check_texts(texts: Sequence[Sequence[str]]) -> None:
    """Refuse texts that say nothing: their vector would mean nothing."""
    for position, passages in enumerate(texts):
        if not any(passage.strip() for passage in passages):
            raise ValueError(f"text {position} is empty")


def unit(vectors: Vector) -> Vector:
    """Vectors scaled to length one along the last axis; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vector = np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)
    return scaled
