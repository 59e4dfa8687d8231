"""The problem in whole numbers: what the solver and the proof both work on."""

from dataclasses import dataclass, replace

import numpy as np

from matching.assignment.types import Capacities, Doubles, Edges, Flags, Integers, SideCapacities

# Probabilities are counted in parts of 1/2^20. A power of two, so that scaling a floating-point number is exact; rounded up,
# so that a bound on the parts bounds the probabilities. An optimum in parts lacks at most 2^-20 per introduction.
PARTS = 2**20


def parts(probability: Doubles) -> Integers:
    """Probabilities as whole parts, rounded up.

    >>> parts(np.array([0.0, 0.5, 1e-9, 1.0])).tolist()
    [0, 524288, 1, 1048576]
    """
    return np.ceil(probability.astype(np.float64) * PARTS).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ProblemSide:
    """One side. `listing` and `organization` are capacities, cut to one more than the edges that could ever use them;
    `target` is the part of the floor that a listing could reach alone: by its capacity and its edges."""

    listing: Integers
    owner: Integers
    organization: Integers
    target: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Edges that may be chosen, in order of need and outcome, so that the order they were given in decides nothing.

    `order[j]` is where edge j was given; `weight[j]` is its probability in parts. `reward` is what one introduction under a
    floor counts besides its weight: more than all introductions could be worth together, so that floors come first.
    """

    order: Integers
    need: Integers
    outcome: Integers
    weight: Integers
    needs: ProblemSide
    outcomes: ProblemSide
    reward: int

    def without_floor(self) -> "Problem":
        """The same with no floor."""
        return replace(
            self,
            needs=replace(self.needs, target=np.zeros_like(self.needs.target)),
            outcomes=replace(self.outcomes, target=np.zeros_like(self.outcomes.target)),
        )

    def positions(self, marked: Flags) -> Integers:
        """Positions in this problem of the edges that are marked in the order given."""
        return np.flatnonzero(marked[self.order])

    def covered(self, chosen: Integers) -> int:
        """How many introductions under the floors the chosen edges (positions in this problem) give, both sides together."""
        total = 0
        for side, ends in ((self.needs, self.need), (self.outcomes, self.outcome)):
            got = np.bincount(ends[chosen], minlength=len(side.listing))
            total += int(np.minimum(got, side.target).sum())
        return total


def problem_of(edges: Edges, capacities: Capacities, floor: int, least: float) -> Problem:
    """The problem of checked input, without edges below `least`, those that nobody would accept, and those where an end
    can answer nothing."""
    usable = (edges.probability >= least) & (edges.probability > 0)
    for side, ends in ((capacities.needs, edges.need), (capacities.outcomes, edges.outcome)):
        answers = (
            (side.listing > 0) & (side.organization[side.owner] > 0) if len(side.organization) else side.listing > 0
        )
        if len(ends):
            usable = usable & answers[ends]
    order = np.lexsort((edges.outcome, edges.need))
    order = order[usable[order]]
    need, outcome = edges.need[order].astype(np.int64), edges.outcome[order].astype(np.int64)
    needs, outcomes = _side(capacities.needs, need, floor), _side(capacities.outcomes, outcome, floor)
    most = min(int(needs.listing.sum()), int(outcomes.listing.sum()))
    weight = parts(edges.probability[order])
    return Problem(order, need, outcome, weight, needs, outcomes, reward=(most + 1) * PARTS)


def _side(side: SideCapacities, ends: Integers, floor: int) -> ProblemSide:
    owner = side.owner.astype(np.int64)
    degrees = np.bincount(ends, minlength=len(side.listing))
    together = np.bincount(owner[ends], minlength=len(side.organization))
    # One more than the degree: a capacity that was cut never looks full.
    listing = np.minimum(side.listing, degrees + 1).astype(np.int64)
    organization = np.minimum(side.organization, together + 1).astype(np.int64)
    target = np.minimum(np.minimum(listing, degrees), floor).astype(np.int64)
    return ProblemSide(listing, owner, organization, target)
