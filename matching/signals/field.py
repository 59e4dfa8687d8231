"""How far apart the two sides' fields lie in the taxonomy: a field, its group, the section of industry."""

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

# Two fields of one group share more than a section of GB/T 4754, which may hold the whole of manufacturing.
SAME_GROUP, SAME_SECTION = 0.6, 0.5


def read(pair: Pair) -> Reading:
    """1 for the same field, 0.6 for the same group of fields, 0.5 for the same GB/T 4754 section only, else 0.

    None where a side states no field.
    """
    need, outcome = pair.need.profile.facets, pair.outcome.profile.facets
    if need.field is None or outcome.field is None:
        return Reading(None)
    if need.field == outcome.field:
        return Reading(1.0, (Evidence("same_field", (need.field,)),))
    if need.field_group is not None and need.field_group == outcome.field_group:
        return Reading(SAME_GROUP, (Evidence("same_group", (need.field_group,)),))
    if need.industry is not None and need.industry == outcome.industry:
        return Reading(SAME_SECTION, (Evidence("same_section", (need.industry,)),))
    return Reading(0.0, (Evidence("other_field", (need.field, outcome.field)),))


FIELD = Signal("field", read)
