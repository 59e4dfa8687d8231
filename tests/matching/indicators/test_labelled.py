"""Precision and recall of the parser, and verdicts on pairs of the demo data, against what people labelled."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from matching.indicators.asked import stated_of
from matching.indicators.compare import compare
from matching.indicators.parse import parse
from tests.matching.indicators.scoring import Score, load, score

HERE = Path(__file__).parent
DEMO = HERE.parents[2] / "seeds" / "demo"
LEAST_F1 = 0.92
LEAST_RIGHT = 0.9
# What verdicts are judged by.
SECTIONS = ("title", "description", "innovations", "applications", "prospects")


def of_half(name: str) -> Score:
    """The parser's score on a half of the labelled sentences."""
    sentences = load(HERE / f"labelled-{name}.jsonl")
    return score({sentence.id: parse(sentence.text) for sentence in sentences}, sentences)


@pytest.mark.parametrize("half", ["dev", "held"])
def test_figures_are_read_as_people_read_them(half: str) -> None:
    found = of_half(half)
    assert found.f1 >= LEAST_F1, f"precision {found.precision:.3f}, recall {found.recall:.3f}, F1 {found.f1:.3f}"


def outcomes() -> dict[str, dict[str, Any]]:
    """The demo's outcomes by their name in the data."""
    rows = [
        json.loads(line)
        for file in sorted(DEMO.glob("outcomes-*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    return {row["external_id"]: row for row in rows}


def right_verdicts() -> tuple[int, int]:
    """How many verdicts are those of the labels, and how many there are. What is close is not met in this count."""
    listed = outcomes()
    right = total = 0
    with (HERE / "verdicts.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            outcome = listed[row["outcome"]]
            passages = [(name, outcome[name]) for name in SECTIONS if outcome.get(name)]
            passages += [("indicators", line) for line in outcome.get("indicators", [])]
            verdicts = compare(parse(row["indicator"]), stated_of(passages))
            found = verdicts[0].verdict if verdicts else "not_stated"
            right += found.replace("close", "not_met") == row["verdict"].replace("close", "not_met")
            total += 1
    return right, total


def test_verdicts_on_demo_pairs_are_those_of_people() -> None:
    right, total = right_verdicts()
    assert total >= 100
    assert right / total >= LEAST_RIGHT, f"{right} of {total}"
