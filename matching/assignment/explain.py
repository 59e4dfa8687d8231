"""Why a pair is in or out, read off the prices."""

from dataclasses import dataclass

import numpy as np

from matching.assignment.problem import PARTS, parts
from matching.assignment.types import (
    Assignment,
    AssignmentError,
    Code,
    Doubles,
    Flags,
    Full,
    Integers,
    Limit,
    Prices,
    Reason,
    SideCapacities,
    SidePrices,
)


@dataclass(frozen=True, slots=True)
class _Places:
    """What an edge would pay for a place under each limit, and what floors pay towards it."""

    costs: dict[Limit, float]
    floors: float

    @property
    def total(self) -> float:
        return sum(self.costs.values()) - self.floors


def explain(assignment: Assignment, edge: int) -> Reason:
    """The reason of the edge at a position of `assignment.edges`. Raises AssignmentError where there is none.

    Codes: `chosen`; `chosen_for_floor`: no best choice without floors has it, and floors pay for its places; `need_full`, `outcome_full`, `both_full`: places
    of the listing or of its organization go to better pairs; `kept_for_floor`: no probability would win
    a place from listings that would get too few, while without floors one would; `nothing_to_gain`: nobody would accept it; `below_least`.

    An edge is worth its probability less what its places cost. Where the prices differ between both proofs, each gives a
    margin that is not too large, so the greater one counts. It is exact where only one side is full.
    """
    if not 0 <= edge < len(assignment.edges):
        raise AssignmentError(f"edge is {edge}: there are {len(assignment.edges)} edges, counted from 0")
    probability = float(assignment.edges.probability[edge])
    if probability < assignment.least:
        return Reason("below_least", probability, assignment.least - probability)
    worth = int(parts(assignment.edges.probability[edge : edge + 1])[0]) / PARTS
    places = [_places(assignment, edge, prices) for prices in assignment.prices]
    if assignment.chosen[edge]:
        spare = max(worth - each.total for each in places)
        code: Code = "chosen_for_floor" if _for_floor(assignment, np.array([edge]))[0] else "chosen"
        return Reason(code, probability, spare if spare <= probability - assignment.least else None)
    closed = [limit for limit, capacity in _capacities(assignment, edge).items() if capacity == 0]
    if closed:
        return Reason(_sides(closed), probability, None, tuple(Full(limit, 0.0, None) for limit in closed))
    dearest = max(places, key=lambda each: each.total)
    missing = dearest.total - worth
    full = tuple(
        Full(limit, price, _last(assignment, edge, limit)) for limit, price in dearest.costs.items() if price > 0
    )
    if not full:
        return Reason("nothing_to_gain", probability, missing)
    code = _sides([each.limit for each in full])
    if missing <= 1 - probability:
        return Reason(code, probability, missing, full)
    if all(_places(assignment, edge, prices).total <= 1 for prices in assignment.prices_without_floor):
        code = "kept_for_floor"
    return Reason(code, probability, None, full)


def _places(assignment: Assignment, edge: int, prices: Prices) -> _Places:
    need, outcome = int(assignment.edges.need[edge]), int(assignment.edges.outcome[edge])
    owners = assignment.capacities.needs.owner[need], assignment.capacities.outcomes.owner[outcome]
    costs: dict[Limit, float] = {
        "need": float(prices.needs.listing[need]),
        "need_organization": float(prices.needs.organization[owners[0]]),
        "outcome": float(prices.outcomes.listing[outcome]),
        "outcome_organization": float(prices.outcomes.organization[owners[1]]),
    }
    return _Places(costs, float(prices.needs.floor[need] + prices.outcomes.floor[outcome]))


def _capacities(assignment: Assignment, edge: int) -> dict[Limit, int]:
    needs, outcomes = assignment.capacities.needs, assignment.capacities.outcomes
    need, outcome = assignment.edges.need[edge], assignment.edges.outcome[edge]
    return {
        "need": int(needs.listing[need]),
        "need_organization": int(needs.organization[needs.owner[need]]),
        "outcome": int(outcomes.listing[outcome]),
        "outcome_organization": int(outcomes.organization[outcomes.owner[outcome]]),
    }


def _sides(limits: list[Limit]) -> Code:
    on_need = any(limit.startswith("need") for limit in limits)
    on_outcome = any(limit.startswith("outcome") for limit in limits)
    if on_need and on_outcome:
        return "both_full"
    return "need_full" if on_need else "outcome_full"


def _last(assignment: Assignment, edge: int, limit: Limit) -> int | None:
    """The edge that holds the last place under a limit: one that its own probability brought in, or else the floor."""
    edges, capacities = assignment.edges, assignment.capacities
    on_need = limit.startswith("need")
    ends, side = (edges.need, capacities.needs) if on_need else (edges.outcome, capacities.outcomes)
    group = side.owner[ends] if limit.endswith("organization") else ends
    inside = np.flatnonzero(assignment.chosen & (group == group[edge]))
    if not len(inside):
        return None
    rank = np.lexsort(
        (edges.outcome[inside], edges.need[inside], edges.probability[inside], _for_floor(assignment, inside))
    )
    return int(inside[rank[0]])


def _for_floor(assignment: Assignment, chosen: Integers) -> Flags:
    """Which chosen edges cost more than they are worth without floors, and still do with them, so that floors pay the rest."""
    before = [_outpriced(assignment, chosen, prices) for prices in assignment.prices_without_floor]
    after = [_outpriced(assignment, chosen, prices) for prices in assignment.prices]
    found: Flags = np.logical_or(*before) & np.logical_and(*after)
    return found


def _outpriced(assignment: Assignment, positions: Integers, prices: Prices) -> Flags:
    edges, capacities = assignment.edges, assignment.capacities
    cost = _cost(prices.needs, capacities.needs, edges.need[positions])
    cost = cost + _cost(prices.outcomes, capacities.outcomes, edges.outcome[positions])
    outpriced: Flags = parts(edges.probability[positions]) / PARTS < cost
    return outpriced


def _cost(prices: SidePrices, side: SideCapacities, listings: Integers) -> Doubles:
    cost: Doubles = prices.listing[listings] + prices.organization[side.owner[listings]]
    return cost
