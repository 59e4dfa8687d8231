"""Take out what all texts have in common.

Vectors of sentence encoders lie in a narrow cone: their mean is far from zero, and the direction of the mean says
"a technical text", not which one. Subtracting it (Mu and Viswanath 2018, arXiv:1702.01417) tells texts apart better.
Each role has a mean of its own, since needs and outcomes are written differently. The means come from a fixed set of
texts that ships with the code, so that they depend on the model alone.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from matching.embedding.protocol import Encoded, Encoder, ModelIdentity, Role, Vector, unit

TEXTS = Path(__file__).with_name("calibration.jsonl")
ROLES: tuple[Role, ...] = ("query", "document")


class CentredEncoder:
    """An encoder whose vectors have their role's mean taken out."""

    def __init__(self, inner: Encoder, cache_folder: Path) -> None:
        self.inner = inner
        texts = calibration_texts()
        seal = hashlib.sha256(f"{inner.identity.checksum}:{TEXTS.read_text(encoding='utf-8')}".encode()).hexdigest()
        self.identity = ModelIdentity(inner.identity.name, seal, inner.identity.dimensions)
        self._means = _read(cache_folder / f"centre-{seal[:16]}.npz") or self._measure(texts, cache_folder, seal)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text, in order."""
        whole, part = self._means[role], self._means[f"{role} passages"]
        return [
            Encoded(unit(found.vector - whole), unit(found.passages - part)) for found in self.inner.encode(texts, role)
        ]

    def _measure(self, texts: dict[Role, list[list[str]]], folder: Path, seal: str) -> dict[str, Vector]:
        means: dict[str, Vector] = {}
        for role in ROLES:
            found = self.inner.encode(texts[role], role)
            means[role] = np.mean([each.vector for each in found], axis=0, dtype=np.float32)
            means[f"{role} passages"] = np.mean(
                np.concatenate([each.passages for each in found]), axis=0, dtype=np.float32
            )
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f"centre-{seal[:16]}.{id(self):x}.tmp.npz"
        np.savez(scratch, **means)  # type: ignore[arg-type]
        scratch.replace(folder / f"centre-{seal[:16]}.npz")
        return means


def _read(file: Path) -> dict[str, Vector] | None:
    try:
        with np.load(file) as stored:
            means = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError):
        return None
    wanted = {name for role in ROLES for name in (role, f"{role} passages")}
    return means if wanted <= set(means) else None


@cache
def calibration_texts() -> dict[Role, list[list[str]]]:
    """The texts that ship with the code: needs as queries, outcomes as documents, each as its passages."""
    texts: dict[Role, list[list[str]]] = {"query": [], "document": []}
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        texts[entry["role"]].append(entry["passages"])
    return texts
