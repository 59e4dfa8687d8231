"""An explanation is data that survives JSON, stays small, and makes a sentence in either language."""

import json

import pytest

from matching.explanation import as_data, contributions_of, indicator_rows, money, sentence
from matching.types import Contribution, Evidence, Match
from tests.matching.conftest import named

LABELS = {
    "fields": {"goji": "枸杞"},
    "field_groups": {"agriculture": "现代农业"},
    "modes": {"transfer": "转让"},
    "regions": {"350000": "福建省"},
}
PARTS = (
    Contribution("coverage", 0.5, 4.0, 1.0, (Evidence("passages", ("干燥时间不超过12小时", "热泵干燥8小时", "0.71")),)),
    Contribution("lexical", 0.25, 8.0, 0.5, (Evidence("terms", ("热泵", "枸杞")),)),
    Contribution("field", 1.0, 1.0, 0.5, (Evidence("same_field", ("goji",)),)),
    Contribution("modes", 0.0, 0.6, -0.3, (Evidence("no_shared_mode"),)),
    Contribution("price", 0.5, 0.8, -0.1, (Evidence("above_budget", ("1200000", "800000", "CNY")),)),
    Contribution("maturity", None, 0.9, 0.0),
)
MATCH = Match(named("need"), named("outcome"), 1.6, 0.83, "strong", PARTS, ("modes",), 1)


def test_contributions_survive_json() -> None:
    assert contributions_of(json.loads(json.dumps(as_data(MATCH)))) == PARTS


def test_the_sentence_says_what_speaks_for_the_pair_before_what_speaks_against_it() -> None:
    said = sentence(as_data(MATCH), "zh", LABELS)
    places = [said.index(part) for part in ("热泵干燥8小时", "热泵、枸杞", "同属枸杞", "合作方式没有交集", "120万元")]
    assert places == sorted(places)


def test_the_sentence_in_english_quotes_the_texts_and_uses_its_own_words() -> None:
    said = sentence(as_data(MATCH), "en", {"fields": {"goji": "goji berries"}})
    for part in ("热泵干燥8小时", "goji berries", "no mode in common", "1.2 million", "800,000"):
        assert part in said
    assert "合作方式" not in said


FIGURES = tuple(
    Evidence("indicator", (verdict, "要求", "成果" if verdict != "not_stated" else "", name, "≥95 %", "96 %"))
    for name, verdict in (("转化率", "met"), ("选择性", "met"), ("能耗", "not_stated"))
)


def test_the_sentence_counts_the_figures_that_are_met() -> None:
    match = Match(named("n"), named("o"), 0.0, 0.5, "fair", (Contribution("indicators", 1.0, 1.2, 0.6, FIGURES),))
    assert sentence(as_data(match), "zh", {}) == "指标：3 项中 2 项满足，1 项未说明"
    assert sentence(as_data(match), "en", {}) == "figures: 2 of 3 met, 1 not stated"
    assert [row.verdict for row in indicator_rows(as_data(match))] == ["met", "met", "not_stated"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_evidence_it_says_so(language: str) -> None:
    bare = Match(named("need"), named("outcome"), 0.0, 0.5, "fair", (Contribution("semantic", 0.5, 1.0, 0.0),))
    assert sentence(as_data(bare), language, {})  # type: ignore[arg-type]


EVERY_CODE = (
    Evidence("same_group", ("agriculture",)),
    Evidence("same_section", ("A",)),
    Evidence("other_field", ("goji", "dairy")),
    Evidence("shared_modes", ("transfer",)),
    Evidence("maturity_reached", ("8", "6")),
    Evidence("maturity_short", ("4", "6")),
    Evidence("in_time", ("2027-01-01", "6")),
    Evidence("too_late", ("2026-07-01", "6", "12")),
    Evidence("deadline_passed", ("2025-12-31",)),
    Evidence("within_budget", ("500000", "800000", "CNY")),
    Evidence("partner_region", ("350000",)),
    Evidence("same_province", ("640000",)),
    Evidence("east_to_west", ("350000",)),
    Evidence("prompt_answers", ("2", "5", "0")),
    Evidence("slow_answers", ("21", "0", "3")),
)


@pytest.mark.parametrize("evidence", EVERY_CODE, ids=lambda evidence: evidence.code)
def test_every_code_has_words_in_both_languages(evidence: Evidence) -> None:
    match = Match(named("need"), named("outcome"), 0.0, 0.5, "fair", (Contribution("any", 1.0, 1.0, 0.0, (evidence,)),))
    chinese, english = (sentence(as_data(match), language, LABELS) for language in ("zh", "en"))  # type: ignore[arg-type]
    assert chinese != english
    assert evidence.code not in chinese
    assert evidence.code not in english


@pytest.mark.parametrize(
    ("evidence", "chinese", "english"),
    [
        (
            Evidence("same_group", ("agriculture",)),
            "领域相近，同属现代农业",
            "neighbouring fields, both of agriculture",
        ),
        (
            Evidence("in_time", ("2027-01-01", "6")),
            "成熟度 TRL 6，预计可在 2027-01-01 前投入使用",
            "at TRL 6 it can be in use by 2027-01-01",
        ),
        (
            Evidence("too_late", ("2026-07-01", "6", "12")),
            "成熟度 TRL 6，估计还需 12 个月才能使用，赶不上需求期限 2026-07-01",
            "at TRL 6 it takes some 12 months to be usable, too long for 2026-07-01",
        ),
        (
            Evidence("deadline_passed", ("2025-12-31",)),
            "需求期限 2025-12-31 已过",
            "the need's deadline 2025-12-31 has passed",
        ),
        (
            Evidence("prompt_answers", ("2", "5", "0")),
            "对退回修改的答复中位时间 2 天（5 次）",
            "returned listings are answered in 2 days at the median (5 times)",
        ),
        (
            Evidence("prompt_answers", ("0.4", "3", "0")),
            "对退回修改的答复中位时间不到 1 天（3 次）",
            "returned listings are answered within a day at the median (3 times)",
        ),
        (
            Evidence("slow_answers", ("16.5", "1", "2")),
            "对退回修改的答复中位时间至少 16.5 天（答复 1 次，逾期未答 2 次）",
            "returned listings are answered in at least 16.5 days at the median (1 time, 2 overdue)",
        ),
    ],
)
def test_the_words_for_groups_deadlines_and_answers(evidence: Evidence, chinese: str, english: str) -> None:
    match = Match(named("n"), named("o"), 0.0, 0.5, "fair", (Contribution("any", 1.0, 1.0, 0.0, (evidence,)),))
    assert sentence(as_data(match), "zh", LABELS) == chinese
    assert sentence(as_data(match), "en", {}) == english


def test_long_quotes_are_cut() -> None:
    quote = Evidence("passages", ("甲" * 500, "乙" * 500, "0.50"))
    match = Match(named("n"), named("o"), 0.0, 0.5, "fair", (Contribution("coverage", 0.5, 1.0, 0.0, (quote,)),))
    assert len(sentence(as_data(match), "zh", {})) < 120


@pytest.mark.parametrize(
    ("amount", "chinese", "english"),
    [("900", "900元", "900"), ("800000", "80万元", "800,000"), ("250000000", "2.5亿元", "250 million")],
)
def test_money(amount: str, chinese: str, english: str) -> None:
    assert (money(amount, "zh"), money(amount, "en")) == (chinese, english)
