"""What signals look at: a pair of embedded profiles, always with the need as the one that asks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from matching.index.candidates import Rarity
from matching.index.tokens import TokenRarity
from matching.types import EmbeddedProfile, Reading


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """A need and an outcome, with what both are seen against.

    A pair is read the same way whichever side asked, so that it has one score.
    """

    need: EmbeddedProfile
    outcome: EmbeddedProfile
    rarity: Rarity
    token_rarity: TokenRarity
    today: date


@dataclass(frozen=True, slots=True)
class Signal:
    """A named reading of a pair."""

    name: str
    read: Callable[[Pair], Reading]


def cosine_share(cosine: float) -> float:
    """A cosine as a number from 0 to 1.

    >>> cosine_share(-0.2), cosine_share(0.5)
    (0.0, 0.5)
    """
    return min(1.0, max(0.0, cosine))
