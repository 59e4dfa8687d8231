"""Rows of recommendations and decisions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from service.kit.db import Connection, Row
from service.kit.language import Language
from service.kit.queue import ListingJob

# A pair that had left the lists and is found again goes back to the broker, with an event as every change of state.
REVIVE = """
with pair as (
    select need_id, outcome_id from jsonb_to_recordset($1) as pair (need_id uuid, outcome_id uuid)
), revived as (
    update recommendation set state = 'proposed', version = version + 1, updated_at = now()
    from pair
    where recommendation.need_id = pair.need_id and recommendation.outcome_id = pair.outcome_id and state = 'superseded'
    returning id
)
insert into event (request_id, subject_kind, subject_id, action, from_state, to_state)
select 'system', 'recommendation', id, 'propose', 'superseded', 'proposed' from revived
"""
# Ordered, so that two ranking runs that share pairs lock them in the same order and neither waits for the other's.
UPSERT = """
insert into recommendation (need_id, outcome_id, score, probability, level, conflicts, explanation, model_version)
select need_id, outcome_id, score, probability, level, conflicts, explanation, $2
from jsonb_to_recordset($1) as pair (
    need_id uuid, outcome_id uuid, score double precision, probability double precision, level text, conflicts text[],
    explanation jsonb
)
order by need_id, outcome_id
on conflict (need_id, outcome_id) do update
set score = excluded.score, probability = excluded.probability, level = excluded.level, conflicts = excluded.conflicts,
    explanation = excluded.explanation, model_version = excluded.model_version, updated_at = now()
"""


async def store(connection: Connection, pairs: list[dict[str, Any]], model_version: str) -> None:
    """Write ranked pairs. A pair is stored once; what a broker decided on it stays."""
    await connection.execute(REVIVE, [{"need_id": p["need_id"], "outcome_id": p["outcome_id"]} for p in pairs])
    await connection.execute(UPSERT, pairs, model_version)


PARTNERS = """
select case when need_id = $1 then outcome_id else need_id end as partner
from recommendation
where (need_id = $1 or outcome_id = $1) and state <> 'superseded'
"""


async def partners(connection: Connection, listing_id: UUID) -> set[UUID]:
    """The other sides of a listing's present pairs."""
    return {row["partner"] for row in await connection.fetch(PARTNERS, listing_id)}


# The score at the last place of each list, or minus infinity where the list is shorter.
BARS_OF_NEEDS = """
select given.id, coalesce((
    select score from recommendation where need_id = given.id and state <> 'superseded'
    order by score desc, id desc offset $2 - 1 limit 1
), '-infinity') as bar
from unnest($1::uuid[]) as given (id)
"""
BARS_OF_OUTCOMES = """
select given.id, coalesce((
    select score from recommendation where outcome_id = given.id and state <> 'superseded'
    order by score desc, id desc offset $2 - 1 limit 1
), '-infinity') as bar
from unnest($1::uuid[]) as given (id)
"""


async def bars(connection: Connection, listings: list[UUID], *, of_need: bool, places: int) -> dict[UUID, float]:
    """The score that a pair must beat to be among the first `places` of each listing's list."""
    rows = await connection.fetch(BARS_OF_NEEDS if of_need else BARS_OF_OUTCOMES, listings, places)
    return {row["id"]: row["bar"] for row in rows}


SUPERSEDE = """
with gone as (
    update recommendation set state = 'superseded', snoozed_until = null, version = recommendation.version + 1, updated_at = now()
    from (
        select id, state from recommendation
        where (need_id = $1 or outcome_id = $1) and state in ('proposed', 'snoozed')
          and ($2::uuid[] is null or need_id = any ($2) or outcome_id = any ($2))
        order by need_id, outcome_id
        for update
    ) as before
    where recommendation.id = before.id
    returning recommendation.id, before.state as source
)
insert into event (key_id, organization_id, request_id, subject_kind, subject_id, action, from_state, to_state, data)
select acting_key(), acting_organization(), acting_request(), 'recommendation', id, 'supersede', source, 'superseded',
       jsonb_strip_nulls(jsonb_build_object('by_person', acting_person()))
from gone
"""


async def supersede(connection: Connection, listing_id: UUID, partners: list[UUID] | None) -> None:
    """Take undecided pairs of a listing off the lists: all, or those with the partners named."""
    await connection.execute(SUPERSEDE, listing_id, partners)


# A ranking under way may have read what is to be forgotten, and would write it afterwards.
NO_RANKING_MEANWHILE = "select pg_advisory_xact_lock(hashtextextended('ranking', 0))"
RANKING = "select pg_advisory_xact_lock_shared(hashtextextended('ranking', 0))"


async def hold_ranking(connection: Connection) -> None:
    """Let no quotes be forgotten until the transaction ends; other rankings go on."""
    await connection.execute(RANKING)


async def wait_for_rankings(connection: Connection) -> None:
    """Wait for rankings under way, and let none begin until the transaction ends."""
    await connection.execute(NO_RANKING_MEANWHILE)


FORGET_REASONS = "select forget_reasons($1)"


async def forget_reasons(connection: Connection, listing_id: UUID) -> None:
    """Take the evidence out of the stored explanations of a listing's pairs, whatever their state."""
    await connection.execute(FORGET_REASONS, listing_id)


WAKE = """
with woken as (
    update recommendation set state = 'proposed', snoozed_until = null, version = version + 1, updated_at = now()
    where state = 'snoozed' and snoozed_until <= $1
    returning id
)
insert into event (request_id, subject_kind, subject_id, action, from_state, to_state)
select 'system', 'recommendation', id, 'wake', 'snoozed', 'proposed' from woken
"""


async def wake(connection: Connection, at: datetime) -> None:
    """Bring snoozed pairs back whose time has come."""
    await connection.execute(WAKE, at)


OF_NEED = """
select recommendation.id, state, score, probability, level, conflicts, explanation, model_version,
       recommendation.version, recommendation.updated_at, recommendation.outcome_id as counterpart_id
from recommendation
where need_id = $1
  and state = any ($2)
  and ($3::text[] is null or level = any ($3))
  and ($4::float8 is null or (score, id) < ($4, $5::uuid))
order by score desc, id desc
limit $6
"""
OF_OUTCOME = """
select recommendation.id, state, score, probability, level, conflicts, explanation, model_version,
       recommendation.version, recommendation.updated_at, recommendation.need_id as counterpart_id
from recommendation
where outcome_id = $1
  and state = any ($2)
  and ($3::text[] is null or level = any ($3))
  and ($4::float8 is null or (score, id) < ($4, $5::uuid))
order by score desc, id desc
limit $6
"""


async def ranked_list(
    connection: Connection,
    listing_id: UUID,
    *,
    of_need: bool,
    states: list[str],
    levels: list[str] | None,
    after: tuple[float, UUID] | None,
    limit: int,
) -> list[Row]:
    """A page of a stored ranked list, best first."""
    score, identifier = after or (None, None)
    statement = OF_NEED if of_need else OF_OUTCOME
    return await connection.fetch(statement, listing_id, states, levels, score, identifier, limit)


# As above, those first whose other side lies in one of the regions `$7`: codes of GB/T 2260 nest by their digits. Every pair of
# the listing is read for it, which are a few hundred at most for a need, and as many as needs found it for an outcome.
PARTNERS_OF_NEED = """
select recommendation.id, recommendation.state, score, probability, level, conflicts, explanation, model_version,
       recommendation.version, recommendation.updated_at, recommendation.outcome_id as counterpart_id, partner
from recommendation
left join listing on listing.id = recommendation.outcome_id
cross join lateral (
    select coalesce(array[region, left(region, 4) || '00', left(region, 2) || '0000'] && $7, false) as partner
) as place
where need_id = $1
  and recommendation.state = any ($2)
  and ($3::text[] is null or level = any ($3))
  and ($4::float8 is null or (partner, score, recommendation.id) < ($8::boolean, $4, $5::uuid))
order by partner desc, score desc, recommendation.id desc
limit $6
"""
PARTNERS_OF_OUTCOME = """
select recommendation.id, recommendation.state, score, probability, level, conflicts, explanation, model_version,
       recommendation.version, recommendation.updated_at, recommendation.need_id as counterpart_id, partner
from recommendation
left join listing on listing.id = recommendation.need_id
cross join lateral (
    select coalesce(array[region, left(region, 4) || '00', left(region, 2) || '0000'] && $7, false) as partner
) as place
where outcome_id = $1
  and recommendation.state = any ($2)
  and ($3::text[] is null or level = any ($3))
  and ($4::float8 is null or (partner, score, recommendation.id) < ($8::boolean, $4, $5::uuid))
order by partner desc, score desc, recommendation.id desc
limit $6
"""


async def partners_first(
    connection: Connection,
    listing_id: UUID,
    *,
    of_need: bool,
    states: list[str],
    levels: list[str] | None,
    after: tuple[bool, float, UUID] | None,
    limit: int,
    regions: list[str],
) -> list[Row]:
    """A page of a stored ranked list, those of some regions first, and of these and the others the best first."""
    partner, score, identifier = after or (None, None, None)
    statement = PARTNERS_OF_NEED if of_need else PARTNERS_OF_OUTCOME
    return await connection.fetch(statement, listing_id, states, levels, score, identifier, limit, regions, partner)


COUNTERPARTS = """
select listing.id, listing.kind, organization_id, title, confidential,
       left(case when confidential then coalesce(abstract, '') else description end, 200) as excerpt,
       field, listing.region, modes, maturity, price_min, price_max, currency, language,
       organization.brief as organization
from listing left join organization_brief as organization on organization.id = listing.organization_id
where listing.id = any ($1)
"""


async def counterparts(connection: Connection, identifiers: list[UUID]) -> dict[UUID, Row]:
    """Other sides by id, with what their tiers depend on; what the caller is shown of them is decided by these."""
    return {row["id"]: row for row in await connection.fetch(COUNTERPARTS, identifiers)}


LABELS = """
select 'fields' as list, code, label_zh as zh, label_en as en from field where code = any ($1)
union all
select list, code, label_zh, label_en from code where list in ('modes', 'field_groups') and code = any ($1)
union all
select 'regions', code, name_zh, name_en from region where code = any ($1)
"""


async def labels(connection: Connection, codes: list[str], language: Language) -> dict[str, dict[str, str]]:
    """Labels of the codes that explanations name, by list and code."""
    found: dict[str, dict[str, str]] = {"fields": {}, "field_groups": {}, "modes": {}, "regions": {}}
    for row in await connection.fetch(LABELS, codes):
        found[row["list"]][row["code"]] = row[language]
    return found


GET = "select * from recommendation where id = any ($1)"


async def get(connection: Connection, identifier: UUID) -> Row | None:
    """One recommendation."""
    return await connection.fetchrow(GET, [identifier])


async def get_many(connection: Connection, identifiers: list[UUID]) -> dict[UUID, Row]:
    """Recommendations by id; unknown ones are left out."""
    return {row["id"]: row for row in await connection.fetch(GET, identifiers)}


# In the order in which every change of several pairs takes them, so that none waits in a circle.
HOLD = """
select id, state, version from recommendation where id = any ($1) order by need_id, outcome_id for no key update
"""


async def hold(connection: Connection, identifiers: list[UUID]) -> dict[UUID, Row]:
    """State and version of pairs that nobody else changes until the transaction ends."""
    return {row["id"]: row for row in await connection.fetch(HOLD, identifiers)}


HOLD_LISTING = """
select id from recommendation where need_id = $1 or outcome_id = $1 order by need_id, outcome_id for no key update
"""


async def hold_pairs_of(connection: Connection, listing_id: UUID) -> None:
    """Take all pairs of a listing at once, before a ranking changes them in several statements."""
    await connection.execute(HOLD_LISTING, listing_id)


SIDES = """
select kind from listing where id in ($1, $2) and organization_id = $3 order by kind
"""


async def sides_of(connection: Connection, pair: Row, organization_id: UUID | None) -> list[str]:
    """Which sides of a pair are an organization's: need, outcome, both or none."""
    rows = await connection.fetch(SIDES, pair["need_id"], pair["outcome_id"], organization_id)
    return [row["kind"] for row in rows]


# The last decision on each pair with what the signals read of it, as they read today's text; evidence stays behind.
DECIDED_PAIRS = """
select need_id, outcome_id, listing.title, last.action, last.decided_at, (
    select coalesce(jsonb_object_agg(part ->> 'signal', part -> 'raw'), '{}')
    from jsonb_array_elements(explanation -> 'signals') as part
) as readings
from (
    select distinct on (recommendation_id) recommendation_id, action, decided_at
    from decision
    where undone_at is null
    order by recommendation_id, id desc
) as last
join recommendation on recommendation.id = last.recommendation_id
join listing on listing.id = need_id
order by need_id, outcome_id
"""


async def decided_pairs(connection: Connection) -> list[Row]:
    """Pairs that somebody decided on: need_id, outcome_id, the need's title, action, decided_at, raw values by signal."""
    return await connection.fetch(DECIDED_PAIRS)


# By a hash, so that the sample leans to no age, field or organization, and is the same at every run.
SAMPLE_OF_NEEDS = """
select listing.id from listing
join listing_matching on listing_matching.listing_id = listing.id
where listing.kind = 'need' and listing.state in ('published', 'docking')
order by md5($1::text || listing.id::text), listing.id
limit $2
"""


async def sample_of_needs(connection: Connection, seed: int, count: int) -> list[UUID]:
    """Some published needs that the index holds."""
    return [row["id"] for row in await connection.fetch(SAMPLE_OF_NEEDS, str(seed), count)]


# Only what leaves for the index as well: no contact, no organization. What the other kind has is null and left out.
TEXTS_OF = """
select id, title, keywords, case when confidential then coalesce(abstract, '') else concat_ws(
    E'\n', nullif(description, ''), goals, background, partner_requirements, foundation, innovations, applications,
    prospects, nullif(array_to_string(indicators, E'\n'), '')
) end as text
from listing
where kind = $1 and id = any ($2)
"""
PUBLISHED_TEXTS = """
select id, title, keywords, case when confidential then coalesce(abstract, '') else concat_ws(
    E'\n', nullif(description, ''), goals, background, partner_requirements, foundation, innovations, applications,
    prospects, nullif(array_to_string(indicators, E'\n'), '')
) end as text
from listing
where kind = $1 and state in ('published', 'docking') and ($2::uuid is null or id > $2)
  and not exists (select from organization where organization.id = organization_id and organization.state = 'suspended')
order by id
limit $3
"""


async def texts_of(connection: Connection, kind: str, identifiers: list[UUID]) -> list[Row]:
    """Id, title, keywords and whole text of listings of a kind; unknown ones are left out."""
    return await connection.fetch(TEXTS_OF, kind, identifiers)


async def published_texts(connection: Connection, kind: str, after: UUID | None, limit: int) -> list[Row]:
    """A page of id, title, keywords and whole text of what is published, by id."""
    return await connection.fetch(PUBLISHED_TEXTS, kind, after, limit)


MARK_INDEXED = """
insert into listing_matching (listing_id, indexed_version, embedding_model)
values ($1, $2, $3)
on conflict (listing_id) do update
set indexed_version = excluded.indexed_version, indexed_at = now(), embedding_model = excluded.embedding_model
"""


async def mark_indexed(connection: Connection, listing_id: UUID, version: int, embedding_model: int) -> None:
    """Note that the index holds this version of a listing."""
    await connection.execute(MARK_INDEXED, listing_id, version, embedding_model)


MARK_RANKED = """
update listing_matching set ranked_at = now(), ranking_model = $2, pairs = $3 where listing_id = $1
"""


async def mark_ranked(connection: Connection, listing_id: UUID, ranking_model: str, pairs: int) -> None:
    """Note that a listing's stored matches are those of its indexed version."""
    await connection.execute(MARK_RANKED, listing_id, ranking_model, pairs)


CARRY_INDEX = """
update listing_matching set indexed_version = $2 where listing_id = $1 and indexed_version = $2 - 1
"""


async def carry_index(connection: Connection, listing_id: UUID, version: int) -> None:
    """The index holds this version of a listing if it held the one before."""
    await connection.execute(CARRY_INDEX, listing_id, version)


FORGET = "delete from listing_matching where listing_id = $1"


async def forget(connection: Connection, listing_id: UUID) -> None:
    """The listing is no longer in the index."""
    await connection.execute(FORGET, listing_id)


RANKED_AT = "select ranked_at from listing_matching where listing_id = $1 and ranked_at >= indexed_at"


async def ranked_at(connection: Connection, listing_id: UUID) -> datetime | None:
    """When the listing's present version was ranked."""
    moment: datetime | None = await connection.fetchval(RANKED_AT, listing_id)
    return moment


PUBLISHED_OF = """
select id, version from listing where organization_id = $1 and state in ('published', 'docking') order by id
"""


async def published_of(connection: Connection, organization_id: UUID) -> list[ListingJob]:
    """What an organization has published, needs and outcomes."""
    return [ListingJob(row["id"], row["version"]) for row in await connection.fetch(PUBLISHED_OF, organization_id)]


# What a lost job would leave behind. What a suspended organization published waits for its restoration.
UNINDEXED = """
select listing.id, listing.version from listing
join organization on organization.id = listing.organization_id and organization.state <> 'suspended'
left join listing_matching on listing_matching.listing_id = listing.id
where listing.state in ('published', 'docking') and indexed_version is distinct from listing.version
order by listing.id
limit $1
"""


async def unindexed(connection: Connection, limit: int) -> list[ListingJob]:
    """Published listings whose present version the index does not hold."""
    return [ListingJob(row["id"], row["version"]) for row in await connection.fetch(UNINDEXED, limit)]


# A job that ran while the ranking model changed has ranked by the old one, and its successor was not put into the queue.
UNRANKED = """
select listing.id, listing.version from listing
join listing_matching on listing_matching.listing_id = listing.id
left join active_ranking_model on true
where listing.state in ('published', 'docking') and indexed_version = listing.version
  and (ranked_at is null or ranked_at < indexed_at or ranking_model <> active_ranking_model.version)
order by listing.id
limit $1
"""


async def unranked(connection: Connection, limit: int) -> list[ListingJob]:
    """Published listings that are indexed but not ranked since, or not by the model that is active."""
    return [ListingJob(row["id"], row["version"]) for row in await connection.fetch(UNRANKED, limit)]
