"""A whole batch at once: against every subset of small instances, and its proof against the solver's word."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.assignment import (
    Assignment,
    AssignmentError,
    Capacities,
    Edges,
    Prices,
    Shortfall,
    SideCapacities,
    SidePrices,
    assign,
    proven_bound,
)
from tests.matching.assignments import (
    PARTS,
    Instance,
    best_of,
    choices,
    edges_of,
    fits,
    floors,
    instances,
    shortfall,
    side,
)


def missing_in(assignment: Assignment) -> int:
    return sum(each.missing for each in assignment.shortfalls)


@settings(max_examples=200, deadline=None)
@given(instances(), floors, st.sampled_from([0.0, 0.0, 0.3]))
def test_nothing_is_better_than_what_is_chosen(instance: Instance, floor: int, least: float) -> None:
    edges, capacities = instance
    done = assign(edges, capacities, floor=floor, least=least)
    assert fits(edges, capacities, done.chosen)
    assert (edges.probability[done.chosen] >= least).all()
    missing, value = best_of(edges, capacities, floor, least)
    assert missing_in(done) == missing == shortfall(edges, capacities, done.chosen, floor)
    # Probabilities are counted in whole parts of 1/2^20, so each introduction may hide less than one part.
    rounding = len(edges) / PARTS
    assert value - rounding <= done.value == math.fsum(edges.probability[done.chosen])
    assert done.value <= value <= done.bound <= value + rounding
    assert abs(done.value_without_floor - best_of(edges, capacities, 0, least)[1]) <= rounding


prices_of_places = st.integers(0, 2 * PARTS).map(lambda value: value / PARTS)


@settings(max_examples=100, deadline=None)
@given(instances(), floors, st.data())
def test_any_prices_bound_every_choice_that_keeps_the_floors_as_well(instance: Instance, floor: int, data) -> None:
    edges, capacities = instance

    def some(limits: SideCapacities) -> SidePrices:
        lengths = (len(limits.listing), len(limits.organization), len(limits.listing))
        return SidePrices(*(np.array(data.draw(st.lists(prices_of_places, min_size=n, max_size=n))) for n in lengths))

    prices = Prices(some(capacities.needs), some(capacities.outcomes))
    done = assign(edges, capacities, floor=floor)
    bound = proven_bound(done, prices)
    assert done.value <= done.bound <= bound
    for chosen in choices(edges, capacities, 0.0):
        if shortfall(edges, capacities, chosen, floor) <= missing_in(done):
            assert math.fsum(edges.probability[chosen]) <= bound


@settings(max_examples=50, deadline=None)
@given(instances(), floors)
def test_the_prices_that_come_with_it_prove_the_bound(instance: Instance, floor: int) -> None:
    done = assign(*instance, floor=floor)
    assert proven_bound(done, done.prices) == done.bound


@settings(max_examples=100, deadline=None)
@given(instances(), floors, st.randoms(use_true_random=False))
def test_the_order_of_edges_changes_nothing(instance: Instance, floor: int, random) -> None:
    edges, capacities = instance
    order = list(range(len(edges)))
    random.shuffle(order)
    shuffled = Edges(edges.need[order], edges.outcome[order], edges.probability[order])
    first, second = assign(edges, capacities, floor=floor), assign(shuffled, capacities, floor=floor)
    assert first.chosen[order].tolist() == second.chosen.tolist()
    assert (first.value, first.bound, first.shortfalls) == (second.value, second.bound, second.shortfalls)


@settings(max_examples=100, deadline=None)
@given(instances(), floors)
def test_needs_and_outcomes_may_change_places(instance: Instance, floor: int) -> None:
    edges, capacities = instance
    turned = Edges(edges.outcome, edges.need, edges.probability)
    first = assign(edges, capacities, floor=floor)
    second = assign(turned, Capacities(capacities.outcomes, capacities.needs), floor=floor)
    assert first.bound == second.bound
    assert missing_in(first) == missing_in(second)


def test_the_best_outcome_is_not_sent_to_everybody() -> None:
    # Both needs like outcome 0 best. Greedy takes 0.9 + 0.1; together 0.8 + 0.7 is more.
    edges = edges_of((0, 0, 0.9), (0, 1, 0.8), (1, 0, 0.7), (1, 1, 0.1))
    done = assign(edges, Capacities(side([1, 1]), side([1, 1])))
    assert done.chosen.tolist() == [False, True, True, False]
    assert done.value == pytest.approx(0.8 + 0.7)
    assert done.ratio == pytest.approx(1, abs=2 / PARTS)


def test_an_organization_answers_for_all_its_listings_together() -> None:
    # Two outcomes of one organization that can answer two introductions, of which either outcome could take two.
    edges = edges_of((0, 0, 0.9), (1, 0, 0.3), (0, 1, 0.5), (1, 1, 0.4))
    done = assign(edges, Capacities(side([2, 2]), side([2, 2], [0, 0], [2])))
    assert done.chosen.tolist() == [True, False, True, False]


def test_a_floor_comes_before_value_and_its_price_is_told() -> None:
    # Alone, 0.9 is worth more than 0.2 + 0.5, but need 1 and outcome 1 would get nothing.
    edges = edges_of((0, 0, 0.9), (0, 1, 0.2), (1, 0, 0.5))
    done = assign(edges, Capacities(side([1, 1]), side([1, 1])), floor=1)
    assert done.chosen.tolist() == [False, True, True]
    assert done.shortfalls == ()
    assert (done.value, done.value_without_floor) == pytest.approx((0.2 + 0.5, 0.9))


def test_where_a_floor_is_out_of_reach_the_shortfall_is_told() -> None:
    edges = edges_of((0, 0, 0.9), (0, 1, 0.2))
    done = assign(edges, Capacities(side([1, 5]), side([5, 5])), floor=1)
    assert done.shortfalls == (Shortfall("outcome", 1, 1),)
    assert done.value == 0.9
    # Need 1 stands on no edge: nothing is promised to it.
    assert assign(edges_of((0, 0, 0.9)), Capacities(side([0, 1]), side([1])), floor=2).shortfalls == (
        Shortfall("need", 0, 2),
        Shortfall("outcome", 0, 2),
    )


def test_nothing_in_nothing_out() -> None:
    empty = assign(edges_of(), Capacities(side([]), side([])), floor=3)
    assert (empty.chosen.tolist(), empty.value, empty.bound, empty.ratio, empty.shortfalls) == ([], 0, 0, 1, ())
    idle = assign(edges_of(), Capacities(side([2]), side([0])), floor=1)
    assert (idle.value, idle.bound, idle.shortfalls) == (0, 0, ())


def test_capacities_may_be_as_large_as_they_come() -> None:
    endless = side([2**62, 2**62], [0, 0], [2**62])
    done = assign(edges_of((0, 0, 0.5), (1, 1, 0.25)), Capacities(endless, endless), floor=2**40)
    assert done.chosen.all()
    assert done.value == done.bound == 0.75


def test_equal_pairs_are_settled_alike_every_time() -> None:
    edges = edges_of(*((need, outcome, 0.5) for need in range(4) for outcome in range(4)))
    capacities = Capacities(side([1] * 4), side([2] * 4, [0, 0, 1, 1], [1, 2]))
    runs = {tuple(assign(edges, capacities, floor=1).chosen.tolist()) for _ in range(5)}
    assert len(runs) == 1
    assert sum(runs.pop()) == 3


GOOD = edges_of((0, 0, 0.5), (0, 1, 0.5))
LIMITS = Capacities(side([1]), side([1, 1], [0, 0], [1]))


@pytest.mark.parametrize(
    ("edges", "capacities", "said"),
    [
        (replace(GOOD, probability=np.array([0.5, 1.2])), LIMITS, r"edges\.probability\[1\] is 1\.2: .* 0 and 1"),
        (replace(GOOD, probability=np.array([np.nan, 0.5])), LIMITS, r"edges\.probability\[0\] is nan"),
        (replace(GOOD, probability=np.array([0.5, -0.1])), LIMITS, r"edges\.probability\[1\] is -0\.1"),
        (replace(GOOD, probability=np.array([1, 0])), LIMITS, r"edges\.probability holds int64"),
        (replace(GOOD, probability=np.array([0.5])), LIMITS, r"have 2, 2 and 1 entries"),
        (replace(GOOD, need=np.array([0, 1])), LIMITS, r"edges\.need\[1\] is 1: there are 1 needs"),
        (replace(GOOD, outcome=np.array([-1, 1])), LIMITS, r"edges\.outcome\[0\] is -1: there are 2 outcomes"),
        (replace(GOOD, outcome=np.array([1, 1])), LIMITS, r"edges: 0 and 1 are the same pair \(need 0, outcome 1\)"),
        (replace(GOOD, need=np.array([0.0, 0.0])), LIMITS, r"edges\.need holds float64"),
        (replace(GOOD, need=np.array([[0, 0]])), LIMITS, r"edges\.need is no array of one dimension"),
        (GOOD, replace(LIMITS, needs=side([-1])), r"capacities\.needs\.listing\[0\] is -1: a capacity is 0 or more"),
        (GOOD, replace(LIMITS, outcomes=side([1, 1], [0, 0], [-2])), r"capacities\.outcomes\.organization\[0\] is -2"),
        (GOOD, replace(LIMITS, outcomes=side([1, 1], [0, 2], [1])), r"outcomes\.owner\[1\] is 2: there are 1 organizations"),
        (GOOD, replace(LIMITS, outcomes=side([1, 1], [0], [1])), r"outcomes\.owner has 1 entries for 2 listings"),
    ],
)  # fmt: skip
def test_bad_input_is_named(edges: Edges, capacities: Capacities, said: str) -> None:
    with pytest.raises(AssignmentError, match=said):
        assign(edges, capacities)


def test_bad_options_are_named() -> None:
    with pytest.raises(AssignmentError, match=r"floor is -1: it is a number of introductions, 0 or more"):
        assign(GOOD, LIMITS, floor=-1)
    with pytest.raises(AssignmentError, match=r"floor is 0\.5"):
        assign(GOOD, LIMITS, floor=0.5)  # type: ignore[arg-type]
    with pytest.raises(AssignmentError, match=r"least is nan: a probability lies between 0 and 1"):
        assign(GOOD, LIMITS, least=math.nan)
