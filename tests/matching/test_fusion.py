"""The ranking model as data, and reciprocal rank fusion."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.fusion import (
    RankingModel,
    RankingModelError,
    Term,
    default_model,
    from_json,
    probability_of,
    reciprocal_rank_fusion,
    to_json,
)
from matching.types import Reading

numbers = st.floats(-50, 50)
cuts = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(lambda values: tuple(sorted(values, reverse=True)))
models = st.builds(
    RankingModel,
    st.text(min_size=1),
    numbers,
    st.dictionaries(st.text(min_size=1), st.builds(Term, numbers, numbers)),
    cuts,
)


@given(models)
def test_a_model_survives_json(model: RankingModel) -> None:
    again = from_json(to_json(model))
    assert (again.version, again.intercept, dict(again.terms), again.thresholds) == (
        model.version,
        model.intercept,
        dict(model.terms),
        model.thresholds,
    )


@pytest.mark.parametrize(
    "change",
    [
        {"version": ...},
        {"intercept": "much"},
        {"intercept": math.nan},
        {"terms": {"semantic": {"weight": 1}}},
        {"terms": []},
        {"thresholds": {"strong": 0.2, "fair": 0.5, "weak": 0.1}},
        {"thresholds": {"strong": 1.2, "fair": 0.5, "weak": 0.1}},
    ],
)
def test_a_broken_definition_is_refused(change: dict[str, object]) -> None:
    values = json.loads(to_json(default_model())) | change
    text = json.dumps({key: value for key, value in values.items() if value is not ...})
    with pytest.raises(RankingModelError):
        from_json(text)


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(RankingModelError):
        from_json("{")


MODEL = RankingModel("test", -1.0, {"semantic": Term(4.0, 0.25)}, (0.7, 0.4, 0.1))


def test_a_part_is_the_weight_times_what_exceeds_neutral() -> None:
    part = MODEL.contribution("semantic", Reading(0.75))
    assert part.part == 4.0 * (0.75 - 0.25)
    assert MODEL.score((part,)) == -1.0 + 2.0


def test_a_signal_that_states_nothing_or_is_unknown_has_no_part() -> None:
    assert MODEL.contribution("semantic", Reading(None)).part == 0.0
    unknown = MODEL.contribution("novelty", Reading(1.0))
    assert (unknown.weight, unknown.part) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("probability", "level"),
    [(1.0, "strong"), (0.7, "strong"), (0.69, "fair"), (0.4, "fair"), (0.1, "weak"), (0.09, "none")],
)
def test_levels_begin_at_their_threshold(probability: float, level: str) -> None:
    assert MODEL.level(probability) == level


@given(st.floats(-1e6, 1e6))
def test_probability_is_one_for_all_scores(score: float) -> None:
    assert 0.0 <= probability_of(score) <= 1.0
    assert probability_of(score) + probability_of(-score) == pytest.approx(1.0)


def test_reciprocal_rank_fusion() -> None:
    fused = reciprocal_rank_fusion([["a", "b", "c"], ["c", "a"]])
    assert fused == [("a", 1 / 61 + 1 / 62), ("c", 1 / 63 + 1 / 61), ("b", 1 / 62)]
