"""The demo data: as much and as varied as a demonstration needs, and nothing in it that could be taken for real."""

import csv
import json
import re
from collections import Counter
from typing import Any

import pytest

from matching.profiling import detect_language
from service.access.credit_code import holds
from service.access.schemas import OrganizationContent
from service.needs.schemas import NeedContent
from service.outcomes.schemas import OutcomeContent
from service.settings import SEEDS

FOLDER = SEEDS / "demo"


def rows(kind: str) -> list[dict[str, Any]]:
    return [
        json.loads(line) for file in sorted(FOLDER.glob(f"{kind}-*.jsonl")) for line in file.read_text().splitlines()
    ]


ORGANIZATIONS, NEEDS, OUTCOMES = rows("organizations"), rows("needs"), rows("outcomes")
FIELDS = {field["code"] for field in json.loads((SEEDS / "taxonomy" / "fields.json").read_text())}


def test_there_is_enough_of_everything() -> None:
    assert len(NEEDS) >= 60
    assert len(OUTCOMES) >= 150
    assert len(ORGANIZATIONS) >= 50
    assert {row["field"] for row in NEEDS} == FIELDS
    assert {row["field"] for row in OUTCOMES} == FIELDS
    assert len({row["region"][:2] for row in ORGANIZATIONS}) >= 12


@pytest.mark.parametrize(
    ("listings", "least"), [(NEEDS, {"en": 3, "ar": 2}), (OUTCOMES, {"en": 8, "ar": 3})], ids=["needs", "outcomes"]
)
def test_some_are_english_and_some_arabic(listings: list[dict[str, Any]], least: dict[str, int]) -> None:
    found = Counter(detect_language(row["title"] + row["description"]) for row in listings)
    assert all(found[language] >= number for language, number in least.items())


def test_every_row_is_one_that_the_service_takes() -> None:
    for row in ORGANIZATIONS:
        OrganizationContent.model_validate(row)
    for listings, schema in ((NEEDS, NeedContent), (OUTCOMES, OutcomeContent)):
        for row in listings:
            schema.model_validate({name: value for name, value in row.items() if name != "organization"})


def test_numbers_are_unique_and_owners_exist() -> None:
    owners = {row["external_id"] for row in ORGANIZATIONS}
    assert len(owners) == len(ORGANIZATIONS)
    for listings in (NEEDS, OUTCOMES):
        assert len({row["external_id"] for row in listings}) == len(listings)
        assert {row["organization"] for row in listings} <= owners


def test_nobody_can_be_taken_for_real() -> None:
    assert all("演示" in row["name"] for row in ORGANIZATIONS)
    # No division is numbered 000000, so that no register can have given such a code.
    assert all(holds(row["credit_code"]) and row["credit_code"][2:8] == "000000" for row in ORGANIZATIONS)
    assert len({row["credit_code"] for row in ORGANIZATIONS}) == len(ORGANIZATIONS)
    for row in [*NEEDS, *OUTCOMES]:
        assert re.fullmatch(r"0\d{2,3}-0000\d{3}", row.get("contact_phone", "0951-0000000")), row["external_id"]
        assert row.get("contact_email", "a@example.com").endswith(("@example.com", "@example.org")), row["external_id"]


def test_no_text_is_a_filled_in_template() -> None:
    """Look-alikes may share a phrase, but no listing takes a third of its description from others.

    Compared are runs of 16 characters (40 where words are spelled), figures, spaces and punctuation aside.
    """
    seen: dict[str, str] = {}
    for row in [*NEEDS, *OUTCOMES]:
        text = re.sub(r"[\d\s.,，。；;：:（）()%~～-]+", "", row["description"])
        length = 16 if detect_language(text) == "zh" else 40
        own = {text[start : start + length] for start in range(max(0, len(text) - length + 1))}
        shared = {run for run in own if run in seen}
        assert len(shared) <= len(own) / 3, (row["external_id"], {seen[run] for run in shared})
        seen.update(dict.fromkeys(own, row["external_id"]))


def test_most_listings_carry_figures() -> None:
    for listings in (NEEDS, OUTCOMES):
        with_figures = sum(bool(re.search(r"\d", " ".join(row.get("indicators", [])))) for row in listings)
        assert with_figures >= 0.85 * len(listings)


def test_intended_pairs_name_listings_that_exist() -> None:
    needs, outcomes = ({row["external_id"] for row in listings} for listings in (NEEDS, OUTCOMES))
    for file in sorted(FOLDER.glob("relevance-*.tsv")):
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines, delimiter="\t"):
                assert row["need"] in needs, row
                assert row["outcome"] in outcomes, row
                assert row["grade"] in "0123", row
