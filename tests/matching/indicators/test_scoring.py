"""What counts as the same figure, and that a sentence's figures are paired as well as they can be."""

import dataclasses

import pytest

from tests.matching.indicators.scoring import Label, Sentence, answers, load, pair, same_bounds, same_name, score
from tests.matching.indicators.test_labels import HERE

LABEL = Label("转化率", "ge", 95.0, None, "percent", "level", None)


@pytest.mark.parametrize(
    ("value", "unit", "other", "other_unit"),
    [
        (50_000.0, "t/year", 50_000_000.0, "kg/year"),
        (3000.0, "count", 3000.0, ""),
        (5.0, "permille", 0.5, "percent"),
        (8.0, "ppm", 8e-6, ""),
        (600.0, "kg/mu", 9000.0, "kg/hectare"),
        (20.0, "degC", 20.0, "delta_degC"),
        (1.0, "CNY/kg", 1000.0, "CNY/t"),
        (1.0, "1/m", 1.0, "count/m"),
        (0.0, "degC", 0.0, "degC"),
    ],
)
def test_one_amount_in_two_notations(value: float, unit: str, other: float, other_unit: str) -> None:
    one = dataclasses.replace(LABEL, low=value, unit=unit)
    two = dataclasses.replace(LABEL, low=other, unit=other_unit)
    assert same_bounds(one, two)


@pytest.mark.parametrize("unit", ["", "t", "CNY", "mm", "no_such_unit", "%%", "200 kg"])
def test_another_kind_of_unit_or_none_at_all_is_not_the_same_and_no_error(unit: str) -> None:
    assert not same_bounds(dataclasses.replace(LABEL, unit="USD"), dataclasses.replace(LABEL, unit=unit))


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": "选择性"},
        {"comparator": "gt"},
        {"low": 94.9},
        {"low": None, "high": 95.0},
        {"unit": "permille"},
        {"change": "rise"},
    ],
)
def test_every_part_but_the_condition_must_agree(change: dict[str, object]) -> None:
    assert answers(LABEL, LABEL)
    assert answers(dataclasses.replace(LABEL, condition="300℃"), LABEL)
    assert not answers(dataclasses.replace(LABEL, **change), LABEL)  # type: ignore[arg-type]


def test_a_name_of_one_character_is_contained_or_different() -> None:
    assert same_name("长", "长度")
    assert not same_name("长", "宽")
    assert not same_name("", "宽")


def test_a_wide_name_leaves_the_narrow_label_to_whom_only_it_fits() -> None:
    water, effluent = (dataclasses.replace(LABEL, quantity=name) for name in ("COD", "出水COD"))
    # "COD" fits both labels, "出水COD值" only the second: taking the first fit would lose a pair.
    assert len(pair([water, dataclasses.replace(LABEL, quantity="出水COD值")], [effluent, water])) == 2


def test_the_labels_themselves_score_one_and_nothing_scores_zero() -> None:
    sentences = load(HERE / "labelled-dev.jsonl")
    perfect = score({s.id: s.indicators for s in sentences}, sentences)
    assert (perfect.precision, perfect.recall, perfect.f1, perfect.condition_agreement) == (1.0, 1.0, 1.0, 1.0)
    assert perfect.mistakes == ()
    silent = score({}, sentences)
    assert (silent.precision, silent.recall, silent.f1) == (1.0, 0.0, 0.0)
    assert {m.kind for m in silent.mistakes} == {"missed"}


def test_a_figure_told_twice_answers_one_label() -> None:
    result = score({"1": [LABEL, LABEL]}, [Sentence("1", "zh", "转化率≥95%", (LABEL,))])
    assert (result.precision, result.recall) == (0.5, 1.0)
