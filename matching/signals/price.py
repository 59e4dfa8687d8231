"""Whether the asking price lies within the budget."""

from decimal import Decimal

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

# Twice the budget is beyond what is usually settled in talks.
CONFLICT_RATIO = 2.0


def read(pair: Pair) -> Reading:
    """1 if the lowest price asked is within the highest budget, falling to 0 at twice the budget, then a conflict."""
    need, outcome = pair.need.profile.facets, pair.outcome.profile.facets
    budget = need.price_max if need.price_max is not None else need.price_min
    asked = outcome.price_min if outcome.price_min is not None else outcome.price_max
    if budget is None or asked is None or budget == 0 or need.currency != outcome.currency:
        return Reading(None)
    ratio = float(asked / budget)
    values = (_plain(asked), _plain(budget), need.currency)
    if ratio <= 1:
        return Reading(1.0, (Evidence("within_budget", values),))
    conflict = "price" if ratio >= CONFLICT_RATIO else None
    return Reading(max(0.0, 2 - ratio), (Evidence("above_budget", values),), conflict)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


PRICE = Signal("price", read)
