"""How long ago the outcome was published: old listings answer less often."""

from matching.signals.base import Pair, Signal
from matching.types import Reading

HALF_LIFE_DAYS = 730


def read(pair: Pair) -> Reading:
    """Halves every two years since publication; None where the date is unknown."""
    published = pair.outcome.profile.facets.published_on
    if published is None:
        return Reading(None)
    days = max(0, (pair.today - published).days)
    return Reading(0.5 ** (days / HALF_LIFE_DAYS))


FRESHNESS = Signal("freshness", read)
