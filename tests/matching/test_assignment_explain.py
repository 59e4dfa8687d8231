"""Why a pair is in or out: the words agree with what every other choice is worth."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.assignment import Assignment, AssignmentError, Capacities, Reason, assign, explain
from tests.matching.assignments import (
    PARTS,
    Instance,
    best_of,
    choices,
    edges_of,
    floors,
    instances,
    shortfall,
    side,
)

# Each introduction may hide a part of 1/2^20.
ROUNDING = 10 / PARTS


def best_where(done: Assignment, edge: int, inside: bool, floor: int) -> float:
    """The greatest value of choices that have the edge, or have it not, and leave no more floors open than the best."""
    least_missing, _ = best_of(done.edges, done.capacities, floor, done.least)
    return max(
        (
            math.fsum(done.edges.probability[chosen])
            for chosen in choices(done.edges, done.capacities, done.least)
            if chosen[edge] == inside and shortfall(done.edges, done.capacities, chosen, floor) <= least_missing
        ),
        default=-math.inf,
    )


def used(done: Assignment, edge: int, limit: str) -> tuple[int, int, np.ndarray]:
    """Introductions under a limit of the edge, the capacity, and which edges come under it."""
    ends, limits = (
        (done.edges.need, done.capacities.needs)
        if limit.startswith("need")
        else (done.edges.outcome, done.capacities.outcomes)
    )
    if limit.endswith("organization"):
        ends, capacity = limits.owner[ends], limits.organization
    else:
        capacity = limits.listing
    under = ends == ends[edge]
    return int(done.chosen[under].sum()), int(capacity[ends[edge]]), under


def reasons(done: Assignment) -> list[Reason]:
    return [explain(done, edge) for edge in range(len(done.edges))]


@settings(max_examples=200, deadline=None)
@given(instances(), floors, st.sampled_from([0.0, 0.3]))
def test_a_margin_is_what_every_other_choice_says(instance: Instance, floor: int, least: float) -> None:
    done = assign(*instance, floor=floor, least=least)
    _, best = best_of(done.edges, done.capacities, floor, least)
    for edge, reason in enumerate(reasons(done)):
        chosen = bool(done.chosen[edge])
        assert chosen == reason.code.startswith("chosen")
        assert reason.probability == done.edges.probability[edge]
        if reason.code == "below_least":
            assert reason.margin == least - reason.probability > 0
        elif reason.code != "nothing_to_gain":
            lost = best - best_where(done, edge, not chosen, floor)
            if reason.margin is None:
                assert lost >= (reason.probability - least if chosen else 1 - reason.probability) - ROUNDING
            else:
                assert reason.margin >= 0
                assert reason.margin == pytest.approx(lost, abs=ROUNDING)


@settings(max_examples=100, deadline=None)
@given(instances(), floors)
def test_what_keeps_a_pair_out_is_full(instance: Instance, floor: int) -> None:
    done = assign(*instance, floor=floor)
    for edge, reason in enumerate(reasons(done)):
        assert bool(reason.full) == (reason.code not in ("chosen", "chosen_for_floor", "nothing_to_gain"))
        for full in reason.full:
            count, capacity, under = used(done, edge, full.limit)
            assert count == capacity
            if capacity == 0:
                assert full.last is None
                assert reason.margin is None
            else:
                assert full.last is not None
                assert done.chosen[full.last]
                assert under[full.last]


@settings(max_examples=150, deadline=None)
@given(instances(), st.integers(1, 2))
def test_the_floor_is_the_reason_where_no_best_free_choice_has_the_pair(instance: Instance, floor: int) -> None:
    done = assign(*instance, floor=floor)
    _, best = best_of(done.edges, done.capacities, 0, 0.0)
    for edge, reason in enumerate(reasons(done)):
        lost = best - best_where(done, edge, True, 0)
        filling = any(used(done, edge, limit)[0] <= floor for limit in ("need", "outcome"))
        if reason.code == "chosen_for_floor":
            assert filling
            assert lost > 0
        elif reason.code == "chosen" and filling:
            assert lost <= ROUNDING
        elif reason.code == "kept_for_floor":
            assert lost <= 1 - reason.probability + ROUNDING


def test_the_need_is_full_with_better_pairs() -> None:
    edges = edges_of((0, 0, 0.9), (0, 1, 0.8), (0, 2, 0.5))
    done = assign(edges, Capacities(side([2]), side([1, 1, 1])))
    reason = explain(done, 2)
    assert (reason.code, [full.limit for full in reason.full]) == ("need_full", ["need"])
    assert reason.full[0].last == 1
    assert reason.margin == pytest.approx(0.8 - 0.5, abs=1e-5)


def test_the_organization_of_the_outcomes_is_full() -> None:
    edges = edges_of((0, 0, 0.9), (1, 1, 0.7), (2, 1, 0.6))
    done = assign(edges, Capacities(side([1, 1, 1]), side([2, 2], [0, 0], [2])))
    reason = explain(done, 2)
    assert (reason.code, [full.limit for full in reason.full]) == ("outcome_full", ["outcome_organization"])
    assert reason.full[0].last == 1
    assert reason.margin == pytest.approx(0.7 - 0.6, abs=1e-5)


def test_both_are_full() -> None:
    edges = edges_of((0, 0, 0.9), (1, 1, 0.8), (0, 1, 0.7))
    reason = explain(assign(edges, Capacities(side([1, 1]), side([1, 1]))), 2)
    assert reason.code == "both_full"
    assert {full.limit: full.last for full in reason.full} == {"need": 0, "outcome": 1}


def test_a_pair_is_there_for_the_floor_and_keeps_another_out() -> None:
    edges = edges_of((0, 0, 0.9), (0, 1, 0.2), (1, 0, 0.8))
    done = assign(edges, Capacities(side([1, 1]), side([2, 1])), floor=1)
    assert done.chosen.tolist() == [False, True, True]
    assert explain(done, 1).code == "chosen_for_floor"
    assert explain(done, 2).code == "chosen"
    kept = explain(done, 0)
    assert (kept.code, kept.margin, kept.full[0].limit, kept.full[0].last) == ("kept_for_floor", None, "need", 1)


def test_who_answers_nothing_is_full_from_the_start() -> None:
    edges = edges_of((0, 0, 0.9), (1, 1, 0.9), (1, 0, 0.9))
    done = assign(edges, Capacities(side([0, 2]), side([1, 1], [0, 1], [2, 0])))
    assert [explain(done, edge).code for edge in range(3)] == ["need_full", "outcome_full", "chosen"]
    assert [full.limit for full in explain(done, 1).full] == ["outcome_organization"]


def test_below_the_least_and_nothing_to_gain() -> None:
    edges = edges_of((0, 0, 0.1), (0, 1, 0.0))
    roomy = Capacities(side([5]), side([5, 5]))
    assert explain(assign(edges, roomy, least=0.25), 0) == Reason("below_least", 0.1, 0.25 - 0.1)
    assert explain(assign(edges, roomy), 1) == Reason("nothing_to_gain", 0.0, None)


@pytest.mark.parametrize("edge", [-1, 1])
def test_there_is_no_such_edge(edge: int) -> None:
    done = assign(edges_of((0, 0, 0.1)), Capacities(side([1]), side([1])))
    with pytest.raises(AssignmentError, match=f"edge is {edge}: there are 1 edges"):
        explain(done, edge)
