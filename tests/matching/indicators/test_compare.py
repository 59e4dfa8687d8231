"""Verdicts on pairs of figures, and which of an outcome's figures answers."""

import pytest

from matching.indicators.asked import asked_of, stated_of
from matching.indicators.compare import compare
from matching.indicators.parse import parse
from matching.indicators.quantities import likeness
from matching.indicators.stored import from_json, to_json
from matching.indicators.types import Verdict
from matching.indicators.wording import figure


def verdict(asked: str, stated: str) -> Verdict:
    """The verdict on the first figure asked for."""
    return compare(parse(asked), parse(stated))[0].verdict


@pytest.mark.parametrize(
    ("asked", "stated", "expected"),
    [
        ("转化率≥95%", "转化率96.5%", "met"),
        ("转化率≥95%", "转化率≥95%", "met"),
        ("转化率＞95%", "转化率95%", "close"),
        # 95 - 95/10 = 85.5 is the last that is close.
        ("转化率≥95%", "转化率85.5%", "close"),
        ("转化率≥95%", "转化率85.4%", "not_met"),
        ("转化率≥95%", "选择性99%", "not_stated"),
        ("转化率≥95%", "转化率提高99%", "not_stated"),
        # The worst of a range counts.
        ("干燥时间≤12 h", "干燥时间10~12 h", "met"),
        ("干燥时间≤12 h", "干燥时间10~13 h", "close"),
        ("干燥时间≤12 h", "干燥时间10~14 h", "not_met"),
        ("干燥时间≤12 h", "干燥时间600分钟", "met"),
        ("适应坡度不小于15°", "坡度不大于8°", "not_met"),
        ("适应坡度不小于15°", "坡度到20°", "met"),
        ("能耗降低30%以上", "能耗降低38%", "met"),
        ("能耗降低30%以上", "能耗38 kWh/t", "not_stated"),
        ("单炉月产下降不超过3%", "单炉月产下降1.7%", "met"),
        ("单炉月产下降不超过3%", "单炉月产增加0.6%", "met"),
        ("粘结强度损失≤15%", "粘结强度下降12%", "met"),
        ("透过率≥98%", "透过率损失0.4%", "not_stated"),
        ("负荷范围20%～110%", "负荷范围10%～120%", "met"),
        ("负荷范围20%～110%", "负荷范围40%～110%", "not_met"),
        ("厚度0.2~0.5mm", "厚度0.3mm", "met"),
        ("厚度0.2~0.5mm", "厚度0.3~0.9mm", "not_met"),
        ("测量误差±0.5%", "测量误差±0.3%", "met"),
        ("测量误差≤0.5%", "测量误差±0.3%", "met"),
        ("日处理量10吨", "日处理量12吨", "met"),
        ("耐温≥300℃", "耐温350℃", "met"),
        ("头部间隙氧≤8 ppma", "头部间隙氧由13.2 ppma降到11.0 ppma左右", "not_met"),
        ("氨氮去除率≥90%", "COD去除率95%", "not_stated"),
        ("成本≤900元/t", "成本≤100美元/t", "not_stated"),
        ("出水COD≤60 mg/L", "出水BOD 8 mg/L", "not_stated"),
        ("出水氨氮≤15 mg/L", "出水氟5.6 mg/L", "not_stated"),
        ("误报率≤0.1次", "误报率3%", "not_stated"),
        ("一次充电续航≥7天", "一次8天", "not_stated"),
        ("冲蚀失重≤15 mg/kg", "失重8.6 mg/kg", "met"),
        ("sensitivity ≥ 95 %", "methanol selectivity 91.6 %", "not_stated"),
    ],
)
def test_verdicts(asked: str, stated: str, expected: Verdict) -> None:
    assert verdict(asked, stated) == expected


@pytest.mark.parametrize(
    ("asked", "stated", "expected"),
    [
        ("AC round-trip efficiency ≥ 68 %", "交流侧往返效率72%", "met"),
        ("Installed cost ≤ 2,200 CNY/kWh", "系统造价2600元/kWh", "not_met"),
        ("العكارة لا تزيد على 2 NTU", "出水浊度0.5 NTU", "met"),
        ("BOD في المياه المعالجة ≤ 10 ملغ/لتر", "BOD 6 mg/L", "met"),
        ("sensitivity at least 95 %", "الحساسية 94%", "close"),
        ("sensitivity at least 95 %", "النوعية 99.4%", "not_stated"),
    ],
)
def test_quantities_meet_over_languages(asked: str, stated: str, expected: Verdict) -> None:
    assert verdict(asked, stated) == expected


def test_the_quantity_that_is_named_most_alike_answers() -> None:
    (found,) = compare(parse("头部氧含量≤8 ppm"), parse("尾部氧含量5 ppm，头部氧含量9 ppm"))
    assert found.answered is not None
    assert (found.answered.quantity, found.verdict) == ("头部氧含量", "not_met")


def test_among_figures_of_one_quantity_the_one_that_agrees_best_answers() -> None:
    (found,) = compare(parse("寿命≥5年"), parse("寿命4年；寿命6年"))
    assert (found.verdict, found.answered and found.answered.low) == ("met", 6.0)


@pytest.mark.parametrize(("one", "other"), [("转化率", "转化率"), ("噪声", "整机噪音"), ("改造费用", "改造成本")])
def test_likeness_does_not_depend_on_the_order(one: str, other: str) -> None:
    assert likeness(one, other) == likeness(other, one) == 1.0


def test_a_need_asks_for_what_it_wants_and_not_for_what_it_has() -> None:
    passages = [
        ("title", "枸杞干燥"),
        ("description", "目前干燥时间24 h，去年产量300 t。要求干燥时间≤12 h。"),
        ("background", "能耗降低30%以上"),
        ("indicators", "干燥时间≤12 h"),
        ("indicators", "成品率由90%提高到95%以上"),
    ]
    assert [(i.quantity, i.comparator, i.low, i.high) for i in asked_of(passages)] == [
        ("干燥时间", "le", None, 12.0),
        ("成品率", "ge", 95.0, None),
    ]


def test_an_outcome_states_a_figure_once_however_often_it_says_it() -> None:
    assert len(stated_of([("description", "干燥时间8 h，能耗低。"), ("indicators", "干燥时间8 h")])) == 1


def test_indicators_come_back_from_their_column() -> None:
    given = parse("在25℃条件下，转化率≥95%，厚度0.2~0.5mm")
    assert from_json(to_json(given)) == given


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("转化率≥95%", "≥95 %"),
        ("厚度0.2~0.5mm", "0.2–0.5 mm"),
        ("成本降低30%", "↓ 30 %"),
        ("镁锂比1.5", "1.5"),
        ("浓度约12 mg/L", "≈12 mg/L"),
    ],
)
def test_a_figure_in_few_words(text: str, words: str) -> None:
    assert figure(parse(text)[0]) == words
