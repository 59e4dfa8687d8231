"""What the tables on learning say of figures that mean something else, or nothing."""

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from service.kit.language import current_language
from service.reports import comparison_table, list_of_models

TOLD = {"log_loss": 0.5, "auc": 0.0, "ndcg": 0.0, "average_precision": 0.0, "calibration_error": 0.125}
LOST = {"mean": -0.25, "low": -0.5, "high": -0.125}
WON = {"mean": 2.0, "low": 1.5, "high": 2.5}
REPORT: dict[str, Any] = {
    "rows": 60,
    "needs": 20,
    "active": TOLD,
    "recalibrated": TOLD,
    "candidate": TOLD,
    "gains": {"log loss": LOST, "AUC": LOST, "nDCG": LOST, "average precision": LOST},
    "recalibration": WON,
}


@pytest.fixture(autouse=True)
def english() -> None:
    """Tables in English."""
    current_language.set("en")


def shown(table: Table, width: int = 80) -> str:
    """A table as a screen shows it."""
    console = Console(width=width, file=io.StringIO(), record=True)
    console.print(table)
    return console.export_text()


def test_figures_of_order_are_left_out_where_no_need_has_both_answers() -> None:
    lines = {
        line.split("│")[1].strip(): line for line in shown(comparison_table(REPORT), 160).splitlines() if "│" in line
    }
    assert lines["log loss (less is better)"].count(" 0.5000 ") == 3
    for name in ("AUC (within a need)", "nDCG", "average precision"):
        assert lines[name].count("–") == 4
        assert "0.0000" not in lines[name]


@pytest.mark.parametrize(("verdict", "gain"), [("calibration", "+2.0000"), ("weights", "-0.2500"), ("kept", "-0.2500")])
def test_the_list_gives_whole_versions_and_the_gain_of_what_was_kept(verdict: str, gain: str) -> None:
    row: Any = {
        "version": "learned-20260101-12",
        "active": False,
        "origin": "decisions",
        "parent": "learned-20260101-11",
        "labels": 12345,
        "needs": 1234,
        "report": REPORT | {"verdict": verdict},
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    page = shown(list_of_models([row]))
    assert row["version"] in page
    assert gain in page
    assert "…" not in page
