"""What is missing or vague in a text, one case a rule, and silence where nothing is."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import get_args
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.listing_hints import SEVERITIES, Draft, HintCode, hints_of, unlisted_figures
from matching.listing_hints.draft import SEVERITY
from matching.listing_hints.figures import has_figure
from matching.listing_hints.hints import MOST_EXCERPT, MOST_OF_A_KIND
from matching.profiling import ListingText
from matching.types import Facets, Kind

FULL = Facets(
    field="goji", modes=frozenset({"joint_rd"}), maturity=6, price_max=Decimal(800_000), needed_by=date(2027, 7, 31)
)
GOOD = (
    "现用热风烘房干燥一批需要三十多个小时，成品发暗、破损多，一季要停两次。"
    "希望得到干燥时间短的工艺与成套装备，鲜果不用碱液，能在现有厂房里安装。"
)


def draft(
    description: str = GOOD,
    *,
    kind: Kind = "need",
    title: str = "枸杞鲜果快速干燥装备",
    indicators: tuple[str, ...] = ("单批干燥时间≤12 h", "含水率≤13%"),
    keywords: tuple[str, ...] = ("枸杞", "干燥"),
    facets: Facets = FULL,
    names: tuple[str, ...] = (),
    **sections: str,
) -> Draft:
    texts = (("description", description), *sections.items())
    return Draft(ListingText(uuid4(), kind, title, texts, indicators, keywords, facets), names=names)


def found(written: Draft) -> list[tuple[HintCode, str, str]]:
    return [(hint.code, hint.field, hint.excerpt) for hint in hints_of(written)]


def test_a_good_listing_has_no_hints() -> None:
    assert found(draft()) == []
    outcome = "采用真空脉动与分段控温，鲜果不用碱液促干，8至10小时完成干燥，已在三家厂运行两季。"
    assert found(draft(outcome, kind="outcome", facets=replace(FULL, needed_by=None))) == []


def test_every_code_has_a_severity() -> None:
    assert set(SEVERITY) == set(get_args(HintCode))


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (draft(title="干燥"), ("title_short", "title", "干燥")),
        (draft(""), ("description_missing", "description", "")),
        (draft("求干燥设备。"), ("description_short", "description", "")),
        (draft(indicators=()), ("no_indicator", "indicators", "")),
        (draft(GOOD + "含水率不高于13%。", indicators=()), ("indicators_not_listed", "indicators", "含水率不高于13%")),
        (draft(goals="大幅降低能耗，成品色泽国内领先。"), ("vague_word", "goals", "大幅降低能耗")),
        (draft(goals="能耗大幅降低30%以上。"), None),
        (draft(goals="降低吨果电耗；提高品质。"), ("goal_without_figure", "goals", "降低吨果电耗")),
        (draft(goals="缩短单批干燥时间。"), None),  # an indicator says how far
        (draft("We seek a dryer which significantly reduces energy. " + GOOD), ("vague_word", "description", "We seek")),
        (draft(indicators=("含水率≤13%", "色泽更好")), ("indicator_without_figure", "indicators", "色泽更好")),
        (draft(indicators=("含水率≤13%", "可远程操作")), None),  # a yes or no
        (draft(indicators=("热效率≥70%",)), ("indicator_without_condition", "indicators", "热效率≥70%")),
        (draft(indicators=("热效率≥70%（满负荷，环境20 ℃）",)), None),
        (draft(indicators=("满负荷工况热效率≥70%",)), None),
        (draft(facets=replace(FULL, field=None)), ("no_field", "field", "")),
        (draft(facets=replace(FULL, maturity=None)), ("no_maturity", "maturity", "")),
        (draft(facets=replace(FULL, price_max=None)), ("no_price", "price_max", "")),
        (draft(facets=replace(FULL, needed_by=None)), ("no_deadline", "needed_by", "")),
        (draft(facets=replace(FULL, modes=frozenset())), ("no_modes", "modes", "")),
        (draft(keywords=()), ("no_keywords", "keywords", "")),
        (
            draft(GOOD + "联系电话13800000000。"),
            ("contact_in_text", "description", "13800000000"),
        ),
        (draft(partner_requirements="请写信到 demo@example.com"), ("contact_in_text", "partner_requirements", "demo@")),
        (draft(GOOD + "宁夏演示果业有限公司提供试验场地。"), ("organization_named", "description", "宁夏演示果业有限公司")),
        (draft(GOOD + "演示果业提供场地。", names=("演示果业有限公司",)), ("organization_named", "description", "演示果业")),
        (
            draft("公司成立于2003年，注册资本5000万元，现有员工三百人，是国家高新技术企业。", title="枸杞加工厂", indicators=()),
            ("no_demand", "description", "公司成立于2003年"),
        ),
    ],
)  # fmt: skip
def test_what_is_missing_or_vague_is_named(changed: Draft, expected: tuple[HintCode, str, str] | None) -> None:
    hints = found(changed)
    if expected is None:
        assert hints == []
    else:
        code, field, excerpt = expected
        assert any(hint[:2] == (code, field) and hint[2].startswith(excerpt) for hint in hints), hints


def test_the_floor_of_a_hall_is_no_indicator() -> None:
    written = draft("我公司有闲置厂房5000平方米，想上一个市场前景好的新材料项目，欢迎专家洽谈合作事宜。", indicators=())
    assert ("no_indicator", "indicators", "") in found(written)


def test_a_count_far_from_a_word_of_praise_does_not_excuse_it() -> None:
    text = (
        "We are looking for a sensor that significantly improves early detection of mastitis in our herd of 3,000 cows."
    )
    codes = [hint.code for hint in hints_of(draft(text * 2, title="Early warning of mastitis", indicators=()))]
    assert codes[0] == "no_indicator"
    assert "vague_word" in codes
    assert hints_of(draft(GOOD + "It must significantly reduce energy by 30 %.")) == ()


def test_an_outcome_may_name_its_house_and_sets_no_deadline() -> None:
    written = draft(
        GOOD + "由演示农机有限公司推广。", kind="outcome", facets=replace(FULL, needed_by=None), goals="提高品质。"
    )
    assert found(written) == []


def test_a_negotiable_price_is_a_price() -> None:
    written = replace(draft(facets=replace(FULL, price_max=None)), price_open=True)
    assert found(written) == []


def test_the_kind_of_quantity_tells_what_to_add() -> None:
    (hint,) = hints_of(draft(indicators=("循环次数≥3000次",)))
    assert (hint.code, hint.topic) == ("indicator_without_condition", "life")


def test_what_matters_most_comes_first_and_no_kind_buries_the_others() -> None:
    lines = tuple(f"第{n}段转化率≥9{n}%" for n in range(8))
    hints = hints_of(draft(indicators=lines, facets=Facets(), description=GOOD + "电话0951-0000001"))
    order = [SEVERITIES.index(hint.severity) for hint in hints]
    assert order == sorted(order)
    assert hints[0].code == "contact_in_text"
    assert sum(hint.code == "indicator_without_condition" for hint in hints) == MOST_OF_A_KIND


def test_figures_of_the_text_are_offered_as_indicators_once() -> None:
    written = draft(
        "现在一批要35小时，2025年停过机。要求：1．干燥时间不超过12小时；2．含水率≤13%；3．吨果电耗不高于420 kWh。",
        indicators=("含水率≤13%",),
    )
    assert unlisted_figures(written) == ("干燥时间不超过12小时", "吨果电耗不高于420 kWh")


def test_a_goal_in_many_clauses_is_named_three_times_and_a_figure_in_the_sentence_serves_all() -> None:
    many = [code for code, _, _ in found(draft(goals="降低能耗，提高产量，减少破损，缩短工期。"))]
    assert many.count("goal_without_figure") == MOST_OF_A_KIND
    assert "goal_without_figure" not in [code for code, _, _ in found(draft(goals="降低能耗30%，提高产量。"))]


def test_a_row_of_numerals_is_no_figure() -> None:
    assert not has_figure("一" * 20_000)
    assert has_figure(f"{'一' * 20_000}吨")


TEXT = st.text(max_size=300) | st.text(
    alphabet="0123456789%≥≤~～-—（）()。；，、.@:/℃降低提高有限公司我们求第一二①1３\n 　aA\u0627", max_size=300
)


@given(TEXT, TEXT, st.lists(TEXT, max_size=4), st.sampled_from(["need", "outcome"]))
def test_no_text_breaks_them(title: str, text: str, lines: list[str], kind: Kind) -> None:
    written = draft(text, kind=kind, title=title, indicators=tuple(lines), goals=text, names=(title,))
    for hint in hints_of(written):
        assert hint.code in SEVERITY
        assert len(hint.excerpt) <= MOST_EXCERPT
    unlisted_figures(written)
