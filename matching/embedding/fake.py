"""An encoder for tests: no model, no meaning, but texts that share words or characters lie near each other."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from matching.embedding.protocol import Encoded, ModelIdentity, Role, Vector, check_texts, unit
from matching.embedding.tokens import TokenVectors, pooled
from matching.embedding.vectors import Ints


class FakeEncoder:
    """Hashes character pairs into `dimensions` buckets with signs (Weinberger et al. 2009, feature hashing)."""

    def __init__(self, dimensions: int = 48, name: str = "fake") -> None:
        self.identity = ModelIdentity(name, hashlib.sha256(f"{name}:{dimensions}".encode()).hexdigest(), dimensions)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text; of an outcome the tokens are pooled, else the role makes no difference here."""
        check_texts(texts)
        return [self._encode(passages, role) for passages in texts]

    def _encode(self, passages: Sequence[str], role: Role) -> Encoded:
        found = [self._pairs(passage) for passage in passages]
        sums = np.stack([rows.sum(axis=0) for _, rows in found])
        places = np.repeat(np.arange(len(found), dtype=np.int32), [len(rows) for _, rows in found])
        numbers = np.concatenate([numbers for numbers, _ in found])
        tokens = TokenVectors(np.concatenate([rows for _, rows in found]), numbers, places)
        return Encoded(unit(sums.sum(axis=0)), unit(sums), tokens if role == "query" else pooled(tokens))

    def _pairs(self, passage: str) -> tuple[Ints, Vector]:
        """A number and a row for each pair of characters."""
        text = f" {passage.lower()} "
        digests = [hashlib.blake2b(f"{a}{b}".encode(), digest_size=8).digest() for a, b in pairwise(text)]
        rows = np.zeros((len(digests), self.identity.dimensions), dtype=np.float32)
        for row, digest in zip(rows, digests, strict=True):
            row[int.from_bytes(digest[:6], "big") % self.identity.dimensions] = 1.0 if digest[7] & 1 else -1.0
            # Two pairs of opposite signs in one bucket must not make the zero vector.
            row[0] += 1e-3
        numbers = np.array([int.from_bytes(digest[:3], "big") for digest in digests], dtype=np.int32)
        return numbers, rows
