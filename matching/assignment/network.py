"""The assignment as a flow of least cost, and the distances in what the flow leaves open.

source → organization of needs → need → outcome → organization of outcomes → sink: an arc's room is the capacity, an edge's
cost is its weight below zero. A listing under a floor has two arcs to its organization, the first with the floor's reward.
What nobody introduces flows straight from source to sink. See R. K. Ahuja, T. L. Magnanti, J. B. Orlin, Network Flows
(1993), chapters 9 and 10; the solver is OR-Tools' cost-scaling push-relabel, which is exact over whole numbers.
"""

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from matching.assignment.problem import Problem
from matching.assignment.types import AssignmentError, Integers

SOURCE = 0


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Arcs with their room and cost, those of the problem's edges last. The four fields after them are nodes."""

    tails: Integers
    heads: Integers
    room: Integers
    cost: Integers
    need_organizations: Integers
    needs: Integers
    outcomes: Integers
    outcome_organizations: Integers
    sink: int
    supply: int


def network_of(problem: Problem) -> Network:
    """The network of a problem."""
    needs, outcomes = problem.needs, problem.outcomes
    sizes = [1, len(needs.organization), len(needs.listing), len(outcomes.listing), len(outcomes.organization)]
    sink = sum(sizes)
    nodes = np.split(np.arange(sink), np.cumsum(sizes)[:-1])
    buyers, asking, offering, sellers = nodes[1:]
    supply = min(int(needs.listing.sum()), int(outcomes.listing.sum())) + 1
    zeros = [np.zeros(len(each), dtype=np.int64) for each in nodes[1:]]
    groups: list[tuple[Integers, Integers, Integers, Integers]] = [
        (np.array([SOURCE]), np.array([sink]), np.array([supply + 1]), np.array([0])),
        (np.full_like(buyers, SOURCE), buyers, needs.organization, zeros[0]),
        (buyers[needs.owner], asking, needs.target, zeros[1] - problem.reward),
        (buyers[needs.owner], asking, needs.listing - needs.target, zeros[1]),
        (offering, sellers[outcomes.owner], outcomes.target, zeros[2] - problem.reward),
        (offering, sellers[outcomes.owner], outcomes.listing - outcomes.target, zeros[2]),
        (sellers, np.full_like(sellers, sink), outcomes.organization, zeros[3]),
        (asking[problem.need], offering[problem.outcome], np.ones_like(problem.weight), -problem.weight),
    ]
    tails, heads, room, cost = (np.concatenate(column).astype(np.int64) for column in zip(*groups, strict=True))
    return Network(tails, heads, room, cost, buyers, asking, offering, sellers, sink, supply)


def solve(problem: Problem, network: Network) -> Integers:
    """Positions of the edges in a flow of least cost. Raises AssignmentError where costs leave the solver's 64 bits."""
    solver = SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(network.tails, network.heads, network.room, network.cost)
    ends = np.array([SOURCE, network.sink])
    solver.set_nodes_supplies(ends, np.array([network.supply, -network.supply]))
    status = solver.solve()
    if status != SimpleMinCostFlow.OPTIMAL:
        raise AssignmentError(f"edges: the flow has no solution ({status.name}); split the batch into smaller ones")
    return np.flatnonzero(solver.flows(arcs[-len(problem.weight) :])) if len(problem.weight) else arcs[:0]


def flows_of(problem: Problem, network: Network, chosen: Integers) -> Integers:
    """What every arc carries when these edges are chosen, in the order of the network's arcs; floors are filled first."""
    sides = []
    for side, ends in ((problem.needs, problem.need), (problem.outcomes, problem.outcome)):
        listing = np.bincount(ends[chosen], minlength=len(side.listing))
        organization = np.bincount(side.owner[ends[chosen]], minlength=len(side.organization))
        floor = np.minimum(listing, side.target)
        sides.append((organization, floor, listing - floor))
    (buyers, asking, asking_more), (sellers, offering, offering_more) = sides
    edges = np.zeros(len(problem.weight), dtype=np.int64)
    edges[chosen] = 1
    straight = np.array([network.supply - len(chosen)])
    return np.concatenate([straight, buyers, asking, asking_more, offering, offering_more, sellers, edges])


def distances(network: Network, flows: Integers, start: int) -> Integers:
    """Least cost from a node to every node, over arcs that the flow leaves open.

    Bellman and Ford's method; each round follows the arcs of all nodes that came nearer in the last one, so that long chains
    take many rounds but short ones. It ends, since an optimal flow leaves no cycle of negative cost. A node out of reach is
    as far as no path could be long.
    """
    onward, back = flows < network.room, flows > 0
    tails = np.concatenate([network.tails[onward], network.heads[back]])
    order = np.argsort(tails, kind="stable")
    heads = np.concatenate([network.heads[onward], network.tails[back]])[order]
    cost = np.concatenate([network.cost[onward], -network.cost[back]])[order]
    nodes = network.sink + 1
    leaving = np.bincount(tails, minlength=nodes)
    firsts = np.cumsum(leaving) - leaving
    away = np.full(nodes, nodes * (int(np.abs(network.cost).max()) + 1), dtype=np.int64)
    away[start] = 0
    nearer = np.arange(nodes)
    while len(nearer):
        counts = leaving[nearer]
        skipped = np.repeat(firsts[nearer] - (np.cumsum(counts) - counts), counts)
        arcs = skipped + np.arange(len(skipped))
        before = away.copy()
        np.minimum.at(away, heads[arcs], np.repeat(before[nearer], counts) + cost[arcs])
        nearer = np.flatnonzero(away < before)
    return away
