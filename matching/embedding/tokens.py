"""The vectors of a text's single tokens: pooled for outcomes, packed into four bits a number for storage.

Late interaction (Khattab and Zaharia 2020, ColBERT, arXiv:2004.12832) compares every token of a need with every token of an
outcome. A need keeps a row for each token; an outcome one for each two neighbours, which halves what is stored and read
and ranks no worse (Clavié, Chaffin and Adams 2024, arXiv:2409.14683, on pooling of token vectors).
"""

from dataclasses import dataclass

import numpy as np

from matching.embedding.vectors import Ints, Vector, unit

POOLED = 2
# Codes run from -7 to 7, so that zero is exact and both signs reach as far.
STEPS = 7
# Both numbers of a byte at once, its low four bits first; seen as one number of eight bytes, a byte is one look-up.
_HALVES = ((np.arange(256)[:, None] >> np.array([0, 4]) & 15).astype(np.float32) - STEPS).view(np.uint64)[:, 0]


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """What late interaction looks at.

    `vectors` has shape (rows, dimensions), each row of length one. Of a need, `identifiers` (the tokens' numbers in the
    model's vocabulary, int32) and `passages` (which passage each stands in) have an entry for every row; of an outcome,
    `identifiers` are its distinct tokens, ascending, and `passages` is empty.
    """

    vectors: Vector
    identifiers: Ints
    passages: Ints


def pooled(tokens: TokenVectors) -> TokenVectors:
    """An outcome's form: neighbours summed by twos, tokens named once.

    >>> rows = np.array([[1, 0], [1, 0], [0, 1]], dtype=np.float32)
    >>> short = pooled(TokenVectors(rows, np.array([7, 5, 7], dtype=np.int32), np.zeros(3, dtype=np.int32)))
    >>> short.vectors.tolist(), short.identifiers.tolist()
    ([[1.0, 0.0], [0.0, 1.0]], [5, 7])
    """
    sums = np.add.reduceat(tokens.vectors, np.arange(0, len(tokens.vectors), POOLED), axis=0)
    return TokenVectors(unit(sums), np.unique(tokens.identifiers).astype(np.int32), np.zeros(0, dtype=np.int32))


def pack(vectors: Vector) -> bytes:
    """Rows as codes of four bits, each row stretched to its greatest number.

    A row's length is not kept: only its direction counts. An odd number of dimensions gets one more, which is zero.
    """
    vectors = np.pad(vectors, ((0, 0), (0, vectors.shape[1] % 2)))
    greatest = np.abs(vectors).max(axis=1, keepdims=True)
    codes = np.rint(vectors / np.where(greatest == 0, 1, greatest) * STEPS).astype(np.int8) + STEPS
    packed: bytes = (codes[:, 0::2] | codes[:, 1::2] << 4).astype(np.uint8).tobytes()
    return packed


def unpack(packed: bytes, rows: int) -> Vector:
    """Unit rows from their codes, shape (rows, dimensions), the dimensions even.

    >>> bool(np.allclose(unpack(pack(np.array([[0.6, -0.8]], dtype=np.float32)), 1), [[5 / 74**0.5, -7 / 74**0.5]]))
    True
    """
    codes = _HALVES.take(np.frombuffer(packed, dtype=np.uint8)).view(np.float32).reshape(rows, -1)
    return unit(codes)


def as_stored(tokens: TokenVectors) -> TokenVectors:
    """The tokens as they come back from storage, so that a text ranks the same whether it is stored or not."""
    return TokenVectors(unpack(pack(tokens.vectors), len(tokens.vectors)), tokens.identifiers, tokens.passages)
