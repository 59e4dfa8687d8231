"""What is read as a figure and what is not, one rule of the parser a case."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.indicators.numbers import han_value
from matching.indicators.parse import MOST_AT_ONCE, parse
from matching.indicators.types import Indicator
from matching.indicators.units import conversion, dimension_of, read_unit


def figures(text: str) -> list[tuple[str, float | None, float | None, str]]:
    """Comparator, bounds and unit of every indicator."""
    return [(i.comparator, i.low, i.high, i.unit) for i in parse(text)]


def only(text: str) -> Indicator:
    """The one indicator of a text."""
    (found,) = parse(text)
    return found


@pytest.mark.parametrize(
    ("text", "comparator", "low", "high", "unit"),
    [
        ("转化率不低于95%", "ge", 95, None, "percent"),
        ("转化率95%以上", "ge", 95, None, "percent"),
        ("含水率≤13%", "le", None, 13, "percent"),
        ("检测时间控制在10分钟以内", "le", None, 10, "minute"),
        ("噪声小于50 dB(A)", "lt", None, 50, "dB"),
        ("温度高于70摄氏度", "gt", 70, None, "degC"),
        ("定位误差优于0.5米", "lt", None, 0.5, "m"),
        ("浓度约12 mg/L", "about", 12, 12, "mg/L"),
        ("厚度0.2~0.5mm", "between", 0.2, 0.5, "mm"),
        ("孔隙率30％－50％", "between", 30, 50, "percent"),
        ("投资5~10万元", "between", 50_000, 100_000, "CNY"),
        ("膨胀系数8～10×10⁻⁶/K", "between", 8e-6, 1e-5, "1/kelvin"),
        ("桥丝电阻在（2.4～2.9）Ω内", "between", 2.4, 2.9, "ohm"),
        ("直径5±0.2mm", "between", 4.8, 5.2, "mm"),
        ("误差不超过±10%", "between", -10, 10, "percent"),
        ("电压220V±10%", "between", 198, 242, "V"),
        ("油温-40～120 ℃", "between", -40, 120, "degC"),
        ("零下二十五度可用", "eq", -25, -25, "degC"),
        ("硬度180≤HB＜240", "between", 180, 240, ""),
        ("硬度≥HRC50", "ge", 50, None, ""),
        ("pH 6–8", "between", 6, 8, ""),
        ("活菌数不低于1×10⁵ CFU/mL", "ge", 1e5, None, "count/mL"),
        ("误码率小于10的负6次方", "lt", None, 1e-6, ""),
        ("Cycle life ≥ 10,000 cycles", "ge", 10_000, None, "count"),
        ("at least 68 % efficiency", "ge", 68, None, "percent"),
        ("a detection rate of 90 % or better", "ge", 90, None, "percent"),
        ("Installed cost below CNY 2,200/kWh", "lt", None, 2200, "CNY/kWh"),
        ("Ambient range −26 °C to +40 °C", "between", -26, 40, "degC"),
        ("drying takes 3 h 30 min", "eq", 3.5, 3.5, "hour"),
        ("ألا تزيد خسارة النفاذية على ٠٫٥٪", "le", None, 0.5, "percent"),
        ("نسبة نجاح التطعيم 95٪ فأكثر", "ge", 95, None, "percent"),
        ("مدة الضمان سنتان على الأقل", "ge", 2, None, "year"),
    ],
)
def test_a_figure_has_its_bound_and_unit(
    text: str, comparator: str, low: float | None, high: float | None, unit: str
) -> None:
    ((found, lower, upper, notation),) = figures(text)
    assert (found, notation) == (comparator, unit)
    assert lower == (None if low is None else pytest.approx(low))
    assert upper == (None if high is None else pytest.approx(high))


@pytest.mark.parametrize(
    ("text", "change", "value"),
    [
        ("能耗降低30%", "fall", 30),
        ("降低成本30%", "fall", 30),
        ("能耗降至30%", "level", 30),
        ("导热系数比普通砖低30%", "fall", 30),
        ("节电率30%", "level", 30),
        ("寿命提高2倍", "rise", 200),
        ("寿命提高到原来的2倍", "rise", 100),
        ("用水量减少三分之一", "fall", 100 / 3),
        ("用水量降至原来的三分之一", "fall", 200 / 3),
        ("提取时间减半", "fall", 50),
        ("产量翻一番", "rise", 100),
        ("废液减少百分之三十", "fall", 30),
        ("剩余污泥减少九成", "fall", 90),
        ("Cooling energy reduced by 12 %", "fall", 12),
        ("Cooling energy reduced to 12 %", "level", 12),
        ("yield up 12 %", "rise", 12),
        ("Repair cost falls by half", "fall", 50),
        ("انخفض تراكم الغبار بنسبة ٤٥٪", "fall", 45),
    ],
)
def test_a_change_is_told_from_a_level(text: str, change: str, value: float) -> None:
    found = only(text)
    assert (found.change, found.low, found.unit) == (change, pytest.approx(value), "percent")


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("年产三千吨", "t/year", 3000),
        ("日处理鲜果10吨", "t/day", 10),
        ("亩成本38元", "CNY/mu", 38),
        ("吨水投资不超过4000元", "CNY/t", 4000),
        ("年节电400万度", "kWh/year", 4_000_000),
        ("daily milk yield of 35 kg", "kg/day", 35),
        ("总酸5.5g/100mL", "g/mL", 0.055),
        ("剥离强力60N/3cm", "N/cm", 20),
    ],
)
def test_a_rate_is_per_what_its_words_say(text: str, unit: str, value: float) -> None:
    found = only(text)
    amount = found.low if found.low is not None else found.high
    assert (found.unit, amount) == (unit, pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("转化率不低于95%、耐温≥300℃", ["转化率", "耐温"]),
        ("95%以上的转化率", ["转化率"]),
        ("100/120粒度的抗冲击韧性≥67%", ["抗冲击韧性"]),
        ("长、宽误差均≤0.1mm", ["长", "宽误差"]),
        ("COD、氨氮分别不高于50、5mg/L", ["COD", "氨氮"]),
        ("再生水利用率由46%提高到63%", ["再生水利用率", "再生水利用率"]),
        ("使用寿命不少于5年", ["使用寿命"]),
        (
            "single-pass CO2 conversion 22.4 %, methanol selectivity 91.6 %",
            ["single-pass CO2 conversion", "methanol selectivity"],
        ),
        ("at least 95 % conversion", ["conversion"]),
        ("استهلاك الكهرباء لا يتجاوز 0.8 كيلوواط ساعة لكل متر مكعب", ["استهلاك الكهرباء"]),
    ],
)
def test_a_figure_has_its_quantity(text: str, names: list[str]) -> None:
    assert [i.quantity for i in parse(text)] == names


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("在25℃条件下，硬度≥50", "25℃条件下"),
        ("头部间隙氧≤8 ppma（室温红外法）", "室温红外法"),
        ("50次冻融后粘结强度损失12%", "50次冻融后"),
        ("蠕变（30min）≤0.02%", "30min"),
        ("NOx conversion 92 % at 170 °C", "at 170 °C"),
        ("Discharge duration 6 h at rated power", "at rated power"),
        ("خسارة النفاذية 0.5٪ بعد 5000 دورة", "بعد 5000 دورة"),
        ("转化率95%", None),
    ],
)
def test_a_condition_belongs_to_its_figure_and_is_none_itself(text: str, condition: str | None) -> None:
    assert only(text).condition == condition


@pytest.mark.parametrize(
    "text",
    [
        "2025年全厂切换N型，2024年1月至2026年12月执行",
        "型号TOPCon-210，执行GB/T 22900和ISO 9001",
        "分三个阶段，完成两条中试线，第3批",
        "电话13912345678，传真0951-6660000",
        "成熟度TRL 6，防护等级IP65，500MPa级抗震钢筋",
        "1、设备维护；2、人员培训",
        "尺寸2500×1500×1000 mm",
        "建所50年以来",
        "Drawings follow DIN EN 10204; see section 4.2 of the 2024 edition.",
        "",
    ],
)
def test_names_dates_and_numbers_of_entries_are_no_figures(text: str) -> None:
    assert parse(text) == ()


def test_the_sentence_is_kept_for_quoting() -> None:
    first, second = parse("白度≥85。\n2）灰分≤0.5%；")
    assert (first.text, second.text) == ("白度≥85", "2）灰分≤0.5%")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("九十五", 95),
        ("三千二百", 3200),
        ("十", 10),
        ("一百零五", 105),
        ("两万五千", 25_000),
        ("一亿二千万", 120_000_000),
        ("二点五", 2.5),
    ],
)
def test_chinese_numerals(written: str, value: float) -> None:
    assert han_value(written) == pytest.approx(value)


def test_every_unit_of_the_table_is_read_by_pint() -> None:
    for text in ("mg/(cm²·d)", "W/(m·K)", "kWh/Nm³", "元/亩", "كيلوواط ساعة لكل متر مكعب", "g·L⁻¹"):
        found = read_unit(text.replace("²", "^2").replace("³", "^3").replace("⁻¹", "^-1"), 0)
        assert found is not None, text
        assert dimension_of(found.notation) is not None, text


def test_a_temperature_has_an_offset_and_a_difference_of_temperatures_none() -> None:
    assert conversion("degC", "kelvin") == pytest.approx((1.0, 273.15))
    assert conversion("degC", "kelvin", difference=True) == (1.0, 0.0)
    assert conversion("CNY", "USD") is None
    assert conversion("kg", "no such unit") is None


# What figures are made of, so that a random text often holds something like one.
PIECES = (
    "0123456789.,~-–±≥≤<>%×^/()（）不低于高超过达到以上下内约倍成半一二三十百千万亿分之年产吨元"
    "kgMPa·℃°度时降至由的率、；。،٪١٢³⁻⑤by to من لا"
)


@given(st.text(alphabet=PIECES, max_size=60) | st.text(max_size=120))
def test_no_text_makes_it_fail_and_every_bound_is_a_finite_number(text: str) -> None:
    for found in parse(text):
        bounds = [bound for bound in (found.low, found.high) if bound is not None]
        assert bounds
        assert all(math.isfinite(bound) for bound in bounds)
        assert dimension_of(found.unit) is not None
        if found.comparator == "between":
            assert found.low is not None
            assert found.high is not None


@pytest.mark.parametrize(
    "text",
    [
        f"含量达到百分之{'九' * 400}",
        f"产量{'九' * 400}吨",
        f"产量一{'亿' * 60}吨",
        f"效率{'九' * 400}分之{'八' * 400}",
        f"长度{'9' * 400}万亿米",
    ],
)
def test_numerals_of_any_length_stay_finite(text: str) -> None:
    found = only(text)
    assert all(math.isfinite(bound) for bound in (found.low, found.high) if bound is not None)


def test_a_text_without_a_stop_is_read_in_stretches_that_its_figures_quote() -> None:
    found = parse("转化率不低于95%，" * 1_000)
    assert [(each.quantity, each.low) for each in found] == [("转化率", 95.0)] * 1_000
    assert max(len(each.text) for each in found) <= MOST_AT_ONCE


def test_stretches_are_cut_between_sentences() -> None:
    sentence = "在25℃条件下，转化率不低于95%。"
    found = parse(sentence * 500)
    assert len(found) == 500
    assert set(found) == {only(sentence)}


@given(st.decimals(min_value=0, max_value=10**9, places=3))
def test_a_number_comes_back_as_it_was_written(value: object) -> None:
    assert only(f"转化率≥{value}%").low == float(str(value))


FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.parametrize("text", ["转化率>=95.5%,厚度0.2~0.5mm", "硬度(HRC)>=50,成本降低30%以上", "pH:6~8;噪声<60dB"])
def test_full_width_is_read_as_half_width(text: str) -> None:
    wide = parse(text.translate(FULL_WIDTH))
    assert [(i.comparator, i.low, i.high, i.unit, i.change) for i in wide] == [
        (i.comparator, i.low, i.high, i.unit, i.change) for i in parse(text)
    ]
    assert [unicodedata.normalize("NFKC", i.quantity) for i in wide] == [i.quantity for i in parse(text)]
