"""Small assignments, and every choice that there is in them."""

import math
from collections.abc import Iterator
from itertools import product

import numpy as np
from hypothesis import strategies as st

from matching.assignment import Capacities, Edges, SideCapacities

PARTS = 2**20
Instance = tuple[Edges, Capacities]


def edges_of(*rows: tuple[int, int, float]) -> Edges:
    need, outcome, probability = ([row[at] for row in rows] for at in range(3))
    return Edges(np.array(need, dtype=np.int64), np.array(outcome, dtype=np.int64), np.array(probability, dtype=float))


def side(listing: list[int], owner: list[int] | None = None, organization: list[int] | None = None) -> SideCapacities:
    """Listings with their capacities; without owners each is its own organization's, which sets no limit."""
    owner = list(range(len(listing))) if owner is None else owner
    organization = [sum(listing) + 1] * len(owner) if organization is None else organization
    return SideCapacities(*(np.array(values, dtype=np.int64) for values in (listing, owner, organization)))


@st.composite
def sides(draw: st.DrawFn, listings: int) -> SideCapacities:
    organizations = draw(st.integers(1, 2))
    counts = st.integers(0, 3)
    return side(
        draw(st.lists(counts, min_size=listings, max_size=listings)),
        draw(st.lists(st.integers(0, organizations - 1), min_size=listings, max_size=listings)),
        draw(st.lists(st.integers(0, 4), min_size=organizations, max_size=organizations)),
    )


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    """At most three needs, three outcomes and seven edges; few distinct probabilities, so that ties are common."""
    needs, outcomes = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    pairs = draw(st.lists(st.sampled_from(list(product(range(needs), range(outcomes)))), unique=True, max_size=7))
    eighths = st.integers(0, 8).map(lambda value: value / 8)
    probabilities = draw(st.lists(eighths | st.floats(0, 1), min_size=len(pairs), max_size=len(pairs)))
    edges = edges_of(*((*pair, p) for pair, p in zip(pairs, probabilities, strict=True)))
    return edges, Capacities(draw(sides(needs)), draw(sides(outcomes)))


floors = st.integers(0, 2)


def ends_of(edges: Edges, capacities: Capacities) -> list[tuple[np.ndarray, SideCapacities]]:
    return [(edges.need, capacities.needs), (edges.outcome, capacities.outcomes)]


def fits(edges: Edges, capacities: Capacities, chosen: np.ndarray) -> bool:
    for ends, limits in ends_of(edges, capacities):
        got = np.bincount(ends[chosen], minlength=len(limits.listing))
        together = np.bincount(limits.owner[ends[chosen]], minlength=len(limits.organization))
        if (got > limits.listing).any() or (together > limits.organization).any():
            return False
    return True


def shortfall(edges: Edges, capacities: Capacities, chosen: np.ndarray, floor: int) -> int:
    total = 0
    for ends, limits in ends_of(edges, capacities):
        got = np.bincount(ends[chosen], minlength=len(limits.listing))
        total += sum(max(0, floor - int(got[at])) for at in np.unique(ends))
    return total


def choices(edges: Edges, capacities: Capacities, least: float) -> Iterator[np.ndarray]:
    """Every set of edges with some hope that keeps to the capacities."""
    for marks in product((False, True), repeat=len(edges)):
        chosen = np.array(marks, dtype=bool)
        hopeful = edges.probability[chosen] > 0
        if hopeful.all() and (edges.probability[chosen] >= least).all() and fits(edges, capacities, chosen):
            yield chosen


def best_of(edges: Edges, capacities: Capacities, floor: int, least: float) -> tuple[int, float]:
    """The least total shortfall, and the greatest value with it."""
    found = [
        (shortfall(edges, capacities, chosen, floor), -math.fsum(edges.probability[chosen]))
        for chosen in choices(edges, capacities, least)
    ]
    missing, value = min(found)
    return missing, -value
