"""Near-duplicates: copies, copies with other figures, parts; and no two of the demonstration."""

import json
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.listing_hints import figure_differences, overlap, shingles_of
from matching.listing_hints.duplicates import LEAST_SHINGLES, shingles
from matching.types import Profile
from tests.matching.conftest import profile

DEMO = Path(__file__).parents[3] / "seeds" / "demo"
TEXT = (
    "干混料线四套包装机，除尘布袋三个月换一次。要求排放浓度≤10 mg/m³；布袋寿命不低于18个月；改造停机不超过5天。"
    "粉尘比电阻高，湿度大，压缩空气露点只有3 ℃。"
)


def need(title: str, text: str) -> Profile:
    return profile("need", title, text)


def test_a_copy_under_another_title_is_found() -> None:
    how = overlap(shingles_of(need("水泥包装机除尘改造", TEXT)), shingles_of(need("包装线布袋除尘提效", TEXT)))
    assert how.is_near_duplicate
    assert how.resemblance > 0.75


def test_other_figures_are_told_and_do_not_hide_the_copy() -> None:
    here, there = need("包装机除尘", TEXT), need("包装机除尘", TEXT.replace("≤10 mg", "≤20 mg").replace("5天", "8天"))
    assert overlap(shingles_of(here), shingles_of(there)).resemblance == 1.0
    assert [(each.quantity, each.here, each.there) for each in figure_differences(here, there)] == [
        ("排放浓度", "要求排放浓度≤10 mg/m³", "要求排放浓度≤20 mg/m³"),
        ("改造停机", "改造停机不超过5天", "改造停机不超过8天"),
    ]
    assert figure_differences(here, here) == ()


def test_a_part_is_contained_in_the_whole() -> None:
    whole = need(
        "包装机除尘", TEXT + "另需配套清灰系统与在线粉尘仪，数据接入厂里的集散控制系统，备件一年内免费更换。" * 2
    )
    how = overlap(shingles_of(need("包装机除尘", TEXT)), shingles_of(whole))
    assert how.is_near_duplicate
    assert how.containment == 1.0
    assert how.similarity == how.containment > how.resemblance


def test_of_a_few_words_nothing_is_said() -> None:
    short = shingles(["枸杞干燥"])
    assert len(short) < LEAST_SHINGLES
    assert not overlap(short, short).is_near_duplicate


def test_what_partners_must_bring_does_not_make_a_duplicate() -> None:
    terms = "对合作方的要求：有两家以上现场业绩，技术人员能驻厂不少于三十天，先做侧线试验再签合同，质保金留一年。"
    one = need("枸杞瘿螨绿色防控", "瘿螨越来越不怕药，一季打七八遍还压不住，求物理方法为主的整套办法。" + terms)
    other = need("沼液还田除臭", "沼液拉到地里味道大，周边村子投诉，求低成本的除臭与氨回收办法，冬天也要能用。" + terms)
    assert not overlap(shingles_of(one), shingles_of(other)).is_near_duplicate


def demonstration(kind: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted(DEMO.glob(f"{kind}-*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]


def shingles_of_row(row: dict[str, Any]) -> frozenset[tuple[str, ...]]:
    return shingles([row["title"], row["description"], row.get("goals") or "", *(row.get("indicators") or [])])


@pytest.mark.parametrize("kind", ["needs", "outcomes"])
def test_no_two_listings_of_the_demonstration_are_taken_for_one(kind: str) -> None:
    sets = [shingles_of_row(row) for row in demonstration(kind)]
    pairs = [overlap(one, other) for one, other in combinations(sets, 2)]
    assert not any(how.is_near_duplicate for how in pairs)
    assert max(how.resemblance for how in pairs) < 0.2


@pytest.mark.parametrize("kind", ["needs", "outcomes"])
def test_edited_copies_of_the_demonstration_are_recognized(kind: str) -> None:
    rows = demonstration(kind)
    found = 0
    for row in rows:
        sentences = re.split(r"(?<=[。；;.])", row["description"])
        # Another title, other figures, the last sentence gone, and the rest in another order.
        kept = "".join(reversed([each for each in sentences if each.strip()][:-1] or sentences))
        copy = row | {"title": "技术合作", "description": re.sub(r"\d", "7", kept), "indicators": []}
        found += overlap(shingles_of_row(row), shingles_of_row(copy)).is_near_duplicate
    # What is missed is too short to tell: fewer than twelve shingles are left of it.
    assert found / len(rows) >= 0.95


@given(st.lists(st.text(max_size=80), max_size=5), st.lists(st.text(max_size=80), max_size=5))
def test_shares_lie_between_nothing_and_all(one: list[str], other: list[str]) -> None:
    how = overlap(shingles(one), shingles(other))
    assert 0 <= how.resemblance <= how.containment <= 1
    assert overlap(shingles(other), shingles(one)) == how
