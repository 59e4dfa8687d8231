"""Whether the outcome is mature enough for what the need can take up (TRL 1 to 9, GB/T 22900)."""

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

# A step short of what is asked can be worked on together; three steps are a different project.
PER_STEP = 1 / 3
CONFLICT_FROM = 3


def read(pair: Pair) -> Reading:
    """1 if the level is reached, a third less for each level short of it; a conflict from three levels on."""
    wanted, reached = pair.need.profile.facets.maturity, pair.outcome.profile.facets.maturity
    if wanted is None or reached is None:
        return Reading(None)
    short = max(0, wanted - reached)
    code = "maturity_short" if short else "maturity_reached"
    conflict = "maturity" if short >= CONFLICT_FROM else None
    return Reading(max(0.0, 1 - PER_STEP * short), (Evidence(code, (str(reached), str(wanted))),), conflict)


MATURITY = Signal("maturity", read)
