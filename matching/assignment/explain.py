"""Why a pair is in or out, read off prices that prove the assignment."""

from dataclasses import dataclass

import numpy as np

from matching.assignment.duality import prices_of
from matching.assignment.network import distances, flows_of, network_of
from matching.assignment.problem import PARTS, Problem, problem_of
from matching.assignment.types import Assignment, AssignmentError, Code, Flags, Full, Limit, Reason


def explain(assignment: Assignment, edge: int) -> Reason:
    """The reason of the edge at a position of `assignment.edges`. Raises AssignmentError where there is none.

    Codes: `chosen`; `chosen_for_floor`: a side gets no more than the floor, and no best choice without floors has the pair;
    `need_full`, `outcome_full`, `both_full`: places of the listing or of its organization go to better pairs;
    `kept_for_floor`: no probability would win a place from listings that would get too few, while without floors one
    would; `nothing_to_gain`: nobody would accept it; `below_least`.

    Among all prices that prove the assignment, those are taken that hold most against the edge, so its reduced cost is
    exactly what it lacks, but for the rounding of probabilities to parts of 2^-20. Finding them takes a search of the whole
    network, and a second one where there is a floor.
    """
    if not 0 <= edge < len(assignment.edges):
        raise AssignmentError(f"edge is {edge}: there are {len(assignment.edges)} edges, counted from 0")
    probability = float(assignment.edges.probability[edge])
    if probability < assignment.least:
        return Reason("below_least", probability, assignment.least - probability)
    if probability == 0:
        return Reason("nothing_to_gain", probability, None)
    closed = tuple(limit for limit, places in _capacities(assignment, edge).items() if places == 0)
    if closed:
        return Reason(_sides(closed), probability, None, tuple(Full(limit, None) for limit in closed))
    problem = problem_of(assignment.edges, assignment.capacities, assignment.floor, assignment.least)
    found = _look(problem, assignment.chosen, edge)
    free = _look(problem.without_floor(), assignment.chosen_without_floor, edge) if assignment.floor else found
    if assignment.chosen[edge]:
        for_floor = _fills_floor(assignment, edge) and not free.inside and free.margin > 0
        code: Code = "chosen_for_floor" if for_floor else "chosen"
        return Reason(code, probability, found.margin if found.margin <= probability - assignment.least else None)
    full = tuple(Full(limit, _last(assignment, edge, limit)) for limit in found.dear)
    if found.margin <= 1 - probability:
        return Reason(_sides(found.dear), probability, found.margin, full)
    reachable = free.inside or free.margin <= 1 - probability
    return Reason("kept_for_floor" if assignment.floor and reachable else _sides(found.dear), probability, None, full)


@dataclass(frozen=True, slots=True)
class _Look:
    """Whether the edge is in, by how much, and under which limits places have a price."""

    inside: bool
    margin: float
    dear: tuple[Limit, ...]


def _look(problem: Problem, chosen: Flags, edge: int) -> _Look:
    network = network_of(problem)
    flows = flows_of(problem, network, problem.positions(chosen))
    at = int(np.flatnonzero(problem.order == edge)[0])
    need, outcome, weight = int(problem.need[at]), int(problem.outcome[at]), int(problem.weight[at])
    inside = bool(chosen[edge])
    # One introduction more or less goes round a circle through the edge; the way back is what it costs the others.
    start, end = int(network.outcomes[outcome]), int(network.needs[need])
    if inside:
        start, end = end, start
    away = distances(network, flows, start)
    margin = (int(away[end]) + (weight if inside else -weight)) / PARTS
    prices = prices_of(problem, network, away)
    costs: dict[Limit, float] = {
        "need": prices.needs.listing[need],
        "need_organization": prices.needs.organization[problem.needs.owner[need]],
        "outcome": prices.outcomes.listing[outcome],
        "outcome_organization": prices.outcomes.organization[problem.outcomes.owner[outcome]],
    }
    return _Look(inside, margin, tuple(limit for limit, cost in costs.items() if cost > 0))


def _fills_floor(assignment: Assignment, edge: int) -> bool:
    sides = (assignment.edges.need, assignment.edges.outcome)
    return any(int(assignment.chosen[ends == ends[edge]].sum()) <= assignment.floor for ends in sides)


def _capacities(assignment: Assignment, edge: int) -> dict[Limit, int]:
    needs, outcomes = assignment.capacities.needs, assignment.capacities.outcomes
    need, outcome = assignment.edges.need[edge], assignment.edges.outcome[edge]
    return {
        "need": int(needs.listing[need]),
        "need_organization": int(needs.organization[needs.owner[need]]),
        "outcome": int(outcomes.listing[outcome]),
        "outcome_organization": int(outcomes.organization[outcomes.owner[outcome]]),
    }


def _sides(limits: tuple[Limit, ...]) -> Code:
    on_need = any(limit.startswith("need") for limit in limits)
    on_outcome = any(limit.startswith("outcome") for limit in limits)
    if on_need and on_outcome:
        return "both_full"
    return "need_full" if on_need else "outcome_full"


def _last(assignment: Assignment, edge: int, limit: Limit) -> int | None:
    """The edge that holds the last place under a limit; equal ones are told apart by need and outcome."""
    edges, capacities = assignment.edges, assignment.capacities
    ends, side = (edges.need, capacities.needs) if limit.startswith("need") else (edges.outcome, capacities.outcomes)
    group = side.owner[ends] if limit.endswith("organization") else ends
    inside = np.flatnonzero(assignment.chosen & (group == group[edge]))
    if not len(inside):
        return None
    by_floor = ~assignment.chosen_without_floor[inside]
    order = np.lexsort((edges.outcome[inside], edges.need[inside], edges.probability[inside], by_floor))
    return int(inside[order[0]])
