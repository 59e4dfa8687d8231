"""Rows of profiles, vectors and lexemes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
from pgvector import HalfVector, SparseVector

from matching.embedding.protocol import Encoded, Vector
from matching.embedding.tokens import TokenVectors, pack, unpack
from matching.index import Connection, organizations, tokens
from matching.index import vocabulary as lexicon
from matching.indicators import stored as indicator_rows
from matching.profiling.tokens import TOKENIZER
from matching.types import EmbeddedProfile, Facets, Kind, Passage, Profile, Terms

if TYPE_CHECKING:
    import asyncpg

PASSAGE_TYPE = np.dtype("<f2")
NO_TERMS = Terms(np.empty(0, dtype=np.int32), np.empty(0, dtype=np.float32))

UPSERT_PROFILE = """
insert into match_profile (
    id, kind, organization, title, language, field, field_group, industry, region, region_class, partner_regions, modes,
    maturity, price_min, price_max, currency, needed_by, published_on, keywords, sections, passages, passage_weights,
    indicators, indicator_parser
)
values (
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23::text::jsonb,
    $24
)
on conflict (kind, id) do update set
    organization = excluded.organization, title = excluded.title, language = excluded.language, field = excluded.field,
    field_group = excluded.field_group, industry = excluded.industry, region = excluded.region,
    region_class = excluded.region_class, partner_regions = excluded.partner_regions, modes = excluded.modes,
    maturity = excluded.maturity, price_min = excluded.price_min, price_max = excluded.price_max, currency = excluded.currency,
    needed_by = excluded.needed_by, published_on = excluded.published_on, keywords = excluded.keywords,
    sections = excluded.sections, passages = excluded.passages, passage_weights = excluded.passage_weights,
    indicators = excluded.indicators, indicator_parser = excluded.indicator_parser
returning (old.id is null) as created
"""


async def upsert_profile(connection: Connection, profile: Profile) -> bool:
    """Write a profile's row; whether it is new."""
    facets = profile.facets
    created: bool = await connection.fetchval(
        UPSERT_PROFILE,
        profile.id,
        profile.kind,
        profile.organization,
        profile.title,
        profile.language,
        facets.field,
        facets.field_group,
        facets.industry,
        facets.region,
        facets.region_class,
        sorted(facets.partner_regions),
        sorted(facets.modes),
        facets.maturity,
        facets.price_min,
        facets.price_max,
        facets.currency,
        facets.needed_by,
        facets.published_on,
        list(profile.keywords),
        [passage.section for passage in profile.passages],
        [passage.text for passage in profile.passages],
        [passage.weight for passage in profile.passages],
        indicator_rows.to_json(profile.indicators),
        indicator_rows.PARSER,
    )
    return created


UPSERT_VECTOR = """
insert into match_vector (profile_id, kind, model_id, embedding) values ($1, $2, $3, $4)
on conflict (model_id, kind, profile_id) do update set embedding = excluded.embedding
"""
UPSERT_PASSAGES = """
insert into match_passage (profile_id, kind, model_id, vectors, token_vectors, token_rows, token_ids, token_passages)
values ($1, $2, $3, $4, $5, $6, $7, $8)
on conflict (model_id, kind, profile_id) do update
set vectors = excluded.vectors, token_vectors = excluded.token_vectors, token_rows = excluded.token_rows,
    token_ids = excluded.token_ids, token_passages = excluded.token_passages
"""


async def upsert_vectors(connection: Connection, profile: Profile, model_id: int, encoded: Encoded) -> None:
    """Write a profile's vectors for one model, and count an outcome's tokens exactly, however often it is written.

    The profile's row has been written before in this transaction, so that nobody else writes or removes the same one.
    """
    if profile.kind == "outcome":
        before = (await tokens.stored(connection, profile.id)).get(model_id, set())
        after = set(encoded.tokens.identifiers.tolist()) if encoded.tokens is not None else set()
        if before != after:
            await lexicon.lock_lexicon(connection)
            await tokens.count(connection, model_id, sorted(before - after), -1)
            await tokens.count(connection, model_id, sorted(after - before), 1)
    await connection.execute(UPSERT_VECTOR, profile.id, profile.kind, model_id, HalfVector(encoded.vector))
    vectors = encoded.passages.astype(PASSAGE_TYPE).tobytes()
    await connection.execute(
        UPSERT_PASSAGES, profile.id, profile.kind, model_id, vectors, *_token_columns(encoded.tokens)
    )


def _token_columns(found: TokenVectors | None) -> tuple[object, object, object, object]:
    if found is None:
        return None, None, None, None
    return pack(found.vectors), len(found.vectors), found.identifiers.tolist(), found.passages.tolist()


GET_LEXEMES = "select weights, tokenizer from match_lexeme where kind = $1 and profile_id = $2"
# A row whose terms change gets the next number, by which the packed postings of its old terms are out of date.
UPSERT_LEXEMES = """
insert into match_lexeme (profile_id, kind, weights, tokenizer) values ($1, $2, $3, $4)
on conflict (kind, profile_id) do update
set weights = excluded.weights, tokenizer = excluded.tokenizer, number = excluded.number
"""


async def upsert_lexemes(connection: Connection, profile: Profile, *, created: bool) -> Terms:
    """Write a profile's terms, keeping document frequencies exact however often it is written.

    The profile's row has been written before in this transaction, so that nobody else writes or removes the same one.
    """
    average = await lexicon.ensure_lexicon(connection)
    weights = lexicon.weights_of(profile, average)
    before = None if created else await connection.fetchrow(GET_LEXEMES, profile.kind, profile.id)
    stored = from_sparse(before["weights"]) if before else NO_TERMS
    known = await lexicon.find_terms(connection, sorted(weights))
    had = set(stored.identifiers.tolist())
    kept = {term: number for term, number in known.items() if number in had}
    added, dropped = sorted(weights.keys() - kept.keys()), sorted(had - set(kept.values()))
    terms = lexicon.as_terms(weights, kept)
    if before and not (added or dropped) and before["tokenizer"] == TOKENIZER and _equal(stored, terms):
        return terms
    # Held until the end, also where no term's count changes: numbers are given in the order of the commits.
    await lexicon.lock_lexicon(connection)
    if created:
        await lexicon.count_profile(connection, profile.kind, 1)
    await lexicon.drop_terms(connection, profile.kind, dropped)
    kept |= await lexicon.add_terms(connection, profile.kind, added)
    terms = lexicon.as_terms(weights, kept)
    await connection.execute(UPSERT_LEXEMES, profile.id, profile.kind, as_sparse(terms), TOKENIZER)
    return terms


def _equal(one: Terms, other: Terms) -> bool:
    return np.array_equal(one.identifiers, other.identifiers) and np.array_equal(one.weights, other.weights)


# Rows that somebody writes just now are left to them.
OUTDATED = """
select match_profile.* from match_profile
join match_lexeme on match_lexeme.kind = match_profile.kind and profile_id = id
where tokenizer < $1 or tokenizer > $1
limit $2
for no key update of match_profile skip locked
"""


async def rewrite_outdated_lexemes(connection: Connection, limit: int) -> int:
    """Write anew the terms of some profiles that other code cut; how many. Profile rows are locked before the lexicon."""
    rows = await connection.fetch(OUTDATED, TOKENIZER, limit)
    for row in rows:
        await upsert_lexemes(connection, _profile(row), created=False)
    return len(rows)


# The lock makes two removals of one profile, or a removal and a rewriting, come one after the other.
LOCK_PROFILE = "select kind from match_profile where id = $1 for update"
DELETE_PROFILE = "delete from match_profile where kind = $1 and id = $2"


async def delete_profile(connection: Connection, identifier: UUID) -> bool:
    """Remove a profile and all that belongs to it; whether there was one."""
    kind: Kind | None = await connection.fetchval(LOCK_PROFILE, identifier)
    if kind is None:
        return False
    stored = await connection.fetchrow(GET_LEXEMES, kind, identifier)
    counted = await tokens.stored(connection, identifier)
    await connection.execute(DELETE_PROFILE, kind, identifier)
    await lexicon.lock_lexicon(connection)
    if stored:
        await lexicon.drop_terms(connection, kind, from_sparse(stored["weights"]).identifiers.tolist())
    for model_id, numbers in counted.items():
        await tokens.count(connection, model_id, sorted(numbers), -1)
    await lexicon.count_profile(connection, kind, -1)
    return True


# The candidates' rows are found by key; without the bound array first the planner would scan the larger tables.
LOAD = """
select match_profile.*, match_vector.embedding, match_passage.vectors, match_passage.token_vectors, match_passage.token_rows,
    match_passage.token_ids, match_passage.token_passages, match_lexeme.weights,
    match_organization.answered, match_organization.overdue, match_organization.median_hours
from match_profile
join match_vector on match_vector.model_id = $2 and match_vector.kind = $1 and match_vector.profile_id = match_profile.id
join match_passage on match_passage.model_id = $2 and match_passage.kind = $1 and match_passage.profile_id = match_profile.id
join match_lexeme on match_lexeme.kind = $1 and match_lexeme.profile_id = match_profile.id
left join match_organization on match_organization.organization = match_profile.organization
where match_profile.kind = $1 and match_profile.id = any ($3)
order by match_profile.id
"""


async def load(connection: Connection, kind: Kind, model_id: int, identifiers: Sequence[UUID]) -> list[EmbeddedProfile]:
    """Profiles with the vectors of a model, their terms and history, ordered by id; unknown ones are left out."""
    return [_embedded(row) for row in await connection.fetch(LOAD, kind, model_id, list(identifiers))]


def _embedded(row: "asyncpg.Record") -> EmbeddedProfile:
    vector: Vector = row["embedding"].to_numpy().astype(np.float32)
    passages: Vector = np.frombuffer(row["vectors"], dtype=PASSAGE_TYPE).reshape(-1, len(vector)).astype(np.float32)
    encoded = Encoded(vector, passages, _token_vectors(row))
    return EmbeddedProfile(_profile(row), encoded, from_sparse(row["weights"]), organizations.history_of(row))


def _token_vectors(row: "asyncpg.Record") -> TokenVectors | None:
    if row["token_vectors"] is None:
        return None
    return TokenVectors(
        unpack(row["token_vectors"], row["token_rows"]),
        np.array(row["token_ids"], dtype=np.int32),
        np.array(row["token_passages"], dtype=np.int32),
    )


def _profile(row: "asyncpg.Record") -> Profile:
    columns = zip(row["sections"], row["passages"], row["passage_weights"], strict=True)
    return Profile(
        id=row["id"],
        kind=row["kind"],
        title=row["title"],
        keywords=tuple(row["keywords"]),
        passages=tuple(Passage(section, text, weight) for section, text, weight in columns),
        facets=Facets(
            field=row["field"],
            field_group=row["field_group"],
            industry=row["industry"],
            region=row["region"],
            region_class=row["region_class"],
            partner_regions=frozenset(row["partner_regions"]),
            modes=frozenset(row["modes"]),
            maturity=row["maturity"],
            price_min=_decimal(row["price_min"]),
            price_max=_decimal(row["price_max"]),
            currency=row["currency"],
            needed_by=row["needed_by"],
            published_on=row["published_on"],
        ),
        language=row["language"],
        organization=row["organization"],
        indicators=indicator_rows.from_json(row["indicators"]),
    )


OF_OLDER_PARSER = "select id from match_profile where indicator_parser < $1 order by indicator_parser, id limit $2"


async def of_older_parser(connection: Connection, limit: int) -> list[UUID]:
    """Profiles whose figures an older version of the code read."""
    return [row["id"] for row in await connection.fetch(OF_OLDER_PARSER, indicator_rows.PARSER, limit)]


def _decimal(value: Any) -> Decimal | None:
    return None if value is None else Decimal(value)


def as_sparse(terms: Terms) -> SparseVector:
    """Terms as a sparse vector; its positions begin at 0 here and at 1 in SQL, so number n stands at n - 1."""
    entries = zip(terms.identifiers.tolist(), terms.weights.tolist(), strict=True)
    return SparseVector({number - 1: weight for number, weight in entries}, lexicon.DIMENSIONS)


def from_sparse(stored: SparseVector) -> Terms:
    """The terms of a sparse vector."""
    return Terms(np.array(stored.indices(), dtype=np.int32) + 1, np.array(stored.values(), dtype=np.float32))
