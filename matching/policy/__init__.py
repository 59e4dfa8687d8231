"""What the market wants of a list besides good pairs: order that does not depend on chance, conflicts marked."""

from dataclasses import replace

from matching.signals.base import Pair
from matching.types import Match, Reading

OWN_ORGANIZATION = "own_organization"


def conflicts_of(pair: Pair, readings: list[Reading]) -> tuple[str, ...]:
    """What stands against a pair: what signals found, and that both sides are one organization. Hides nothing."""
    found = [reading.conflict for reading in readings if reading.conflict is not None]
    owner = pair.need.profile.organization
    if owner is not None and owner == pair.outcome.profile.organization:
        found.append(OWN_ORGANIZATION)
    return tuple(found)


def arrange(matches: list[Match], limit: int) -> list[Match]:
    """The best `limit` matches with their ranks. Equal scores are ordered by the ids, so equal input gives equal lists.

    A conflict is marked on its pair and hides nothing: people settle what papers rule out.
    """
    ordered = sorted(matches, key=lambda match: (-match.score, match.need_id, match.outcome_id))
    return [replace(match, rank=rank) for rank, match in enumerate(ordered[:limit], start=1)]
