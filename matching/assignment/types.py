"""What goes into an assignment and what comes out: arrays over edges, over listings and over organizations."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]
Doubles = NDArray[np.float64]
Flags = NDArray[np.bool_]

Side = Literal["need", "outcome"]
Limit = Literal["need", "need_organization", "outcome", "outcome_organization"]
Code = Literal[
    "chosen",
    "chosen_for_floor",
    "need_full",
    "outcome_full",
    "both_full",
    "kept_for_floor",
    "nothing_to_gain",
    "below_least",
]


class AssignmentError(ValueError):
    """The input cannot be assigned; the message names the field, the rule and where it is broken."""


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs that may be introduced, one entry each: indices of need and outcome, and the probability (0 to 1) that the
    introduction is accepted. A pair stands here once."""

    need: Integers
    outcome: Integers
    probability: Doubles

    def __len__(self) -> int:
        return len(self.need)


@dataclass(frozen=True, slots=True, eq=False)
class SideCapacities:
    """How many introductions one side can answer: `listing[i]` of listing i, `organization[k]` of organization k with all
    its listings together. `owner[i]` is the organization of listing i."""

    listing: Integers
    owner: Integers
    organization: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Capacities:
    """Both sides. An organization with needs and outcomes stands on each side, with a capacity for each part that it plays."""

    needs: SideCapacities
    outcomes: SideCapacities


@dataclass(frozen=True, slots=True, eq=False)
class SidePrices:
    """What a place costs on one side, in expected accepted introductions: at a listing, at its organization, and what the
    floor pays towards an introduction of a listing that would get too few. None is below zero."""

    listing: Doubles
    organization: Doubles
    floor: Doubles


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """Dual prices of all places. Any prices prove a bound (`bound_of`); those of an assignment prove a tight one."""

    needs: SidePrices
    outcomes: SidePrices


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A listing that gets `missing` introductions fewer than the floor."""

    side: Side
    listing: int
    missing: int


@dataclass(frozen=True, slots=True, eq=False)
class Assignment:
    """The pairs to introduce, and the proof.

    `chosen` marks edges in the order given. `value` is the expected number of accepted introductions; no choice that leaves
    as few floors open has more than `bound`, which `prices` prove. `chosen_without_floor` is the best choice that knows no
    floor, and `value_without_floor` what it is worth: the difference is what the floor costs.
    """

    edges: Edges
    capacities: Capacities
    floor: int
    least: float
    chosen: Flags
    value: float
    bound: float
    shortfalls: tuple[Shortfall, ...]
    prices: Prices
    chosen_without_floor: Flags
    value_without_floor: float

    @property
    def ratio(self) -> float:
        """Value by bound, 1 where there is nothing to gain."""
        return self.value / self.bound if self.bound > 0 else 1.0


@dataclass(frozen=True, slots=True)
class Full:
    """A capacity that keeps a pair out, and the edge that holds the last place: the least probable one that needs no floor
    to be in, or else the least probable. None where the capacity is 0."""

    limit: Limit
    last: int | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an edge is in or out.

    `margin` belongs to the probability: an edge that is out would have to gain this much to get in, one that is in could
    lose this much and stay. None: no probability would change it. `full` names what keeps it out.
    """

    code: Code
    probability: float
    margin: float | None
    full: tuple[Full, ...] = ()
