"""Precision, recall and F1 of parsed indicators against the labelled sentences beside this file.

A prediction answers a label when comparator and change are equal, the bounds are equal in base units, and the two name
the same quantity. README.md in this folder has the labelling rules.
"""

import json
import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import pint
from scipy.optimize import linear_sum_assignment

Comparator = Literal["ge", "gt", "le", "lt", "eq", "about", "between"]
Change = Literal["level", "rise", "fall"]

RELATIVE_TOLERANCE = 1e-6
QUANTITY_AGREES = 0.5
"""Least Dice coefficient of character bigrams at which two names count as one quantity."""


class Indicator(Protocol):
    """What is scored: a figure that a sentence states or asks for. Bounds are in `unit`, a notation that pint parses."""

    @property
    def quantity(self) -> str: ...
    @property
    def comparator(self) -> str: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...
    @property
    def unit(self) -> str: ...
    @property
    def change(self) -> str: ...
    @property
    def condition(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Label:
    """An indicator as a person read it."""

    quantity: str
    comparator: Comparator
    low: float | None
    high: float | None
    unit: str
    change: Change
    condition: str | None


@dataclass(frozen=True, slots=True)
class Sentence:
    """A line of labelled-held.jsonl or labelled-dev.jsonl."""

    id: str
    language: str
    text: str
    indicators: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A label that no prediction answers (missed), or a prediction that answers no label (spurious)."""

    sentence: str
    text: str
    kind: Literal["missed", "spurious"]
    indicator: Indicator


@dataclass(frozen=True, slots=True)
class Score:
    """Counts over all sentences; `conditions` of the `matched` pairs also agree on their condition."""

    matched: int
    labelled: int
    predicted: int
    conditions: int
    mistakes: tuple[Mistake, ...]

    @property
    def precision(self) -> float:
        """Share of the predictions that answer a label; 1 where nothing was predicted."""
        return self.matched / self.predicted if self.predicted else 1.0

    @property
    def recall(self) -> float:
        """Share of the labels that are answered; 1 where nothing was labelled."""
        return self.matched / self.labelled if self.labelled else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        total = self.predicted + self.labelled
        return 2 * self.matched / total if total else 1.0

    @property
    def condition_agreement(self) -> float:
        """Share of the matched pairs whose conditions agree too; 1 where nothing matched."""
        return self.conditions / self.matched if self.matched else 1.0


def load(path: Path) -> tuple[Sentence, ...]:
    """Read a labelled file, one JSON object a line.

    Raises:
        KeyError, TypeError, json.JSONDecodeError: a line has not the shape of `Sentence`.
    """
    with path.open(encoding="utf-8") as file:
        return tuple(_sentence(json.loads(line)) for line in file)


def _sentence(row: dict[str, Any]) -> Sentence:
    labels = tuple(Label(**label) for label in row["indicators"])
    return Sentence(row["id"], row["language"], row["text"], labels)


@cache
def registry() -> pint.UnitRegistry[float]:
    """Pint's units, and those that the trade's texts need besides: money, 亩 (1/15 hectare) and ppb."""
    units: pint.UnitRegistry[float] = pint.UnitRegistry()
    units.define("CNY = [yuan]")
    units.define("USD = [dollar]")
    units.define("mu = 10000 / 15 * meter ** 2 = _ = 亩")
    units.define("ppb = 1e-9")
    return units


def same_bounds(one: Indicator, other: Indicator) -> bool:
    """Whether both have the same low and high after conversion to base units. An unknown unit equals nothing.

    >>> thin = Label("厚度", "between", 0.2, 0.5, "mm", "level", None)
    >>> same_bounds(thin, Label("厚度", "between", 200, 500, "um", "level", None))
    True
    >>> same_bounds(thin, Label("厚度", "between", 0.2, 0.5, "cm", "level", None))
    False

    A share has many notations, and a count is a pure number:

    >>> same_bounds(Label("纯度", "eq", 99, 99, "percent", "level", None), Label("纯度", "eq", 0.99, 0.99, "", "level", None))
    True
    """
    return all(_same_amount(a, one.unit, b, other.unit) for a, b in ((one.low, other.low), (one.high, other.high)))


def _same_amount(one: float | None, unit: str, other: float | None, other_unit: str) -> bool:
    if one is None or other is None:
        return one is other
    try:
        a, b = _amount(one, unit), _amount(other, other_unit)
    except (pint.PintError, AttributeError, TypeError, ValueError):
        return False
    same_kind = a.dimensionality == b.dimensionality
    return same_kind and math.isclose(
        a.to_base_units().magnitude, b.to_base_units().magnitude, rel_tol=RELATIVE_TOLERANCE
    )


def _amount(value: float, unit: str) -> Any:
    units = registry()
    parsed = units.parse_units(unit)
    # "温升≤25℃" and "温度≤25℃" are written alike: both are compared in degrees, none is shifted to the absolute zero.
    return units.Quantity(float(value), units.delta_degC if parsed == units.degC else parsed)


def plain(text: str) -> str:
    """A name without what does not change it: width, case and spaces.

    >>> plain("ＣＯＤ 去除率")
    'cod去除率'
    """
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def same_name(one: str, other: str) -> bool:
    """Whether two phrases name one thing: one contains the other, or half of their character bigrams are common.

    >>> same_name("转化率", "环己酮肟转化率"), same_name("头部间隙氧含量", "头部间隙氧")
    (True, True)
    >>> same_name("转化率", "选择性")
    False
    """
    a, b = plain(one), plain(other)
    if not a or not b:
        return a == b
    if a in b or b in a:
        return True
    pairs, others = (Counter(text[i : i + 2] for i in range(len(text) - 1)) for text in (a, b))
    total = pairs.total() + others.total()
    return total > 0 and 2 * (pairs & others).total() / total >= QUANTITY_AGREES


def same_condition(one: str | None, other: str | None) -> bool:
    """Whether both have no condition, or conditions that name one thing."""
    if one is None or other is None:
        return one is other
    return same_name(one, other)


def answers(predicted: Indicator, label: Indicator) -> bool:
    """Whether a prediction is right. Its condition is not asked for here.

    >>> asked = Label("转化率", "ge", 95, None, "percent", "level", None)
    >>> answers(Label("丙烷转化率", "ge", 0.95, None, "", "level", "600℃"), asked)
    True
    >>> answers(Label("转化率", "gt", 95, None, "percent", "level", None), asked)
    False
    """
    return (
        predicted.comparator == label.comparator
        and predicted.change == label.change
        and same_bounds(predicted, label)
        and same_name(predicted.quantity, label.quantity)
    )


def pair(predicted: Sequence[Indicator], labels: Sequence[Indicator]) -> tuple[tuple[int, int], ...]:
    """Positions of predictions and labels that answer each other, each used once, as many pairs as there can be.

    Among equally many, pairs whose conditions agree are preferred.

    >>> day, night = (Label("噪声", "le", None, 60, "dB", "level", when) for when in ("昼间", "夜间"))
    >>> pair([night, day, day], [day, night])
    ((0, 1), (1, 0))
    """
    if not predicted or not labels:
        return ()
    right = np.array([[answers(p, label) for label in labels] for p in predicted], dtype=float)
    agree = np.array(
        [[same_condition(p.condition, label.condition) for label in labels] for p in predicted], dtype=float
    )
    # All agreements of a sentence together weigh less than one pair, so that no pair is given up for them.
    worth = right * (1 + agree / (2 * min(right.shape)))
    rows, columns = linear_sum_assignment(worth, maximize=True)
    return tuple((int(row), int(column)) for row, column in zip(rows, columns, strict=True) if right[row, column])


def score(predictions: Mapping[str, Sequence[Indicator]], sentences: Iterable[Sentence]) -> Score:
    """Score what was parsed, by sentence id, against the labels. A sentence without an entry counts as nothing parsed.

    >>> label = Label("转化率", "ge", 95, None, "percent", "level", None)
    >>> other = Label("选择性", "ge", 95, None, "percent", "level", None)
    >>> sentences = [Sentence("1", "zh", "转化率、选择性均≥95%", (label, other)), Sentence("2", "zh", "2025年", ())]
    >>> result = score({"1": [label], "2": [other]}, sentences)
    >>> result.precision, result.recall, result.f1, result.condition_agreement
    (0.5, 0.5, 0.5, 1.0)
    >>> [(mistake.sentence, mistake.kind) for mistake in result.mistakes]
    [('1', 'missed'), ('2', 'spurious')]
    """
    matched = labelled = predicted = conditions = 0
    mistakes: list[Mistake] = []
    for sentence in sentences:
        found = predictions.get(sentence.id, ())
        pairs = pair(found, sentence.indicators)
        answering, answered = {p for p, _ in pairs}, {label for _, label in pairs}
        labelled += len(sentence.indicators)
        predicted += len(found)
        matched += len(pairs)
        conditions += sum(same_condition(found[p].condition, sentence.indicators[n].condition) for p, n in pairs)
        mistakes += (
            Mistake(sentence.id, sentence.text, "missed", label)
            for n, label in enumerate(sentence.indicators)
            if n not in answered
        )
        mistakes += (
            Mistake(sentence.id, sentence.text, "spurious", p) for n, p in enumerate(found) if n not in answering
        )
    return Score(matched, labelled, predicted, conditions, tuple(mistakes))
