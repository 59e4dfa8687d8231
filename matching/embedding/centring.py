"""Take out what all texts have in common.

Vectors of sentence encoders lie in a narrow cone: their mean is far from zero, and the direction of the mean says
"a technical text", not which one. Subtracting it (Mu and Viswanath 2018, arXiv:1702.01417) tells texts apart better.
Each role has a mean of its own, since needs and outcomes are written differently, and each language an offset from it,
since otherwise two texts would be near for both being English. The means come from a fixed set of texts that ships with
the code, so that they depend on the model alone.
"""

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from matching.embedding.protocol import Encoded, Encoder, ModelIdentity, Role, Vector, unit
from matching.profiling.language import detect_language
from matching.types import Language

TEXTS = Path(__file__).with_name("calibration.jsonl")
ROLES: tuple[Role, ...] = ("query", "document")
LANGUAGES: tuple[Language, ...] = ("zh", "en", "ar")
# The language of most texts here; the others' offsets are measured from its means.
MAIN: Language = "zh"
DOUBT = 2
# Raised when the means are measured in another way, so that a cache of older code is not used.
METHOD = 2


class CentredEncoder:
    """An encoder whose vectors have their role's mean taken out."""

    def __init__(self, inner: Encoder, cache_folder: Path) -> None:
        self.inner = inner
        texts = calibration_texts()
        seal = hashlib.sha256(
            f"{METHOD}:{inner.identity.checksum}:{TEXTS.read_text(encoding='utf-8')}".encode()
        ).hexdigest()
        self.identity = ModelIdentity(inner.identity.name, seal, inner.identity.dimensions)
        self._means = _read(cache_folder / f"centre-{seal[:16]}.npz") or self._measure(texts, cache_folder, seal)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text, in order."""
        return [
            self._centred(passages, found, role)
            for passages, found in zip(texts, self.inner.encode(texts, role), strict=True)
        ]

    def _centred(self, passages: Sequence[str], found: Encoded, role: Role) -> Encoded:
        language = detect_language("\n".join(passages))
        whole = self._means[role] + self._means[language]
        part = self._means[f"{role} passages"] + self._means[f"{language} passages"]
        return Encoded(unit(found.vector - whole), unit(found.passages - part))

    def _measure(self, texts: dict[Role, list[list[str]]], folder: Path, seal: str) -> dict[str, Vector]:
        means: dict[str, Vector] = {}
        strays: dict[Language, list[Encoded]] = {language: [] for language in LANGUAGES}
        for role in ROLES:
            found = list(zip(texts[role], self.inner.encode(texts[role], role), strict=True))
            told = [(detect_language("\n".join(passages)), encoded) for passages, encoded in found]
            main = [encoded for language, encoded in told if language == MAIN]
            means[role] = _mean([encoded.vector for encoded in main])
            means[f"{role} passages"] = _mean([row for encoded in main for row in encoded.passages])
            for language, encoded in told:
                away = Encoded(encoded.vector - means[role], encoded.passages - means[f"{role} passages"])
                strays[language].append(away)
        for language, away_from in strays.items():
            # Few texts of a language tell its offset together with their own topics; trust them the less, the fewer.
            trust = 0.0 if language == MAIN else len(away_from) / (len(away_from) + DOUBT)
            means[language] = trust * _mean([each.vector for each in away_from])
            means[f"{language} passages"] = trust * _mean([row for each in away_from for row in each.passages])
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f"centre-{seal[:16]}.{id(self):x}.tmp.npz"
        np.savez(scratch, **means)  # type: ignore[arg-type]
        scratch.replace(folder / f"centre-{seal[:16]}.npz")
        return means


def _mean(vectors: Sequence[Vector]) -> Vector:
    mean: Vector = np.mean(np.stack(vectors), axis=0, dtype=np.float32)
    return mean


def _read(file: Path) -> dict[str, Vector] | None:
    try:
        with np.load(file) as stored:
            means = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError):
        return None
    wanted = {name for key in (*ROLES, *LANGUAGES) for name in (key, f"{key} passages")}
    return means if wanted <= set(means) else None


@cache
def calibration_texts() -> dict[Role, list[list[str]]]:
    """The texts that ship with the code: needs as queries, outcomes as documents, each as its passages."""
    texts: dict[Role, list[list[str]]] = {"query": [], "document": []}
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        texts[entry["role"]].append(entry["passages"])
    return texts
