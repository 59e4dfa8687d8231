"""Suggested fields and keywords, in cases that a reader can recompute."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.embedding.fake import FakeEncoder
from matching.listing_hints import (
    FieldOf,
    FieldWords,
    SuggestedField,
    candidates_of,
    field_hint,
    suggest_fields,
    suggest_keywords,
)
from matching.listing_hints.field_suggestion import field_probabilities
from matching.profiling import ListingText, compose
from matching.types import Kind, Profile
from tests.matching.conftest import named, profile

FIELDS = (
    FieldWords("goji", (("zh", ("枸杞", "枸杞烘干")), ("en", ("Goji", "wolfberry")))),
    FieldWords("wine", (("zh", ("葡萄酒", "酿酒葡萄")), ("en", ("Wine", "vineyard")))),
    FieldWords("dairy", (("zh", ("奶业", "奶牛")), ("en", ("Dairy", "dairy cow")))),
)


def test_words_of_a_field_decide_where_there_is_no_encoder() -> None:
    text = profile("need", "枸杞快速干燥", "枸杞鲜果干燥太慢")
    shares = field_probabilities(text, FIELDS, None, None, [])
    # 枸杞 stands there twice and counts 2 / 2 each time: ln(1 + 2), weighted 2.8; the other fields have nothing.
    assert shares == pytest.approx(np.array([3**2.8, 1, 1]) / (3**2.8 + 2))
    (first,) = [each for each in suggest_fields(text, FIELDS) if each.confidence > 0.5]
    assert first.code == "goji"


def test_english_names_count_in_chinese_texts() -> None:
    assert suggest_fields(profile("need", "Wine 脱醇设备", "vineyard 自动化"), FIELDS)[0].code == "wine"


def test_of_a_text_that_tells_nothing_no_field_is_suggested() -> None:
    assert suggest_fields(profile("need", "设备改造", "求高手来看看"), FIELDS) == ()
    assert suggest_fields(profile("need", "枸杞"), ()) == ()


def test_neighbours_vote_by_nearness() -> None:
    encoder = FakeEncoder()
    text = profile("need", "乳房炎预警", "早期发现")
    (encoded,) = encoder.encode([text.texts], "query")
    same = encoder.encode([("甲",)] * 3, "document")
    near = [FieldOf("dairy", 0.8), FieldOf("wine", 0.7), FieldOf("unknown", 0.9)]
    shares = field_probabilities(text, FIELDS, encoded, same, near)
    # Equal but for the votes: of two neighbours, 0.1 apart, one weighs e times the other; a field of none keeps 0.05.
    votes = [0.05, 0.05 + 1 / (1 + math.e), 0.05 + math.e / (1 + math.e)]
    assert shares == pytest.approx(np.array(votes) ** 1.9 / sum(vote**1.9 for vote in votes))


def test_a_stated_field_is_doubted_only_where_another_is_sure() -> None:
    sure = (SuggestedField("goji", 0.95),)
    hint = field_hint("wine", sure)
    assert hint is not None
    assert (hint.code, hint.excerpt, hint.topic) == ("field_doubtful", "wine", "goji")
    assert field_hint("goji", sure) is None
    assert field_hint(None, sure) is None
    assert field_hint("wine", (SuggestedField("goji", 0.8),)) is None
    assert field_hint("wine", (*sure, SuggestedField("wine", 0.05))) is None


def listing(title: str, text: str, keywords: tuple[str, ...] = (), kind: Kind = "need") -> Profile:
    return compose(ListingText(named(title), kind, title, (("description", text),), keywords=keywords))


def test_rare_words_come_first_and_given_ones_not_at_all() -> None:
    text = listing("单晶炉磁场控氧", "单晶炉的磁场要改造，单晶炉的设备老旧，磁场不匀。")
    candidates = candidates_of(text)
    documents = dict.fromkeys(candidates.terms(), 1) | {"磁场": 90}
    found = suggest_keywords(candidates, documents, 100)
    assert "单晶" in found[0]
    assert found.index("磁场") > 0
    assert "设备" not in found
    assert not any("单晶" in word for word in suggest_keywords(candidates, documents, 100, given=("单晶炉",)))


def test_words_that_other_listings_use_count_double() -> None:
    text = listing("碱渣制纯碱副产消纳", "蒸氨废液和碱渣堆在库里，想做成建材。")
    assert "蒸氨废液" not in suggest_keywords(candidates_of(text), {}, 0)
    assert "蒸氨废液" in suggest_keywords(candidates_of(text, ["蒸氨废液", "没有的词"]), {}, 0)


def test_keywords_of_other_languages() -> None:
    text = listing("Thallium removal", "We need a sorbent for thallium in smelter effluent; the sorbent must be cheap.")
    found = suggest_keywords(candidates_of(text), {}, 0)
    assert found[0] == "Thallium"
    assert "sorbent" in found
    assert not {"the", "for", "must", "need"} & {word.lower() for word in found}


@given(st.text(max_size=200), st.text(max_size=60), st.lists(st.text(max_size=10), max_size=3))
def test_no_text_breaks_them(text: str, title: str, words: list[str]) -> None:
    written = listing(title, text, tuple(words))
    candidates = candidates_of(written, words)
    candidates.terms()
    assert len(suggest_keywords(candidates, {}, 0, tuple(words))) <= 8
    assert len(suggest_fields(written, FIELDS)) <= 3
