"""Ranking end to end: one score for a pair whoever asks, stored or not; nothing hidden; no order by chance."""

from dataclasses import replace
from datetime import date

import pytest

from matching import pipeline
from matching.embedding.fake import FakeEncoder
from matching.fusion import default_model, probability_of
from matching.index import Connection
from matching.index.models import EmbeddingModel
from matching.policy import arrange
from matching.signals import SIGNALS
from matching.types import EmbeddedProfile, Facets, Match, Scope
from tests.matching.conftest import named, profile, put, with_facets

DAY = date(2026, 1, 1)
NEEDS = (
    ("枸杞鲜果低温快速脱水", "热风烘房干燥一批需要三十多个小时，希望缩短干燥时间、降低能耗。"),
    ("高盐废水零排放", "煤化工高盐废水分盐结晶成本高，结晶盐纯度不够。"),
)
OUTCOMES = (
    ("枸杞热泵干燥装备", "热泵除湿干燥枸杞，干燥时间8小时，能耗降低30%以上。"),
    ("枸杞多糖提取工艺", "超声辅助提取枸杞多糖，得率提高。"),
    ("煤化工废水分盐结晶", "纳滤分盐与蒸发结晶，结晶盐纯度高于98%。"),
    ("葡萄酒低温发酵", "本土酵母筛选与低温发酵控制。"),
)


async def filled(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> tuple[list[EmbeddedProfile], list[EmbeddedProfile]]:
    """The needs and outcomes above, stored, then read back when all terms are known."""
    needs = [profile("need", *texts) for texts in NEEDS]
    outcomes = [profile("outcome", *texts) for texts in OUTCOMES]
    return await put(connection, encoder, model, *needs), await put(connection, encoder, model, *outcomes)


async def ranked(
    connection: Connection, asking: EmbeddedProfile, model: EmbeddingModel, **options: object
) -> list[Match]:
    """Matches by the default model on a fixed day."""
    return await pipeline.rank(connection, asking, model, default_model(), today=DAY, **options)  # type: ignore[arg-type]


async def test_what_shares_words_and_meaning_comes_first(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    (goji, water), _ = await filled(connection, encoder, model)
    assert (await ranked(connection, goji, model))[0].outcome_id == named("枸杞热泵干燥装备")
    assert (await ranked(connection, water, model))[0].outcome_id == named("煤化工废水分盐结晶")


async def test_a_pair_has_one_score_whichever_side_asks(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    needs, outcomes = await filled(connection, encoder, model)
    from_needs = {(m.need_id, m.outcome_id): m for need in needs for m in await ranked(connection, need, model)}
    from_outcomes = {(m.need_id, m.outcome_id): m for each in outcomes for m in await ranked(connection, each, model)}
    assert len(from_needs) == len(from_outcomes) == len(NEEDS) * len(OUTCOMES)
    # Ranks are left out of the comparison of matches; everything else is the same to the last bit.
    assert from_needs == from_outcomes


@pytest.mark.parametrize("kind", ["need", "outcome"])
async def test_a_text_ranks_the_same_whether_it_is_stored_or_not(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel, kind: str
) -> None:
    needs, outcomes = await filled(connection, encoder, model)
    stored = needs[0] if kind == "need" else outcomes[0]
    (encoded,) = encoder.encode([stored.profile.texts], "query" if kind == "need" else "document")
    ad_hoc = await pipeline.embedded_ad_hoc(connection, stored.profile, encoded)
    assert await ranked(connection, ad_hoc, model) == await ranked(connection, stored, model)


async def test_ranking_an_ad_hoc_text_stores_nothing(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    await filled(connection, encoder, model)
    query = "select (select count(*) from match_profile), (select sum(needs + outcomes) from match_vocabulary)"
    before = await connection.fetchrow(query)
    asking = profile("need", "全新的从未出现过的技术词汇")
    (encoded,) = encoder.encode([asking.texts], "query")
    await ranked(connection, await pipeline.embedded_ad_hoc(connection, asking, encoded), model)
    assert await connection.fetchrow(query) == before


async def test_limit_ranks_and_order(connection: Connection, encoder: FakeEncoder, model: EmbeddingModel) -> None:
    (need, _), _ = await filled(connection, encoder, model)
    whole = await ranked(connection, need, model)
    assert [match.rank for match in whole] == [1, 2, 3, 4]
    assert [match.score for match in whole] == sorted((match.score for match in whole), reverse=True)
    assert await ranked(connection, need, model, limit=2) == whole[:2]


async def test_an_empty_scope_gives_an_empty_list(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    (need, _), _ = await filled(connection, encoder, model)
    assert await ranked(connection, need, model, scope=Scope(field="wine")) == []


async def test_a_conflict_is_marked_and_hides_nothing(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    facets = Facets(maturity=2, modes=frozenset({"license"}))
    await put(connection, encoder, model, profile("outcome", *OUTCOMES[0], facets=facets))
    wants = Facets(maturity=8, modes=frozenset({"transfer"}))
    (need,) = await put(connection, encoder, model, profile("need", *NEEDS[0], facets=wants))
    (match,) = await ranked(connection, need, model)
    assert set(match.conflicts) == {"maturity", "modes"}


async def test_the_contributions_and_the_intercept_add_up_to_the_score(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    (need, _), _ = await filled(connection, encoder, model)
    for match in await ranked(connection, with_facets(need, field="goji"), model):
        assert [part.signal for part in match.contributions] == [signal.name for signal in SIGNALS]
        assert match.score == pytest.approx(default_model().intercept + sum(part.part for part in match.contributions))
        assert match.probability == probability_of(match.score)


async def test_a_model_without_vectors_finds_nothing(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    (need, _), _ = await filled(connection, encoder, model)
    assert await pipeline.load_profile(connection, "need", need.profile.id, replace(model, id=model.id + 1)) is None


def test_equal_scores_are_ordered_by_id_however_they_come() -> None:
    names = sorted(named(letter) for letter in "abc")
    matches = [Match(names[0], other, 0.0, 0.5, "fair", ()) for other in names]
    for order in (matches, matches[::-1]):
        assert [match.outcome_id for match in arrange(order, 3)] == names
