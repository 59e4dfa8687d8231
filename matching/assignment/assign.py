"""Choose the pairs of a whole batch."""

import math

import numpy as np

from matching.assignment.duality import bound_of, prices_of
from matching.assignment.network import SOURCE, distances, flows_of, network_of, solve
from matching.assignment.problem import Problem, problem_of
from matching.assignment.types import (
    Assignment,
    Capacities,
    Edges,
    Flags,
    Integers,
    Prices,
    Shortfall,
    Side,
)
from matching.assignment.validation import check


def assign(edges: Edges, capacities: Capacities, *, floor: int = 0, least: float = 0.0) -> Assignment:
    """The set of edges with the greatest expected number of accepted introductions within all capacities.

    Every listing that stands on an edge, need or outcome, should get at least `floor` introductions: as many of these as
    can be had together come first, and among such choices the value decides. Those that get fewer are in `shortfalls`.
    Edges below the probability `least`, and those of probability 0, are never chosen. The order of edges changes nothing,
    ties included. Raises AssignmentError, which names the field, on bad input.

    >>> from matching.assignment.types import SideCapacities
    >>> alone = SideCapacities(np.array([1, 1]), np.array([0, 1]), np.array([1, 1]))
    >>> edges = Edges(np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([0.9, 0.5, 0.6]))
    >>> done = assign(edges, Capacities(alone, alone))
    >>> done.chosen.tolist(), round(done.value, 3), round(done.bound, 3)
    ([False, True, True], 1.1, 1.1)
    """
    check(edges, capacities, floor, least)
    problem = problem_of(edges, capacities, int(floor), least)
    network = network_of(problem)
    positions = solve(problem, network)
    away = distances(network, flows_of(problem, network, positions), SOURCE)
    prices = prices_of(problem, network, away)
    free = problem.without_floor()
    chosen = _marked(problem, positions, len(edges))
    freely = _marked(free, solve(free, network_of(free)), len(edges)) if floor else chosen
    return Assignment(
        edges=edges,
        capacities=capacities,
        floor=int(floor),
        least=least,
        chosen=chosen,
        value=_value(edges, chosen),
        bound=bound_of(problem, problem.covered(positions), prices),
        shortfalls=_shortfalls(edges, capacities, chosen, int(floor)),
        prices=prices,
        chosen_without_floor=freely,
        value_without_floor=_value(edges, freely),
    )


def proven_bound(assignment: Assignment, prices: Prices) -> float:
    """The bound that some prices prove for an assignment's edges and capacities; no solver takes part.

    It holds for every choice that gives listings under the floor at least as many introductions in sum as this one does.
    """
    problem = problem_of(assignment.edges, assignment.capacities, assignment.floor, assignment.least)
    return bound_of(problem, problem.covered(problem.positions(assignment.chosen)), prices)


def _marked(problem: Problem, positions: Integers, edges: int) -> Flags:
    chosen = np.zeros(edges, dtype=np.bool_)
    chosen[problem.order[positions]] = True
    return chosen


def _value(edges: Edges, chosen: Flags) -> float:
    return math.fsum(edges.probability[chosen].tolist())


def _shortfalls(edges: Edges, capacities: Capacities, chosen: Flags, floor: int) -> tuple[Shortfall, ...]:
    found: list[Shortfall] = []
    sides: tuple[tuple[Side, Integers, int], ...] = (
        ("need", edges.need, len(capacities.needs.listing)),
        ("outcome", edges.outcome, len(capacities.outcomes.listing)),
    )
    for side, ends, count in sides:
        stands = np.bincount(ends, minlength=count) > 0
        missing = np.where(stands, floor - np.bincount(ends[chosen], minlength=count), 0)
        found.extend(Shortfall(side, int(at), int(missing[at])) for at in np.flatnonzero(missing > 0))
    return tuple(found)
