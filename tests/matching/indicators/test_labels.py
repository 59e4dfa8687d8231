"""The labelled sentences and verdicts obey the rules of README.md in this folder."""

import csv
import json
from pathlib import Path
from typing import Any, get_args

import pytest

from tests.matching.indicators.scoring import Change, Comparator, Label, Sentence, load, registry

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "seeds" / "demo"
VERDICTS = {"met", "not_met", "close", "not_stated"}
LISTING_TEXT = ("title", "description", "innovations", "applications", "prospects")


@pytest.fixture(scope="module", params=["held", "dev"])
def half(request: pytest.FixtureRequest) -> tuple[Sentence, ...]:
    return load(HERE / f"labelled-{request.param}.jsonl")


@pytest.fixture(scope="module")
def labels(half: tuple[Sentence, ...]) -> list[tuple[Sentence, Label]]:
    return [(sentence, label) for sentence in half for label in sentence.indicators]


def test_each_half_has_enough_of_every_language_and_of_sentences_without_a_figure(half: tuple[Sentence, ...]) -> None:
    counts = {language: sum(s.language == language for s in half) for language in ("zh", "en", "ar")}
    assert sum(counts.values()) == len(half) >= 170
    assert counts["zh"] >= 120
    assert counts["en"] >= 30
    assert counts["ar"] >= 20
    assert 0.1 <= sum(not s.indicators for s in half) / len(half) <= 0.15


def test_no_sentence_is_in_both_halves() -> None:
    held, dev = ({s.text for s in load(HERE / f"labelled-{name}.jsonl")} for name in ("held", "dev"))
    assert not held & dev


def test_ids_and_texts_are_unique(half: tuple[Sentence, ...]) -> None:
    assert len({s.id for s in half}) == len({s.text for s in half}) == len(half)


def test_quantity_and_condition_stand_in_the_sentence(labels: list[tuple[Sentence, Label]]) -> None:
    strangers = [
        (sentence.id, words)
        for sentence, label in labels
        for words in (label.quantity, label.condition)
        if words is not None and (not words.strip() or words not in sentence.text)
    ]
    assert strangers == []


def test_bounds_follow_the_comparator(labels: list[tuple[Sentence, Label]]) -> None:
    wrong = [(sentence.id, label) for sentence, label in labels if not _bounds_fit(label)]
    assert wrong == []


def _bounds_fit(label: Label) -> bool:
    match label.comparator:
        case "ge" | "gt":
            return label.low is not None and label.high is None
        case "le" | "lt":
            return label.low is None and label.high is not None
        case "eq" | "about":
            return label.low is not None and label.low == label.high
        case "between":
            return label.low is not None and label.high is not None and label.low < label.high


def test_comparators_and_changes_are_known_ones(labels: list[tuple[Sentence, Label]]) -> None:
    assert {label.comparator for _, label in labels} == set(get_args(Comparator))
    assert {label.change for _, label in labels} == set(get_args(Change))


def test_pint_parses_every_unit(labels: list[tuple[Sentence, Label]]) -> None:
    for _, label in labels:
        registry().parse_units(label.unit)


def _demo(kind: str) -> dict[str, dict[str, Any]]:
    files = (path.read_text(encoding="utf-8") for path in sorted(DEMO.glob(f"{kind}-*.jsonl")))
    rows = [json.loads(line) for text in files for line in text.split("\n") if line.strip()]
    return {row["external_id"]: row for row in rows}


@pytest.fixture(scope="module")
def verdicts() -> list[dict[str, str]]:
    with (HERE / "verdicts.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_verdicts_are_many_known_and_about_different_pairs(verdicts: list[dict[str, str]]) -> None:
    assert len(verdicts) >= 110
    assert {row["verdict"] for row in verdicts} == VERDICTS
    assert len({(row["need"], row["indicator"], row["outcome"]) for row in verdicts}) == len(verdicts)


def test_a_verdict_quotes_both_listings_word_for_word(verdicts: list[dict[str, str]]) -> None:
    needs, outcomes = _demo("needs"), _demo("outcomes")
    for row in verdicts:
        assert row["indicator"] in needs[row["need"]]["indicators"], row
        outcome = outcomes[row["outcome"]]
        texts = [outcome.get(field) or "" for field in LISTING_TEXT] + outcome.get("indicators", [])
        assert (row["evidence"] == "") == (row["verdict"] == "not_stated"), row
        assert any(row["evidence"] in text for text in texts), row
