"""Each signal against numbers that a reader can recompute; what is not stated must be neutral."""

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.embedding.protocol import Encoded, unit
from matching.embedding.tokens import TokenVectors
from matching.fusion import RankingModel, default_model
from matching.index.candidates import Rarity
from matching.index.tokens import TokenRarity
from matching.indicators.parse import parse
from matching.pipeline import score_pair
from matching.signals import SIGNALS, Pair, Signal, answers, pairs_of
from matching.signals.answers import MOST_TOKENS, OWN_WORDS_BESIDE_GLOSS, asking
from matching.signals.coverage import COVERAGE
from matching.signals.deadline import DEADLINE
from matching.signals.field import FIELD
from matching.signals.freshness import FRESHNESS
from matching.signals.indicators import INDICATORS
from matching.signals.interaction import INTERACTION
from matching.signals.lexical import LEXICAL
from matching.signals.maturity import MATURITY
from matching.signals.modes import MODES
from matching.signals.price import PRICE
from matching.signals.region import REGION
from matching.signals.responsiveness import RESPONSIVENESS, promptness
from matching.signals.semantic import SEMANTIC
from matching.signals.title import TITLE
from matching.types import AnswerHistory, EmbeddedProfile, Evidence, Facets, Kind, Passage, Profile, Reading, Terms
from tests.matching.conftest import named

DAY = date(2026, 1, 1)
# Token 1 stands in no outcome, token 2 in all ten.
TOKEN_RARITY = TokenRarity(10, {2: 10})
RARITY = Rarity({1: ("枸杞", 2.0), 2: ("干燥", 1.0), 3: ("热泵干燥", 3.0)})


def side(
    kind: Kind,
    vectors: list[list[float]],
    facets: Facets = Facets(),
    weights: tuple[float, ...] = (),
    terms: dict[int, float] | None = None,
) -> EmbeddedProfile:
    """A profile whose passages have these vectors and weights."""
    rows = unit(np.array(vectors, dtype=np.float32))
    passages = tuple(
        Passage("title" if place == 0 else "description", f"{kind}{place}", weight)
        for place, weight in enumerate(weights or (1.0,) * len(vectors))
    )
    profile = Profile(named(kind), kind, f"{kind}0", (), passages, facets, "zh")
    numbers = terms or {}
    found = Terms(
        np.array(sorted(numbers), dtype=np.int32), np.array([numbers[n] for n in sorted(numbers)], dtype=np.float32)
    )
    # One token a passage, so that what a signal makes of tokens can be told from the same few numbers.
    places = np.arange(len(rows), dtype=np.int32)
    tokens = TokenVectors(rows, places + 1, places if kind == "need" else places[:0])
    return EmbeddedProfile(profile, Encoded(unit(rows.mean(axis=0)), rows, tokens), found)


def pair(need: EmbeddedProfile | None = None, outcome: EmbeddedProfile | None = None) -> Pair:
    """A pair; a side that is not given states nothing."""
    (made,) = pairs_of(
        need or side("need", [[1, 0]]), [outcome or side("outcome", [[1, 0]])], RARITY, TOKEN_RARITY, DAY
    )
    return made


def facets(need: Facets, outcome: Facets) -> Pair:
    """A pair that differs in its facets."""
    return pair(side("need", [[1, 0]], need), side("outcome", [[1, 0]], outcome))


def test_semantic_is_the_cosine_of_the_whole_texts_and_never_negative() -> None:
    assert SEMANTIC.read(pair(side("need", [[1, 0]]), side("outcome", [[3, 4]]))).raw == pytest.approx(0.6)
    assert SEMANTIC.read(pair(side("need", [[1, 0]]), side("outcome", [[-1, 0]]))).raw == 0.0


def test_title_is_met_by_any_token_of_the_outcome() -> None:
    reading = TITLE.read(pair(side("need", [[1, 0], [0, 1]]), side("outcome", [[0, 1], [4, 3]])))
    assert reading.raw == pytest.approx(0.8)


def test_interaction_weighs_each_token_of_the_need_by_its_rarity() -> None:
    reading = INTERACTION.read(pair(side("need", [[1, 0], [0, 1]]), side("outcome", [[0, 1], [4, 3]])))
    rare, common = math.log(1 + 10.5 / 0.5), math.log(1 + 0.5 / 10.5)
    assert reading.raw == pytest.approx(((rare * 0.8**2 + common * 1.0) / (rare + common)) ** 0.5)


def test_interaction_hears_little_of_what_a_company_says_of_itself() -> None:
    need = side("need", [[1, 0], [0, 1]], weights=(1.0, 0.05))
    rare, common = math.log(1 + 10.5 / 0.5), math.log(1 + 0.5 / 10.5) * 0.05 / 0.5
    assert INTERACTION.read(pair(need)).raw == pytest.approx((rare / (rare + common)) ** 0.5)


def test_a_long_need_asks_with_its_title_and_its_rarest_tokens() -> None:
    need = side("need", [[1, 0]] * (MOST_TOKENS + 9))
    assert need.encoded.tokens is not None
    found = asking(need, need.encoded.tokens, TokenRarity(10, {1: 10}))
    assert len(found.weights) == MOST_TOKENS
    assert found.of_title.sum() == 1


def test_a_pair_has_one_score_whichever_side_asked() -> None:
    needs = [side("need", [[1, 0], [0, 1]]), side("need", [[3, 4]]), side("need", [[0, 1]] * 3)]
    outcomes = [side("outcome", [[4, 3]]), side("outcome", [[0, 1], [1, 0]])]
    for outcome in outcomes:
        of_outcome = pairs_of(outcome, needs, RARITY, TOKEN_RARITY, DAY)
        for need, seen in zip(needs, of_outcome, strict=True):
            to_need = pairs_of(need, outcomes, RARITY, TOKEN_RARITY, DAY)[outcomes.index(outcome)]
            for signal in (INTERACTION, TITLE):
                assert signal.read(seen).raw == pytest.approx(signal.read(to_need).raw)


def test_the_gloss_of_a_need_speaks_for_it_and_names_its_title() -> None:
    need = side("need", [[1, 0], [0, 1]])
    passages = (need.profile.passages[0], Passage("title_gloss", "干燥", 1.0))
    glossed = replace(need, profile=replace(need.profile, passages=passages))
    rare, common = math.log(1 + 10.5 / 0.5) * OWN_WORDS_BESIDE_GLOSS, math.log(1 + 0.5 / 10.5)
    assert TITLE.read(pair(glossed, side("outcome", [[0, 1]]))).raw == pytest.approx(common / (rare + common))


def test_a_title_of_which_the_model_knows_no_token_states_nothing() -> None:
    need = side("need", [[1, 0], [0, 1]])
    assert need.encoded.tokens is not None
    tokens = replace(need.encoded.tokens, passages=np.array([1, 1], dtype=np.int32))
    assert TITLE.read(pair(replace(need, encoded=replace(need.encoded, tokens=tokens)))).raw is None


def test_texts_that_are_compared_in_blocks_are_answered_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    needs = [side("need", [[1, 0], [0, 1]]), side("need", [[3, 4]]), side("need", [[0, 1]] * 3)]
    outcomes = [side("outcome", [[4, 3]]), side("outcome", [[0, 1], [1, 0]]), side("outcome", [[1, 1]] * 3)]

    def seen() -> list[list[float]]:
        pairs = [
            *pairs_of(needs[0], outcomes, RARITY, TOKEN_RARITY, DAY),
            *pairs_of(outcomes[1], needs, RARITY, TOKEN_RARITY, DAY),
        ]
        return [each.answers.nearest.tolist() for each in pairs if each.answers is not None]

    at_once = seen()
    assert len(at_once) == 6
    monkeypatch.setattr(answers, "MOST_COSINES", 5)
    assert seen() == at_once


@pytest.mark.parametrize("signal", [INTERACTION, TITLE])
def test_a_side_without_token_vectors_states_nothing(signal: Signal) -> None:
    bare = replace(side("outcome", [[1, 0]]), encoded=Encoded(unit(np.ones(2)), unit(np.ones((1, 2)))))
    assert signal.read(pair(outcome=bare)).raw is None


def test_coverage_weighs_each_needed_passage_by_its_best_answer() -> None:
    need = side("need", [[1, 0], [0, 1]], weights=(1.0, 0.5))
    outcome = side("outcome", [[4, 3], [1, 0]])
    # The title's best answer is 1.0, the second passage's 3/5.
    reading = COVERAGE.read(pair(need, outcome))
    assert reading.raw == pytest.approx((1.0 * 1.0 + 0.5 * 0.6) / 1.5)
    assert [evidence.values for evidence in reading.evidence] == [("need1", "outcome0", "0.60")]


def test_coverage_keeps_the_three_best_pairs_of_passages() -> None:
    need = side("need", [[1, 0]] * 6)
    assert len(COVERAGE.read(pair(need)).evidence) == 3


def test_coverage_of_a_need_that_only_praises_its_company_is_still_a_mean() -> None:
    need = side("need", [[1, 0], [0, 1]], weights=(0.0, 0.0))
    assert COVERAGE.read(pair(need, side("outcome", [[1, 0]]))).raw == pytest.approx(0.5)


def test_lexical_is_the_root_of_the_share_of_what_could_be_reached() -> None:
    need = side("need", [[1, 0]], terms={1: 1.0, 2: 2.0})
    outcome = side("outcome", [[1, 0]], terms={1: 1.1, 3: 2.0})
    # Shared is term 1: 1.0 * 2.0 * 1.1; at most (1.0 * 2.0 + 2.0 * 1.0) * (k1 + 1).
    assert LEXICAL.read(pair(need, outcome)).raw == pytest.approx((2.2 / (4.0 * 2.2)) ** 0.5)


def test_lexical_asks_for_no_foreign_word_beside_a_gloss_but_counts_a_shared_one() -> None:
    rarity = Rarity({1: ("干燥", 2.0), 2: ("drying", 3.0), 3: ("goji", 1.0)})
    need = side("need", [[1, 0], [0, 1]], terms={1: 1.0, 2: 1.0, 3: 1.0})
    glossed = replace(
        need, profile=replace(need.profile, passages=(need.profile.passages[0], Passage("gloss", "干燥", 0.8)))
    )
    (seen,) = pairs_of(glossed, [side("outcome", [[1, 0]], terms={1: 1.1, 3: 1.1})], rarity, TOKEN_RARITY, DAY)
    # Shared are 干燥 and goji; drying is not asked for.
    assert LEXICAL.read(seen).raw == pytest.approx(((2.0 * 1.1 + 1.0 * 1.1) / ((2.0 + 1.0) * 2.2)) ** 0.5)


def test_lexical_names_words_and_the_longer_of_two() -> None:
    both = {2: 1.0, 3: 1.0}
    reading = LEXICAL.read(pair(side("need", [[1, 0]], terms=both), side("outcome", [[1, 0]], terms=both)))
    named_terms = [value for evidence in reading.evidence for value in evidence.values]
    assert not any(a != b and a in b for a in named_terms for b in named_terms)


@pytest.mark.parametrize("terms", [{}, {99: 1.0}])
def test_lexical_without_known_terms_is_nothing(terms: dict[int, float]) -> None:
    assert LEXICAL.read(pair(side("need", [[1, 0]], terms=terms), side("outcome", [[1, 0]], terms={1: 1.0}))).raw == 0.0
    assert LEXICAL.read(pair(side("need", [[1, 0]], terms={1: 1.0}), side("outcome", [[1, 0]], terms=terms))).raw == 0.0


def in_group(code: str, group: str, industry: str) -> Facets:
    """A field with its group, and a section of industry."""
    return Facets(field=code, field_group=group, industry=industry)


@pytest.mark.parametrize(
    ("need", "outcome", "raw", "code"),
    [
        (Facets(field="goji", industry="A"), Facets(field="goji", industry="C"), 1.0, "same_field"),
        (Facets(field="goji", industry="A"), Facets(field="dairy", industry="A"), 0.5, "same_section"),
        (Facets(field="goji", industry="A"), Facets(field="dairy", industry="C"), 0.0, "other_field"),
        (Facets(field="goji"), Facets(field="dairy"), 0.0, "other_field"),
        (in_group("goji", "agriculture", "A"), in_group("dairy", "agriculture", "C"), 0.6, "same_group"),
        (in_group("goji", "agriculture", "A"), in_group("dairy", "agriculture", "A"), 0.6, "same_group"),
        (in_group("dairy", "agriculture", "C"), in_group("new_materials", "industry", "C"), 0.5, "same_section"),
        (in_group("goji", "agriculture", "A"), Facets(field="dairy", industry="C"), 0.0, "other_field"),
    ],
)
def test_field(need: Facets, outcome: Facets, raw: float, code: str) -> None:
    reading = FIELD.read(facets(need, outcome))
    assert (reading.raw, reading.evidence[0].code, reading.conflict) == (raw, code, None)


def test_modes_share_or_conflict() -> None:
    shared = MODES.read(facets(Facets(modes=frozenset({"license", "transfer"})), Facets(modes=frozenset({"transfer"}))))
    assert (shared.raw, shared.evidence[0].values, shared.conflict) == (1.0, ("transfer",), None)
    apart = MODES.read(facets(Facets(modes=frozenset({"license"})), Facets(modes=frozenset({"transfer"}))))
    assert (apart.raw, apart.conflict) == (0.0, "modes")


@pytest.mark.parametrize(
    ("wanted", "reached", "raw", "conflict"),
    [(6, 9, 1.0, None), (6, 6, 1.0, None), (6, 5, 2 / 3, None), (6, 4, 1 / 3, None), (6, 3, 0.0, "maturity"), (9, 1, 0.0, "maturity")],
)  # fmt: skip
def test_maturity(wanted: int, reached: int, raw: float, conflict: str | None) -> None:
    reading = MATURITY.read(facets(Facets(maturity=wanted), Facets(maturity=reached)))
    assert (reading.raw, reading.conflict) == (pytest.approx(raw), conflict)


@pytest.mark.parametrize(
    ("needed_by", "reached", "raw", "evidence"),
    [
        # TRL 6 is two levels below 8 and takes a year; from DAY, 2026-01-01, so much is left until:
        (date(2027, 1, 1), 6, 1.0, Evidence("in_time", ("2027-01-01", "6"))),
        (date(2026, 7, 1), 6, 6 / 12, Evidence("too_late", ("2026-07-01", "6", "12"))),
        (date(2026, 1, 1), 6, 0.0, Evidence("too_late", ("2026-01-01", "6", "12"))),
        (date(2026, 7, 1), 1, 6 / 42, Evidence("too_late", ("2026-07-01", "1", "42"))),
        # Nothing more is needed from TRL 8 on.
        (date(2026, 1, 1), 8, 1.0, Evidence("in_time", ("2026-01-01", "8"))),
        (date(2026, 1, 1), 9, 1.0, Evidence("in_time", ("2026-01-01", "9"))),
    ],
)
def test_deadline_is_the_share_of_the_months_that_are_needed(
    needed_by: date, reached: int, raw: float, evidence: Evidence
) -> None:
    reading = DEADLINE.read(facets(Facets(needed_by=needed_by), Facets(maturity=reached)))
    assert reading == Reading(pytest.approx(raw), (evidence,), None)


@pytest.mark.parametrize("maturity", [None, 3, 9])
def test_a_deadline_that_has_passed_is_a_conflict_whatever_the_maturity(maturity: int | None) -> None:
    reading = DEADLINE.read(facets(Facets(needed_by=date(2025, 12, 31)), Facets(maturity=maturity)))
    assert reading == Reading(0.0, (Evidence("deadline_passed", ("2025-12-31",)),), "deadline_passed")


@given(st.integers(-1_000, 4_000), st.integers(0, 400), st.integers(1, 8))
def test_more_time_and_more_maturity_never_count_less(days: int, more: int, reached: int) -> None:
    def raw(days: int, maturity: int) -> float:
        needed_by = DAY + timedelta(days=days)
        found = DEADLINE.read(facets(Facets(needed_by=needed_by), Facets(maturity=maturity))).raw
        assert found is not None
        return found

    assert 0 <= raw(days, reached) <= raw(days + more, reached) <= 1
    assert raw(days, reached) <= raw(days, reached + 1)


@pytest.mark.parametrize(
    ("asked", "raw", "conflict"),
    [("800000", 1.0, None), ("1000000", 1.0, None), ("1500000", 0.5, None), ("2000000", 0.0, "price"), ("9000000", 0.0, "price")],
)  # fmt: skip
def test_price_against_a_budget_of_a_million(asked: str, raw: float, conflict: str | None) -> None:
    reading = PRICE.read(facets(Facets(price_max=Decimal(1_000_000)), Facets(price_min=Decimal(asked))))
    assert (reading.raw, reading.conflict) == (pytest.approx(raw), conflict)


def test_prices_in_two_currencies_are_not_compared() -> None:
    assert PRICE.read(facets(Facets(price_max=Decimal(1)), Facets(price_min=Decimal(9), currency="USD"))) == Reading(
        None
    )


@pytest.mark.parametrize(
    ("need", "outcome", "raw"),
    [
        (Facets(region="640500", partner_regions=frozenset({"350000"})), Facets(region="350200"), 1.0),
        (Facets(region="640500"), Facets(region="640100"), 0.8),
        (Facets(region="640500", region_class="west"), Facets(region="350200", region_class="east"), 0.6),
        (Facets(region="640500", region_class="west"), Facets(region="610100", region_class="west"), 0.5),
    ],
)
def test_region(need: Facets, outcome: Facets, raw: float) -> None:
    assert REGION.read(facets(need, outcome)).raw == raw


def test_freshness_halves_in_two_years_and_the_future_is_now() -> None:
    assert FRESHNESS.read(facets(Facets(), Facets(published_on=date(2024, 1, 2)))).raw == pytest.approx(0.5)
    assert FRESHNESS.read(facets(Facets(), Facets(published_on=date(2027, 1, 1)))).raw == 1.0


def answering(history: AnswerHistory | None) -> Pair:
    """A pair whose outcome's provider has this history."""
    return pair(outcome=replace(side("outcome", [[1, 0]]), history=history))


@pytest.mark.parametrize(
    ("history", "raw", "evidence"),
    [
        (AnswerHistory(3, 0, 7), 1.0, Evidence("prompt_answers", ("0.3", "3", "0"))),
        (AnswerHistory(3, 0, 24), 1.0, Evidence("prompt_answers", ("1", "3", "0"))),
        (AnswerHistory(4, 1, 36), 0.5 ** (0.5 / 4), Evidence("prompt_answers", ("1.5", "4", "1"))),
        (AnswerHistory(5, 0, 5 * 24), 0.5, Evidence("prompt_answers", ("5", "5", "0"))),
        (AnswerHistory(0, 3, 21 * 24), 0.5**5, Evidence("slow_answers", ("21", "0", "3"))),
    ],
)
def test_responsiveness_halves_every_four_days_after_the_first(
    history: AnswerHistory, raw: float, evidence: Evidence
) -> None:
    assert RESPONSIVENESS.read(answering(history)) == Reading(pytest.approx(raw), (evidence,))


@pytest.mark.parametrize("history", [None, AnswerHistory(2, 0, 1), AnswerHistory(1, 1, 400), AnswerHistory(0, 2, 900)])
def test_fewer_than_three_questions_say_nothing_of_a_provider(history: AnswerHistory | None) -> None:
    assert RESPONSIVENESS.read(answering(history)) == Reading(None)


def test_the_history_of_the_needs_organization_is_not_read() -> None:
    assert RESPONSIVENESS.read(pair(replace(side("need", [[1, 0]]), history=AnswerHistory(9, 0, 1)))) == Reading(None)


@given(st.floats(0, 20_000), st.floats(0, 20_000), st.integers(3, 99))
def test_who_answers_later_is_never_read_higher(hours: float, more: float, answered: int) -> None:
    sooner, later = (promptness(AnswerHistory(answered, 0, each)) for each in (hours, hours + more))
    assert sooner is not None
    assert later is not None
    assert 0 <= later <= sooner <= 1


def test_without_a_history_every_pair_has_the_score_that_it_had() -> None:
    """The model before knew no such signal: it is the shipped one without the term."""
    model = default_model()
    terms = {name: term for name, term in model.terms.items() if name != "responsiveness"}
    before = RankingModel("before", model.intercept, terms, model.thresholds)
    pairs = [answering(None), answering(AnswerHistory(2, 0, 1)), facets(FULL, FULL), figures("转化率≥95%", "转化率96%")]
    for each in pairs:
        seen, seen_before = score_pair(each, model), score_pair(each, before)
        assert (seen.score, seen.probability, seen.level) == (
            seen_before.score,
            seen_before.probability,
            seen_before.level,
        )
    known = answering(AnswerHistory(3, 0, 1))
    term = model.terms["responsiveness"]
    assert score_pair(known, model).score - score_pair(known, before).score == pytest.approx(
        term.weight * (1 - term.neutral)
    )


def figures(asked: str, stated: str) -> Pair:
    """A pair that differs in its figures."""
    need, outcome = side("need", [[1, 0]]), side("outcome", [[1, 0]])
    return pair(
        replace(need, profile=replace(need.profile, indicators=parse(asked))),
        replace(outcome, profile=replace(outcome.profile, indicators=parse(stated))),
    )


def test_indicators_are_the_share_that_is_met_of_those_stated_and_close_ones_count_half() -> None:
    reading = INDICATORS.read(
        figures("转化率≥95%，选择性≥90%，纯度≥99%，能耗≤9 kWh/t", "转化率96%，选择性85%，能耗12 kWh/t")
    )
    # met, close, not stated, not met
    assert reading.raw == pytest.approx((1.0 + 0.5 + 0.0) / 3)
    assert [evidence.values[0] for evidence in reading.evidence] == ["met", "close", "not_stated", "not_met"]


def test_indicators_say_nothing_where_none_is_asked_for_or_none_is_answered() -> None:
    assert INDICATORS.read(figures("", "转化率96%")) == Reading(None)
    unanswered = INDICATORS.read(figures("转化率≥95%", "产量高"))
    assert (unanswered.raw, len(unanswered.evidence)) == (None, 1)


def test_indicators_show_the_first_twelve_figures() -> None:
    asked = "，".join(f"{name}值≥{number}%" for number, name in enumerate("甲乙丙丁戊己庚辛壬癸子丑寅卯", start=1))
    assert len(INDICATORS.read(figures(asked, "甲值9%")).evidence) == 12


FULL = Facets(
    field="goji",
    field_group="agriculture",
    industry="A",
    region="640100",
    region_class="west",
    modes=frozenset({"transfer"}),
    maturity=6,
    price_min=Decimal(5),
    price_max=Decimal(9),
    needed_by=date(2027, 1, 1),
    published_on=DAY,
)
FACET_SIGNALS = (FIELD, MODES, MATURITY, DEADLINE, PRICE, REGION, FRESHNESS)


@pytest.mark.parametrize("signal", FACET_SIGNALS, ids=lambda signal: signal.name)
@pytest.mark.parametrize("stating", ["need", "outcome", "neither"])
def test_what_a_side_does_not_state_is_neutral(signal, stating: str) -> None:  # type: ignore[no-untyped-def]
    full_need, full_outcome = FULL if stating == "need" else Facets(), FULL if stating == "outcome" else Facets()
    if signal is FRESHNESS and stating == "outcome":
        full_outcome = replace(full_outcome, published_on=None)
    reading = signal.read(facets(full_need, full_outcome))
    assert (reading.raw, reading.conflict) == (None, None)
    assert default_model().contribution(signal.name, reading).part == 0.0


def test_every_signal_has_a_weight_in_the_default_model_and_no_weight_lacks_its_signal() -> None:
    assert {signal.name for signal in SIGNALS} == set(default_model().terms)


def test_no_signal_of_the_default_model_speaks_against_a_pair_by_agreeing() -> None:
    assert all(term.weight >= 0 for term in default_model().terms.values())
