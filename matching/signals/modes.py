"""Whether the two sides can agree on a way to work together."""

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading


def read(pair: Pair) -> Reading:
    """1 if a mode of the need is among the outcome's, else 0 and a conflict; None where a side states none."""
    need, outcome = pair.need.profile.facets.modes, pair.outcome.profile.facets.modes
    if not need or not outcome:
        return Reading(None)
    shared = sorted(need & outcome)
    if shared:
        return Reading(1.0, (Evidence("shared_modes", tuple(shared)),))
    return Reading(0.0, (Evidence("no_shared_mode"),), conflict="modes")


MODES = Signal("modes", read)
