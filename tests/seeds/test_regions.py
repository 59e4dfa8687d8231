"""The region seeds follow GB/T 2260's own rules, and every partner pair joins two regions that exist."""

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

SEEDS = Path(__file__).parents[2] / "seeds"
REGIONS = SEEDS / "regions" / "regions.csv"
PAIRS = SEEDS / "regions" / "partner_pairs.csv"

EAST = ["11", "12", "13", "31", "32", "33", "35", "37", "44", "46"]
CENTRAL = ["14", "34", "36", "41", "42", "43"]
WEST = ["15", "45", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65"]
NORTHEAST = ["21", "22", "23"]
CLASSES = {
    prefix: name
    for name, prefixes in {"east": EAST, "central": CENTRAL, "west": WEST, "northeast": NORTHEAST}.items()
    for prefix in prefixes
}
UNCLASSED = ["71", "81", "82"]
MUNICIPALITIES = ["11", "12", "31", "50"]

# Prefecture-level divisions per province since 2019, when Laiwu became part of Jinan; 333 in all.
PREFECTURES = {
    "13": 11,
    "14": 11,
    "15": 12,
    "21": 14,
    "22": 9,
    "23": 13,
    "32": 13,
    "33": 11,
    "34": 16,
    "35": 9,
    "36": 11,
    "37": 16,
    "41": 17,
    "42": 13,
    "43": 14,
    "44": 21,
    "45": 14,
    "46": 4,
    "51": 21,
    "52": 9,
    "53": 16,
    "54": 7,
    "61": 10,
    "62": 14,
    "63": 8,
    "64": 5,
    "65": 14,
}

# County-level divisions that stand directly under a province: districts and counties of the municipalities,
# and the 省直辖县级行政区划, whose third and fourth digits are 90.
DIRECT_COUNTIES = {"11": 16, "12": 16, "31": 16, "50": 38, "41": 1, "42": 4, "46": 15, "65": 12}

NINGXIA_COUNTIES = {"640100": 6, "640200": 3, "640300": 5, "640400": 5, "640500": 3}

# Looked up one by one; a shifted row or a swapped column cannot keep all of them right.
KNOWN = {
    "110108": "海淀区",
    "150600": "鄂尔多斯市",
    "222400": "延边朝鲜族自治州",
    "320500": "苏州市",
    "341300": "宿州市",
    "350200": "厦门市",
    "370200": "青岛市",
    "422800": "恩施土家族苗族自治州",
    "440300": "深圳市",
    "441900": "东莞市",
    "460400": "儋州市",
    "500101": "万州区",
    "532900": "大理白族自治州",
    "540600": "那曲市",
    "610800": "榆林市",
    "620200": "嘉峪关市",
    "632800": "海西蒙古族藏族自治州",
    "640181": "灵武市",
    "640303": "红寺堡区",
    "640381": "青铜峡市",
    "640425": "彭阳县",
    "654000": "伊犁哈萨克自治州",
    "659001": "石河子市",
    "810000": "香港特别行政区",
}

Row = dict[str, str]


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by_code() -> dict[str, Row]:
    return {row["code"]: row for row in read(REGIONS)}


def of_level(level: str) -> list[Row]:
    return [row for row in read(REGIONS) if row["level"] == level]


@pytest.mark.parametrize("path", [REGIONS, PAIRS], ids=lambda path: path.name)
def test_files_are_plain_utf8_with_unix_line_ends(path: Path) -> None:
    raw = path.read_bytes()
    assert not raw.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in raw
    assert raw.endswith(b"\n")


def test_columns() -> None:
    assert REGIONS.read_text(encoding="utf-8").splitlines()[0] == "code,name_zh,name_en,level,parent,class"
    assert PAIRS.read_text(encoding="utf-8").splitlines()[0] == "from,to,program,note_zh,source"
    for path in (REGIONS, PAIRS):
        for row in read(path):
            # DictReader files surplus cells under None and fills missing ones with None.
            assert None not in row, row
            assert None not in row.values(), row
            assert all(value == value.strip() for value in row.values()), row


def test_codes_are_six_digits_unique_and_sorted() -> None:
    codes = [row["code"] for row in read(REGIONS)]
    assert all(re.fullmatch(r"[1-8]\d{5}", code) for code in codes)
    assert len(set(codes)) == len(codes)
    assert codes == sorted(codes)


def test_names_are_in_their_languages() -> None:
    for row in read(REGIONS):
        assert re.fullmatch(r"[\u4e00-\u9fff]+", row["name_zh"]), row
        assert re.fullmatch(r"[A-Z][A-Za-zêü' -]+", row["name_en"]), row


def test_the_shape_of_a_code_tells_its_level() -> None:
    for row in read(REGIONS):
        code = row["code"]
        shape = "province" if code[2:] == "0000" else "prefecture" if code[4:] == "00" else "county"
        assert row["level"] == shape, row


def test_parents_exist_one_level_up_and_share_the_prefix() -> None:
    regions = by_code()
    for row in regions.values():
        code = row["code"]
        if row["level"] == "province":
            assert row["parent"] == "", row
            continue
        direct = row["level"] == "prefecture" or code[:2] in MUNICIPALITIES or code[2:4] == "90"
        assert row["parent"] == (f"{code[:2]}0000" if direct else f"{code[:4]}00"), row
        assert regions[row["parent"]]["level"] == ("province" if direct else "prefecture"), row


def test_endings_of_chinese_names_fit_the_level() -> None:
    endings = {
        "province": ("省", "市", "自治区", "特别行政区"),
        "prefecture": ("市", "自治州", "地区", "盟"),
        "county": ("区", "县", "市"),
    }
    for row in read(REGIONS):
        assert row["name_zh"].endswith(endings[row["level"]]), row


def test_names_repeat_only_where_the_country_itself_repeats_them() -> None:
    for level in ("province", "prefecture"):
        counts = Counter(row["name_zh"] for row in of_level(level))
        assert [name for name, count in counts.items() if count > 1] == []
    siblings = Counter((row["parent"], row["name_zh"]) for row in read(REGIONS))
    assert [key for key, count in siblings.items() if count > 1] == []


def test_thirty_four_provinces_with_the_class_of_each_mainland_one() -> None:
    found = {row["code"][:2]: row["class"] for row in of_level("province")}
    assert found == CLASSES | dict.fromkeys(UNCLASSED, "")
    assert len(found) == 34


def test_class_is_inherited_from_the_province() -> None:
    regions = by_code()
    for row in regions.values():
        assert row["class"] == regions[f"{row['code'][:2]}0000"]["class"], row


def test_prefectures_per_province() -> None:
    assert Counter(row["code"][:2] for row in of_level("prefecture")) == PREFECTURES
    assert len(of_level("prefecture")) == 333


def test_counties_that_stand_directly_under_a_province() -> None:
    found = Counter(row["code"][:2] for row in of_level("county") if row["parent"].endswith("0000"))
    assert found == DIRECT_COUNTIES


def test_ningxia_has_all_its_twenty_two_counties() -> None:
    found = Counter(row["parent"] for row in of_level("county") if row["code"].startswith("64"))
    assert found == NINGXIA_COUNTIES
    assert found.total() == 22


def test_other_counties_are_there_only_for_a_pair() -> None:
    used = {code for pair in read(PAIRS) for code in (pair["from"], pair["to"])}
    for row in of_level("county"):
        if not row["parent"].endswith("0000") and not row["code"].startswith("64"):
            assert row["code"] in used, row


@pytest.mark.parametrize(("code", "name"), KNOWN.items())
def test_known_codes(code: str, name: str) -> None:
    assert by_code()[code]["name_zh"] == name


def test_pairs_lead_from_an_eastern_region_to_ningxia() -> None:
    regions = by_code()
    for pair in read(PAIRS):
        assert regions[pair["from"]]["class"] == "east", pair
        assert pair["to"] in regions, pair
        assert pair["to"].startswith("64"), pair


def test_pairs_name_a_known_program_once_per_pair() -> None:
    codes = json.loads((SEEDS / "taxonomy" / "codes.json").read_text(encoding="utf-8"))
    programs = {entry["code"] for entry in codes["pair_programs"]}
    keys = [(pair["from"], pair["to"], pair["program"]) for pair in read(PAIRS)]
    assert {program for _, _, program in keys} == programs
    assert len(set(keys)) == len(keys)


def test_every_pair_says_how_sure_it_is_and_why() -> None:
    for pair in read(PAIRS):
        assert re.match(r"(confirmed|reported): \S", pair["source"]), pair
        assert re.search(r"\b(19|20)\d\d\b", pair["source"]), pair
        assert re.search(r"[\u4e00-\u9fff]", pair["note_zh"]), pair


def test_minning_pairs_start_in_fujian_and_include_the_provinces_themselves() -> None:
    minning = [(pair["from"], pair["to"]) for pair in read(PAIRS) if pair["program"] == "minning"]
    assert ("350000", "640000") in minning
    assert all(origin.startswith("35") for origin, _ in minning)
