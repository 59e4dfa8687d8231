"""An encoder for tests: no model, no meaning, but texts that share words or characters lie near each other."""

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from matching.embedding.protocol import Encoded, ModelIdentity, Role, Vector, check_texts, unit


class FakeEncoder:
    """Hashes character pairs into `dimensions` buckets with signs (Weinberger et al. 2009, feature hashing)."""

    def __init__(self, dimensions: int = 48, name: str = "fake") -> None:
        self.identity = ModelIdentity(name, hashlib.sha256(f"{name}:{dimensions}".encode()).hexdigest(), dimensions)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text; the role makes no difference here."""
        del role
        check_texts(texts)
        return [self._encode(passages) for passages in texts]

    def _encode(self, passages: Sequence[str]) -> Encoded:
        sums = np.stack([self._sum(passage) for passage in passages])
        return Encoded(unit(sums.sum(axis=0)), unit(sums))

    def _sum(self, passage: str) -> Vector:
        total = np.zeros(self.identity.dimensions, dtype=np.float32)
        text = f" {passage.lower()} "
        for left, right in pairwise(text):
            digest = hashlib.blake2b(f"{left}{right}".encode(), digest_size=8).digest()
            bucket = int.from_bytes(digest[:6], "big") % self.identity.dimensions
            total[bucket] += 1.0 if digest[7] & 1 else -1.0
        # A passage of one character in an unlucky bucket must not be the zero vector.
        total[0] += 1e-3
        return total
