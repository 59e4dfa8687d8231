"""The taxonomy seeds agree with themselves, with each other and with the codes that listings may carry."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TAXONOMY = Path(__file__).parents[2] / "seeds" / "taxonomy"
FILES = ("fields.json", "industries.json", "codes.json")

HAN = re.compile(r"[\u4e00-\u9fff]")
ARABIC = re.compile(r"[\u0600-\u06ff]")
LATIN = re.compile(r"[A-Za-z]")
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

FIELDS = [
    "clean_energy",
    "modern_chemicals",
    "new_materials",
    "electronic_information",
    "advanced_equipment",
    "green_food_biofermentation",
    "modern_seed",
    "goji",
    "wine",
    "dairy",
    "beef_tan_sheep",
    "quality_grain_specialties",
    "ecological_restoration",
    "pollution_control",
    "resource_efficiency",
    "health_care",
    "tcm",
    "disaster_prevention",
    "public_safety",
]

# Every list of codes.json with its codes in the order in which a form offers them.
CODES: dict[str, list[str]] = {
    name: text.split()
    for name, text in {
        "modes": "commissioned_rd joint_rd transfer license equity joint_platform enclave offshore_incubation "
        "flexible_talent consulting service",
        "contract_types": "development transfer license consulting service",
        "decline_codes": "too_early unclear_advantage unclear_path vague indicators_unmet price_mismatch mode_mismatch "
        "region_or_qualification already_solved duplicate other",
        "organization_kinds": "enterprise university institute new_rd hospital intermediary market authority",
        "outcome_types": "basic applied soft",
        "stages": "initial middle mature",
        "funding_sources": "national ministry provincial municipal enterprise self international other",
        "ip_kinds": "invention_patent utility_model design_patent software_copyright plant_variety standard "
        "trade_secret other",
        "ip_statuses": "granted pending expired",
        "need_states": "draft submitted refining published docking fulfilled withdrawn expired",
        "outcome_states": "draft submitted verified published transferred withdrawn expired",
        "recommendation_states": "proposed accepted declined snoozed superseded",
        "case_states": "invited consented consulting negotiating contracted following closed lapsed",
        "case_lost_codes": "too_early unclear_advantage unclear_path vague indicators_unmet price_mismatch mode_mismatch "
        "region_or_qualification already_solved duplicate no_agreement no_funds no_answer left_market contract_ended other",
        "case_won_codes": "performed in_use continued",
        "region_classes": "east central west northeast",
        "region_levels": "province prefecture county",
        "field_groups": "industry agriculture ecology livelihood",
        "pair_programs": "minning tech_cooperation joint_park",
        "languages": "zh en ar",
    }.items()
}

# GB/T 4754-2017: first and last two-digit division (大类) of each section (门类).
SECTIONS = {
    "A": (1, 5),
    "B": (6, 12),
    "C": (13, 43),
    "D": (44, 46),
    "E": (47, 50),
    "F": (51, 52),
    "G": (53, 60),
    "H": (61, 62),
    "I": (63, 65),
    "J": (66, 69),
    "K": (70, 70),
    "L": (71, 72),
    "M": (73, 75),
    "N": (76, 79),
    "O": (80, 82),
    "P": (83, 83),
    "Q": (84, 85),
    "R": (86, 90),
    "S": (91, 96),
    "T": (97, 97),
}


def load(name: str) -> Any:
    return json.loads((TAXONOMY / name).read_text(encoding="utf-8"))


def code_lists() -> dict[str, list[dict[str, Any]]]:
    lists: dict[str, list[dict[str, Any]]] = load("codes.json")
    return lists | {"fields": load("fields.json"), "industries": load("industries.json")}


LISTS = sorted([*CODES, "maturity", "fields", "industries"])


@pytest.mark.parametrize("name", FILES)
def test_files_are_plain_utf8_with_unix_line_ends(name: str) -> None:
    raw = (TAXONOMY / name).read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    assert "\ufffd" not in raw.decode("utf-8")


def test_the_nineteen_fields_of_the_plan_in_its_order() -> None:
    assert [field["code"] for field in load("fields.json")] == FIELDS
    assert len(FIELDS) == 19


def test_codes_json_holds_exactly_the_known_lists() -> None:
    assert set(load("codes.json")) == {*CODES, "maturity"}


@pytest.mark.parametrize("name", sorted(CODES))
def test_each_list_holds_exactly_its_codes(name: str) -> None:
    assert [entry["code"] for entry in load("codes.json")[name]] == CODES[name]


@pytest.mark.parametrize("name", LISTS)
def test_codes_are_unique_and_positions_count_from_one(name: str) -> None:
    entries = code_lists()[name]
    assert len({entry["code"] for entry in entries}) == len(entries)
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))


@pytest.mark.parametrize("name", sorted(set(LISTS) - {"maturity", "industries"}))
def test_codes_are_lower_snake_case(name: str) -> None:
    for entry in code_lists()[name]:
        assert CODE.fullmatch(entry["code"]), entry["code"]


@pytest.mark.parametrize("name", LISTS)
def test_labels_are_in_their_languages_and_tell_entries_apart(name: str) -> None:
    entries = code_lists()[name]
    for entry in entries:
        assert HAN.search(entry["label_zh"]), entry
        assert LATIN.search(entry["label_en"]), entry
        assert not HAN.search(entry["label_en"]), entry
        assert ARABIC.search(entry["label_ar"]), entry
        assert not LATIN.search(entry["label_ar"]), entry
    for key in ("label_zh", "label_en", "label_ar"):
        repeated = [label for label, count in Counter(entry[key] for entry in entries).items() if count > 1]
        assert not repeated, (name, key, repeated)


@pytest.mark.parametrize("name", LISTS)
def test_descriptions_come_in_both_languages(name: str) -> None:
    for entry in code_lists()[name]:
        assert ("description_zh" in entry) == ("description_en" in entry), entry["code"]
        if "description_zh" in entry:
            assert HAN.search(entry["description_zh"]), entry["code"]
            assert entry["description_zh"].endswith("。"), entry["code"]
            assert not HAN.search(entry["description_en"]), entry["code"]
            assert entry["description_en"].endswith("."), entry["code"]


@pytest.mark.parametrize("name", ["decline_codes", "maturity", "modes", "contract_types", "stages"])
def test_what_a_provider_has_to_understand_is_explained(name: str) -> None:
    for entry in load("codes.json")[name]:
        assert len(entry["description_zh"]) >= 12, entry["code"]
        assert entry["description_zh"].count("。") == 1, entry["code"]


def test_maturity_counts_from_one_to_nine_in_integers_and_refers_to_its_standard() -> None:
    assert [entry["code"] for entry in load("codes.json")["maturity"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert {entry["reference"] for entry in load("codes.json")["maturity"]} == {"GB/T 22900"}


def test_industries_are_the_sections_and_divisions_of_gbt_4754() -> None:
    found = {i["code"]: (int(i["division_first"]), int(i["division_last"])) for i in load("industries.json")}
    assert found == SECTIONS
    assert "".join(i["code"] for i in load("industries.json")) == "ABCDEFGHIJKLMNOPQRST"


def test_divisions_are_two_digits_and_leave_no_gap() -> None:
    following = 1
    for industry in load("industries.json"):
        assert re.fullmatch(r"\d{2}", industry["division_first"])
        assert re.fullmatch(r"\d{2}", industry["division_last"])
        assert int(industry["division_first"]) == following
        following = int(industry["division_last"]) + 1
    assert following == 98


def test_fields_map_to_existing_sections_and_groups() -> None:
    sections = {industry["code"] for industry in load("industries.json")}
    groups = [group["code"] for group in load("codes.json")["field_groups"]]
    fields = load("fields.json")
    for field in fields:
        assert field["industries"], field["code"]
        assert set(field["industries"]) <= sections, field["code"]
        assert len(set(field["industries"])) == len(field["industries"]), field["code"]
    # The plan's chapter has 6 industrial, 6 agricultural, 3 ecological and 4 livelihood directions, in this order.
    assert [field["group"] for field in fields] == [
        group for group, size in zip(groups, (6, 6, 3, 4), strict=True) for _ in range(size)
    ]


@pytest.mark.parametrize(("language", "script"), [("zh", HAN), ("en", LATIN), ("ar", ARABIC)])
def test_each_field_has_eight_to_twenty_keywords_per_language(language: str, script: re.Pattern[str]) -> None:
    for field in load("fields.json"):
        keywords = field["keywords"][language]
        assert 8 <= len(keywords) <= 20, (field["code"], len(keywords))
        for keyword in keywords:
            assert keyword == keyword.strip(), keyword
            assert script.search(keyword) or keyword == "5G", (field["code"], keyword)
            assert language == "zh" or not HAN.search(keyword), (field["code"], keyword)


@pytest.mark.parametrize("language", ["zh", "en", "ar"])
def test_a_keyword_points_to_one_field_only(language: str) -> None:
    counts = Counter(keyword.casefold() for field in load("fields.json") for keyword in field["keywords"][language])
    assert [keyword for keyword, count in counts.items() if count > 1] == []
