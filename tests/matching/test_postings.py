"""Packed postings: what they find is what a scan of everything finds, whatever was written, removed and packed between."""

import random
from itertools import pairwise

import asyncpg
import pytest

from matching import pipeline
from matching.embedding.fake import FakeEncoder
from matching.index import Connection, candidates, postings, profiles, vocabulary
from matching.index.models import EmbeddingModel
from matching.profiling import tokens
from matching.types import EmbeddedProfile, Facets, Scope
from tests.matching.conftest import connect, named, profile, put
from tests.matching.test_index import check_counts, contents

WORDS = [f"w{number}" for number in range(60)]


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing begins with few rows, so that a test need not write thousands."""
    monkeypatch.setattr(postings, "LEAST_PACKED", 4)
    monkeypatch.setattr(postings, "MOST_PACKED", 30)


async def pack_all(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Pack as the worker does."""
    async with connection.transaction():
        up_to = await postings.last_number(connection, "outcome")
    packing = True
    while packing:
        async with connection.transaction():
            packing = await postings.pack(connection, "outcome", up_to)


async def best(
    connection: Connection, need: EmbeddedProfile, scope: Scope, limit: int = 10
) -> list[tuple[object, float]]:
    """Ids and scores of the best by terms."""
    rarity = await candidates.rarity_of(connection, [need.terms])
    found = await candidates.best_by_terms(connection, "outcome", need.terms, rarity, scope, limit)
    return [(each.id, each.score) for each in found]


async def write(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel, dice: random.Random, name: str
) -> None:
    """Write an outcome of random words anew, or for the first time."""
    words = " ".join(dice.choices(WORDS, k=dice.randrange(3, 30)))
    facets = Facets(field="goji" if dice.random() < 0.3 else "wine")
    await put(connection, encoder, model, profile("outcome", words, name=name, facets=facets))


@pytest.mark.parametrize("seed", range(3))
async def test_packed_and_fresh_rows_together_give_what_a_scan_gives(
    connection: "asyncpg.Connection[asyncpg.Record]",
    encoder: FakeEncoder,
    model: EmbeddingModel,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """The scan is the narrow route over every id; scopes are made to count as wide."""
    monkeypatch.setattr(candidates, "NARROW", 0)
    dice = random.Random(seed)
    for round_number in range(8):
        for _ in range(12):
            name = f"p{dice.randrange(45)}"
            if dice.random() < 0.2:
                await pipeline.remove_profile(connection, named(name))
            else:
                await write(connection, encoder, model, dice, name)
        if round_number % 3 != 2:
            await pack_all(connection)
        everyone = tuple(
            row["id"] for row in await connection.fetch("select id from match_profile where kind = 'outcome'")
        )
        goji = await connection.fetch("select id from match_profile where kind = 'outcome' and field = 'goji'")
        (need,) = await put(
            connection,
            encoder,
            model,
            profile("need", " ".join(dice.choices(WORDS, k=dice.randrange(1, 40))), name="need"),
        )
        for scope, members in ((Scope(), everyone), (Scope(field="goji"), tuple(row["id"] for row in goji))):
            expected = await best(connection, need, Scope(identifiers=members))
            assert await best(connection, need, scope) == expected
    assert await connection.fetchval("select count(*) from match_segment") > 0
    await check_counts(connection)


async def test_every_packed_row_lies_in_one_segment_and_segments_stay_few(
    connection: "asyncpg.Connection[asyncpg.Record]", encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    dice = random.Random(1)
    for number in range(80):
        await write(connection, encoder, model, dice, f"p{number}")
        await pack_all(connection)
    segments = await connection.fetch(
        "select after, last, octet_length(numbers) / 4 as rows from match_segment order by 1"
    )
    assert all(one["last"] <= other["after"] for one, other in pairwise(segments))
    # 80 rows, of which at most 3 are fresh: full segments of 30 to 16 rows, and a tail that halves each time.
    assert 77 <= sum(row["rows"] for row in segments) <= 80
    assert len(segments) <= 7
    assert max(row["rows"] for row in segments) <= 30


async def test_a_segment_of_which_half_is_gone_is_packed_anew(
    connection: "asyncpg.Connection[asyncpg.Record]", encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    dice = random.Random(2)
    for number in range(10):
        await write(connection, encoder, model, dice, f"p{number}")
    await pack_all(connection)
    for number in range(6):
        await pipeline.remove_profile(connection, named(f"p{number}"))
    await pack_all(connection)
    assert await connection.fetchval("select sum(octet_length(numbers)) / 4 from match_segment") == 4
    for number in range(6, 10):
        await pipeline.remove_profile(connection, named(f"p{number}"))
    await pack_all(connection)
    assert await connection.fetchval("select count(*) from match_segment") == 0
    assert await connection.fetchval("select count(*) from match_posting") == 0


async def test_who_packs_waits_for_numbers_that_are_under_way(
    connection: "asyncpg.Connection[asyncpg.Record]", app_url: str, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    """Else a row could get a number below the last packed one and be seen by nobody."""
    await put(connection, encoder, model, profile("outcome", "枸杞"))
    other = await connect(app_url, role="duijie_ranking")
    try:
        async with other.transaction():
            await pipeline.index_profile(other, profile("outcome", "枸杞酒"), {})
            await connection.execute("set lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                async with connection.transaction():
                    await postings.last_number(connection, "outcome")
    finally:
        await other.close()


async def test_a_row_keeps_its_number_until_its_terms_change(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    number = "select number from match_lexeme"
    await put(connection, encoder, model, profile("outcome", "枸杞", name="one"))
    first = await connection.fetchval(number)
    await put(connection, encoder, model, profile("outcome", "枸杞", name="one", facets=Facets(field="goji")))
    assert await connection.fetchval(number) == first
    # The same terms as often as before in all, each otherwise: only weights change.
    await put(connection, encoder, model, profile("outcome", "枸杞 枸杞", name="one"))
    assert await connection.fetchval(number) > first


async def test_one_rare_term_of_a_long_text_is_not_drowned(
    connection: "asyncpg.Connection[asyncpg.Record]", encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    """A need of 2,000 characters in common words that names one alloy finds the one outcome of that alloy first."""
    dice = random.Random(3)
    for number in range(40):
        await write(connection, encoder, model, dice, f"p{number}")
    await put(connection, encoder, model, profile("outcome", "Ti6Al4V 粉末", name="alloy"))
    await pack_all(connection)
    long = " ".join(dice.choices(WORDS[:8], k=800)) + " Ti6Al4V粉末"
    assert len(long) >= 2_000
    (need,) = await put(connection, encoder, model, profile("need", "采购", long))
    (found,) = [
        place for place, (name, _) in enumerate(await best(connection, need, Scope())) if name == named("alloy")
    ]
    assert found == 0


async def test_texts_that_other_code_cut_are_cut_anew(
    connection: "asyncpg.Connection[asyncpg.Record]",
    encoder: FakeEncoder,
    model: EmbeddingModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = [profile("outcome", "枸杞干燥"), profile("outcome", "热泵 PEM-20"), profile("need", "枸杞 GB/T 22900")]
    with monkeypatch.context() as older:
        older.setattr(vocabulary, "count_terms", lambda texts: tokens.Counter("".join(texts)))
        for module in (vocabulary, profiles):
            older.setattr(module, "TOKENIZER", 1)
        await put(connection, encoder, model, *given)
    assert not await vocabulary.is_of_this_code(connection)
    assert not await vocabulary.note_tokenizer(connection)
    async with connection.transaction():
        assert await profiles.rewrite_outdated_lexemes(connection, 2) == 2
    assert not await vocabulary.note_tokenizer(connection)
    await check_counts(connection)
    async with connection.transaction():
        assert await profiles.rewrite_outdated_lexemes(connection, 2) == 1
        assert await profiles.rewrite_outdated_lexemes(connection, 2) == 0
    assert await vocabulary.note_tokenizer(connection)
    assert await vocabulary.is_of_this_code(connection)
    await check_counts(connection)
    terms = {row["term"] for row in await connection.fetch("select term from match_vocabulary")}
    assert terms == {term for each in given for term in vocabulary.profile_counts(each)}
    # Writing them once more changes nothing, so they are as this code writes them.
    before = await contents(connection)
    await put(connection, encoder, model, *given)
    assert await contents(connection) == before
