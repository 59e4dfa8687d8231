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
from dataclasses import replace
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from matching.embedding.protocol import Encoded, Encoder, ModelIdentity, Role, Vector, unit
from matching.embedding.tokens import pooled
from matching.profiling.language import detect_language
from matching.types import Language

TEXTS = Path(__file__).with_name("calibration.jsonl")
ROLES: tuple[Role, ...] = ("query", "document")
LANGUAGES: tuple[Language, ...] = ("zh", "en", "ar")
# The whole text's vector, those of passages and those of tokens: each lies in a cone of its own.
PARTS = ("", " passages", " tokens")
# The language of most texts here; the others' offsets are measured from its means.
MAIN: Language = "zh"
DOUBT = 2
FEW_LETTERS = 12
# Raised when the means are measured in another way, so that a cache of older code is not used.
METHOD = 4


class CentredEncoder:
    """An encoder whose vectors have their role's mean taken out, and whose outcomes' tokens are pooled."""

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
        assert found.tokens is not None
        languages = _languages(passages)
        places = found.tokens.passages
        # A whole text's vector is the mean over its tokens, and so is the offset of its languages.
        counts = np.bincount(places, minlength=len(passages)).astype(np.float32)
        offset = counts @ self._offsets(languages, "") / counts.sum()
        spoken = self._offsets(languages, " tokens")[places]
        tokens = replace(found.tokens, vectors=unit(found.tokens.vectors - self._means[f"{role} tokens"] - spoken))
        return Encoded(
            unit(found.vector - self._means[role] - offset),
            unit(found.passages - self._means[f"{role} passages"] - self._offsets(languages, " passages")),
            tokens if role == "query" else pooled(tokens),
        )

    def _offsets(self, languages: Sequence[Language], part: str) -> Vector:
        return np.stack([self._means[language + part] for language in languages])

    def _measure(self, texts: dict[Role, list[list[str]]], folder: Path, seal: str) -> dict[str, Vector]:
        means: dict[str, Vector] = {}
        strays: dict[str, list[Vector]] = {language + part: [] for language in LANGUAGES for part in PARTS}
        for role in ROLES:
            found = [_rows(encoded) for encoded in self.inner.encode(texts[role], role)]
            languages = [detect_language("\n".join(passages)) for passages in texts[role]]
            for part in PARTS:
                main = [rows[part] for rows, language in zip(found, languages, strict=True) if language == MAIN]
                means[role + part] = np.concatenate(main).mean(axis=0, dtype=np.float32)
                for rows, language in zip(found, languages, strict=True):
                    strays[language + part].append(rows[part] - means[role + part])
        for language in LANGUAGES:
            for part in PARTS:
                away = strays[language + part]
                # Few texts of a language tell its offset together with their own topics; trust them the less, the fewer.
                trust = 0.0 if language == MAIN else len(away) / (len(away) + DOUBT)
                means[language + part] = trust * np.concatenate(away).mean(axis=0, dtype=np.float32)
        folder.mkdir(parents=True, exist_ok=True)
        scratch = folder / f"centre-{seal[:16]}.{id(self):x}.tmp.npz"
        np.savez(scratch, **means)  # type: ignore[arg-type]
        scratch.replace(folder / f"centre-{seal[:16]}.npz")
        return means


def _languages(passages: Sequence[str]) -> list[Language]:
    """The language of each passage: one with few letters, such as a bare figure, has that of the whole text."""
    whole = detect_language("\n".join(passages))
    return [
        detect_language(passage) if sum(map(str.isalpha, passage)) >= FEW_LETTERS else whole for passage in passages
    ]


def _rows(encoded: Encoded) -> dict[str, Vector]:
    """The vectors of a text by part, each of shape (rows, dimensions)."""
    assert encoded.tokens is not None
    return {"": encoded.vector[None], " passages": encoded.passages, " tokens": encoded.tokens.vectors}


def _read(file: Path) -> dict[str, Vector] | None:
    try:
        with file.open("rb") as stream, np.load(stream) as stored:
            means = {name: stored[name] for name in stored.files}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile):
        return None
    wanted = {key + part for key in (*ROLES, *LANGUAGES) for part in PARTS}
    return means if wanted <= set(means) else None


@cache
def calibration_texts() -> dict[Role, list[list[str]]]:
    """The texts that ship with the code: needs as queries, outcomes as documents, each as its passages."""
    texts: dict[Role, list[list[str]]] = {"query": [], "document": []}
    for line in TEXTS.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        texts[entry["role"]].append(entry["passages"])
    return texts
