"""Where the two sides are, as cooperation between regions sees it."""

from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

# Listed partners of a need come first, then neighbours, then the east-west pairs that programmes support.
PARTNER, SAME_PROVINCE, EAST_WEST, ELSEWHERE = 1.0, 0.8, 0.6, 0.5


def read(pair: Pair) -> Reading:
    """1 for a region that the need would like a partner from, 0.8 within a province, 0.6 east to west, else 0.5."""
    need, outcome = pair.need.profile.facets, pair.outcome.profile.facets
    if outcome.region is None:
        return Reading(None)
    province = outcome.region[:2] + "0000"
    prefecture = outcome.region[:4] + "00"
    if need.partner_regions & {outcome.region, prefecture, province}:
        return Reading(PARTNER, (Evidence("partner_region", (outcome.region,)),))
    if need.region is None:
        return Reading(None)
    if need.region[:2] == outcome.region[:2]:
        return Reading(SAME_PROVINCE, (Evidence("same_province", (province,)),))
    if (need.region_class, outcome.region_class) == ("west", "east"):
        return Reading(EAST_WEST, (Evidence("east_to_west", (province,)),))
    return Reading(ELSEWHERE, (Evidence("other_province", (province,)),))


REGION = Signal("region", read)
