"""Prices of places, and the bound that they prove.

The greatest value is a linear program: x of an edge between 0 and 1, and capacities as sums. For any prices of places that
are not negative, what edges are worth above the prices of their places, plus what all places cost, is at least the value of
any choice (weak duality: G. B. Dantzig, Linear Programming and Extensions, 1963, chapter 6). So whoever has the prices can
check the bound by adding up, and need not trust the solver that found them.
"""

import numpy as np

from matching.assignment.network import SOURCE, Network
from matching.assignment.problem import PARTS, Problem, ProblemSide
from matching.assignment.types import Doubles, Integers, Prices, SidePrices


def prices_of(problem: Problem, network: Network, away: Integers) -> Prices:
    """Prices that prove an optimal flow, from the distances that it leaves open, whichever node they start from.

    With those from an edge's own outcome, the edge's need costs as much, against that outcome, as in any proof.
    """
    potential = away - away[SOURCE]
    return Prices(
        _side(problem.needs, potential[network.needs], potential[network.need_organizations], problem.reward),
        _side(
            problem.outcomes, -potential[network.outcomes], -potential[network.outcome_organizations], problem.reward
        ),
    )


def _side(side: ProblemSide, listings: Integers, organizations: Integers, reward: int) -> SidePrices:
    """Split what a place costs in all: the organization's part, and the listing's above it or the floor's below it."""
    organization = np.maximum(organizations, 0)
    rest = listings - organization[side.owner]
    floor = np.where(side.target > 0, np.clip(-rest, 0, reward), 0)
    return SidePrices(np.maximum(rest, 0) / PARTS, organization / PARTS, floor / PARTS)


def bound_of(problem: Problem, covered: int, prices: Prices) -> float:
    """The most that any choice is worth which gives at least `covered` introductions under the floors.

    Sum over edges of max(0, weight + floors - places), plus sum over places of price x capacity, plus, for each listing,
    (reward - floor) x target, less reward x covered. Added up in whole numbers, so nothing is lost to rounding.
    """
    needs, outcomes = _whole(prices.needs), _whole(prices.outcomes)
    worth = (
        problem.weight
        + _paid(needs, problem.needs.owner)[problem.need]
        + _paid(outcomes, problem.outcomes.owner)[problem.outcome]
    )
    total = sum(worth[worth > 0].tolist())
    for side, (listing, organization, floor) in ((problem.needs, needs), (problem.outcomes, outcomes)):
        total += _product(listing, side.listing) + _product(organization, side.organization)
        total += _product(np.maximum(problem.reward - floor, 0), side.target)
    return float((total - problem.reward * covered) / PARTS)


def _whole(side: SidePrices) -> tuple[Integers, Integers, Integers]:
    listing, organization, floor = (_parts(values) for values in (side.listing, side.organization, side.floor))
    return listing, organization, floor


def _parts(prices: Doubles) -> Integers:
    # Any whole numbers from 0 prove a bound, so rounding does no harm.
    return np.maximum(np.rint(prices * PARTS), 0).astype(np.int64)


def _paid(side: tuple[Integers, Integers, Integers], owner: Integers) -> Integers:
    listing, organization, floor = side
    return floor - listing - organization[owner]


def _product(prices: Integers, amounts: Integers) -> int:
    # Python's integers: prices with rewards in them, times capacities, may pass 64 bits.
    used = prices > 0
    return sum(price * amount for price, amount in zip(prices[used].tolist(), amounts[used].tolist(), strict=True))
