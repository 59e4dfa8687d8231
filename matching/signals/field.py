"""Whether both sides belong to the same focus field, or at least to the same section of industry."""

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

SAME_SECTION = 0.5


def read(pair: Pair) -> Reading:
    """1 for the same field, 0.5 for the same GB/T 4754 section only, else 0; None where a side states no field."""
    need, outcome = pair.need.profile.facets, pair.outcome.profile.facets
    if need.field is None or outcome.field is None:
        return Reading(None)
    if need.field == outcome.field:
        return Reading(1.0, (Evidence("same_field", (need.field,)),))
    if need.industry is not None and need.industry == outcome.industry:
        return Reading(SAME_SECTION, (Evidence("same_section", (need.industry,)),))
    return Reading(0.0, (Evidence("other_field", (need.field, outcome.field)),))


FIELD = Signal("field", read)
