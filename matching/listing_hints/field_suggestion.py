"""Which focus field a text belongs to, from three sources, each of them a number a field.

- keywords: ln(1 + k), where k counts the field's words in the text, longer ones more, each at most three times;
- passages: for each passage of the text the cosine of the field's nearest word, averaged by the passages' weights;
- neighbours: ln(0.05 + s), where s is the field's share among the nearest published listings of both kinds, each weighted
  exp(similarity / 0.1) (k nearest neighbours with a kernel; Dudani 1976).

Their weighted sum goes through a softmax over the fields (conditional logit; McFadden 1974). The weights were fitted on the
demonstration's 307 listings, read by the encoder of before its adapter, and rounded. With them the first field is the
stated one for 84 of 100 listings and among the first three for 94, each listing's own entry left out of its neighbours;
without an index, for 63 and 82 of 100; without an encoder, for 37 and 49
(`tests/matching/listing_hints/test_accuracy.py`).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.embedding.protocol import Encoded
from matching.listing_hints.draft import Hint
from matching.profiling import fold
from matching.types import Language, Profile

LANGUAGES: tuple[Language, ...] = ("zh", "en", "ar")
NEIGHBOURS = 10
_KERNEL = 0.1
_FLOOR = 0.05
_MOST_REPEATS = 3
_LONG_WORD = 4
# Below this the first suggestion is wrong more often than right, and none is made.
LEAST_CONFIDENCE = 0.35
# A second and third one are worth a look from here.
LEAST_SHOWN = 0.05
MOST_SHOWN = 3
# From here the suggestion was wrong for one demonstration listing in fifty; a stated field that differs is doubted.
SURE = 0.9


@dataclass(frozen=True, slots=True)
class FieldWords:
    """A focus field as the taxonomy describes it: its labels and keywords by language, the label first."""

    code: str
    words: tuple[tuple[Language, tuple[str, ...]], ...]

    def in_language(self, language: Language) -> tuple[str, ...]:
        """The words of one language, those of all where it has none: what an encoder takes as the field's passages."""
        return next((words for name, words in self.words if name == language and words), self.all_words())

    def all_words(self) -> tuple[str, ...]:
        """The words of all languages: people put English names into Chinese texts."""
        return tuple(word for _, words in self.words for word in words)


@dataclass(frozen=True, slots=True)
class FieldOf:
    """A published listing near the text: its field, and the inner product of the two vectors."""

    code: str
    similarity: float


@dataclass(frozen=True, slots=True)
class SuggestedField:
    """A field, and how sure the suggestion is, from 0 to 1."""

    code: str
    confidence: float


@dataclass(frozen=True, slots=True)
class _Weights:
    keywords: float
    passages: float
    neighbours: float


_ALL = _Weights(1.4, 12.0, 1.9)
_WITHOUT_NEIGHBOURS = _Weights(1.2, 25.0, 0.0)
_WITHOUT_ENCODER = _Weights(2.8, 0.0, 0.0)


def suggest_fields(
    profile: Profile,
    fields: Sequence[FieldWords],
    *,
    encoded: Encoded | None = None,
    field_vectors: Sequence[Encoded] | None = None,
    neighbours: Sequence[FieldOf] = (),
) -> tuple[SuggestedField, ...]:
    """The fields that a text may belong to, at most three, best first; none where the text does not tell.

    `field_vectors` are those of `in_language(profile.language)` of each field, in their order; without them, or without the
    text's own vectors, keywords alone decide. `neighbours` are the nearest published listings, without the text's own.
    """
    if not fields:
        return ()
    confidences = field_probabilities(profile, fields, encoded, field_vectors, neighbours)
    order = sorted(range(len(fields)), key=lambda place: (-confidences[place], place))
    if confidences[order[0]] < LEAST_CONFIDENCE:
        return ()
    return tuple(
        SuggestedField(fields[place].code, round(float(confidences[place]), 3))
        for place in order[:MOST_SHOWN]
        if confidences[place] >= LEAST_SHOWN
    )


def field_probabilities(
    profile: Profile,
    fields: Sequence[FieldWords],
    encoded: Encoded | None,
    field_vectors: Sequence[Encoded] | None,
    neighbours: Sequence[FieldOf],
) -> NDArray[np.float64]:
    """The probability of each field, shape (fields,); they add up to one."""
    scores = np.array(_keyword_scores(profile, fields))
    if encoded is None or field_vectors is None:
        return _softmax(_WITHOUT_ENCODER.keywords * scores)
    known = [each for each in neighbours if any(each.code == field.code for field in fields)][:NEIGHBOURS]
    weights = _ALL if known else _WITHOUT_NEIGHBOURS
    scores = weights.keywords * scores + weights.passages * _passage_scores(profile, encoded, field_vectors)
    if known:
        scores = scores + weights.neighbours * _neighbour_scores(fields, known)
    return _softmax(scores)


def field_hint(stated: str | None, suggestions: Sequence[SuggestedField]) -> Hint | None:
    """A doubt, where a sure suggestion is another field than the one stated and that one is not among the suggestions."""
    if stated is None or not suggestions or suggestions[0].confidence < SURE:
        return None
    if any(each.code == stated for each in suggestions):
        return None
    return Hint("field_doubtful", "field", stated, suggestions[0].code)


def _softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    raised = np.exp(scores - scores.max())
    shares: NDArray[np.float64] = raised / raised.sum()
    return shares


def _keyword_scores(profile: Profile, fields: Sequence[FieldWords]) -> list[float]:
    text = fold("\n".join(profile.texts))
    return [
        math.log1p(
            sum(
                min(len(word), _LONG_WORD) / 2 * min(text.count(word), _MOST_REPEATS)
                for word in {fold(word) for word in field.all_words()}
            )
        )
        for field in fields
    ]


def _passage_scores(profile: Profile, encoded: Encoded, field_vectors: Sequence[Encoded]) -> NDArray[np.float64]:
    weights = np.array([passage.weight for passage in profile.passages])
    total = float(weights.sum()) or 1.0
    return np.array(
        [float((vectors.passages @ encoded.passages.T).max(axis=0) @ weights) / total for vectors in field_vectors]
    )


def _neighbour_scores(fields: Sequence[FieldWords], neighbours: Sequence[FieldOf]) -> NDArray[np.float64]:
    nearest = max(each.similarity for each in neighbours)
    pulls = [(each.code, math.exp((each.similarity - nearest) / _KERNEL)) for each in neighbours]
    total = sum(pull for _, pull in pulls)
    return np.array(
        [math.log(_FLOOR + sum(pull for code, pull in pulls if code == field.code) / total) for field in fields]
    )
