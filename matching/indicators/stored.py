"""Indicators as a column of the index holds them: one row of plain values each, in the order of the fields."""

import json
from dataclasses import astuple
from typing import Any

from matching.indicators.types import Indicator

# Raised when the same text gives other indicators, so that profiles of older code can be told and written anew.
PARSER = 1


def to_json(indicators: tuple[Indicator, ...]) -> str:
    """The column's text.

    >>> from_json(to_json(())) == ()
    True
    """
    return json.dumps([astuple(indicator) for indicator in indicators], ensure_ascii=False)


def from_json(stored: Any) -> tuple[Indicator, ...]:
    """Indicators from the column, as text or as a driver's codec has read it already."""
    rows = json.loads(stored) if isinstance(stored, str | bytes) else stored
    return tuple(Indicator(*row) for row in rows)
