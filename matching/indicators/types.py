"""A figure of merit as a listing states it, and how the other side answers it."""

from dataclasses import dataclass
from typing import Literal

Comparator = Literal["ge", "gt", "le", "lt", "eq", "about", "between"]
Change = Literal["level", "rise", "fall"]
Verdict = Literal["met", "close", "not_met", "not_stated"]


@dataclass(frozen=True, slots=True)
class Indicator:
    """A quantity with a bound, a value or a range (技术指标).

    `low` and `high` are in `unit`: `ge` and `gt` have `low` only, `le` and `lt` `high` only, `eq` and `about` both and
    equal, `between` both ends of a closed range. `unit` is in pint's notation, empty for a pure number or a pH value.
    `change` tells a level (5 %) from a rise or a fall by so much against what was before (降低5%). `quantity` and
    `condition` stand as they were written; `text` is the sentence or list entry, for quoting.
    """

    quantity: str
    comparator: Comparator
    low: float | None
    high: float | None
    unit: str
    change: Change
    condition: str | None
    text: str


@dataclass(frozen=True, slots=True)
class IndicatorVerdict:
    """A figure asked for, what the other side makes of it, and the figure that was compared; None where none was."""

    asked: Indicator
    verdict: Verdict
    answered: Indicator | None
