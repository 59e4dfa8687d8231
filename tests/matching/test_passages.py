"""Splitting what people paste: numbered entries, headings with and without a colon, stops of either width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.profiling import split_text


def texts(text: str) -> list[str]:
    """The passages alone."""
    return [piece.text for piece in split_text(text, "description")]


def sections(text: str) -> list[tuple[str, str]]:
    """Section and passage."""
    return [(piece.section, piece.text) for piece in split_text(text, "description")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("提高匀染性和固色率.该染料最适合70℃染色,可提高一等品率.", ["提高匀染性和固色率.", "该染料最适合70℃染色,可提高一等品率."]),
        ("两组差异显著(P<0.05).结论是该药安全有效", ["两组差异显著(P<0.05).", "结论是该药安全有效"]),
        ("比表面积为12.5.该活性炭性能优异可用", ["比表面积为12.5.", "该活性炭性能优异可用"]),
        ("1、冲压产品批量开裂；2、电镀品发霉问题严重", ["1、冲压产品批量开裂；", "2、电镀品发霉问题严重"]),
        ("（1）图像预处理与去噪（2）图像配准与融合算法", ["（1）图像预处理与去噪", "（2）图像配准与融合算法"]),
        ("1．图像拼接算法软件设计。2．辅助驾驶产品设计", ["1．图像拼接算法软件设计。", "2．辅助驾驶产品设计"]),
        ("①降低干燥的能耗水平②提高色泽保持率", ["①降低干燥的能耗水平", "②提高色泽保持率"]),
        ("•降低干燥的能耗水平•提高色泽保持率", ["•降低干燥的能耗水平", "•提高色泽保持率"]),
        ("他说“必须降低能耗水平！”然后又提出了更高的要求。", ["他说“必须降低能耗水平！”", "然后又提出了更高的要求。"]),
        ("We need a faster dryer. It must keep the colour.", ["We need a faster dryer.", "It must keep the colour."]),
        ("نحتاج إلى مجفف أسرع. يجب أن يحافظ على اللون", ["نحتاج إلى مجفف أسرع.", "يجب أن يحافظ على اللون"]),
        ("含水率不高于13.5%，单位能耗1.2 kWh，型号C.I.B-19", ["含水率不高于13.5%，单位能耗1.2 kWh，型号C.I.B-19"]),
        ("一.针对高盐废水的处理", ["一.针对高盐废水的处理"]),
    ],
)  # fmt: skip
def test_sentences_and_entries(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_headings_with_a_colon_open_sections() -> None:
    text = "主要需求内容：研究燃料电池能量管理。预期目标：能耗下降10%以上。现有工作基础：公司有博士团队三十人。"
    assert sections(text) == [
        ("description", "研究燃料电池能量管理。"),
        ("goals", "能耗下降10%以上。"),
        ("foundation", "公司有博士团队三十人。"),
    ]


def test_headings_on_a_line_of_their_own_open_sections_and_are_no_passage() -> None:
    text = "一、需求内容及预期目标\n研制5G基站智能天线样机\n二、现有工作基础\n本所成立五十年来成绩斐然"
    assert sections(text) == [("description", "研制5G基站智能天线样机"), ("foundation", "本所成立五十年来成绩斐然")]


def test_the_next_number_closes_a_section_that_a_numbered_heading_opened() -> None:
    text = "二、现有工作基础\n1、厂房三栋，设备齐全\n2、博士三十人，专利五十项\n三、波束动态扫描和切换怎样实现"
    assert [section for section, _ in sections(text)] == ["foundation", "foundation", "description"]


def test_words_that_begin_like_a_heading_are_not_one() -> None:
    assert [section for section, _ in sections("目标检测算法在夜间失效。基础油的硫含量过高。")] == [
        "description",
        "description",
    ]


def test_short_pieces_join_the_one_before() -> None:
    assert texts("能耗高。色泽差。含水率也不均匀") == ["能耗高。色泽差。", "含水率也不均匀"]


@pytest.mark.parametrize("text", ["", "   \n\t", "……", "。；！", "需求内容："])
def test_text_that_says_nothing_has_no_passage(text: str) -> None:
    assert texts(text) == []


# Letters of headings are left out, since a heading is taken away; everything else must come out again.
PLAIN = st.text(alphabet="枸杞干燥能耗色泽abcXYZ0123456789。；;.．、,，（）()①②•! ?\n\t\u3000أبت%℃“”:：", max_size=200)


@given(PLAIN)
def test_no_character_that_says_something_is_lost(text: str) -> None:
    kept = "".join(texts(text))
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


@given(st.text(max_size=300))
def test_any_text_is_split_without_an_error_into_passages_that_say_something(text: str) -> None:
    for passage in texts(text):
        assert any(character.isalnum() for character in passage)
        assert passage == passage.strip()
