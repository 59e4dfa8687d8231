"""Lists of listings: filters, pages, and finding any part of a text by index."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated
from uuid import UUID

from pydantic import ConfigDict, Field

from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.tiers import Tiered, redact
from service.listings.schemas import POSTED_BY, SHOWN, Brief, Kind
from service.listings.tiers import view_of_row
from service.taxonomy.schemas import Mode

MAX_GRAMS = 4_000


def fold(text: str) -> str:
    """A text as search compares it: compatible forms united (NFKC), lower case.

    >>> fold("ＰＨ值 6")
    'ph值 6'
    """
    return unicodedata.normalize("NFKC", text).lower()


def grams_of(*texts: str) -> list[str]:
    """The distinct pairs of adjacent characters in `texts`, sorted; what the index on `listing.grams` holds.

    A text longer than the index takes keeps its first pairs: the longest texts are then found by their beginning.

    >>> grams_of("耐高温")
    ['耐高', '高温']
    """
    pairs: dict[str, None] = {}
    for text in texts:
        folded = fold(text)
        pairs.update(dict.fromkeys(map("".join, pairwise(folded))))
    return sorted(list(pairs)[:MAX_GRAMS])


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None means any."""

    states: list[str] | None = None
    field: str | None = None
    regions: list[str] | None = None
    region_class: str | None = None
    mode: str | None = None
    maturity_from: int | None = None
    maturity_to: int | None = None
    price_from: Decimal | None = None
    price_to: Decimal | None = None
    text: str | None = None
    organization_id: UUID | None = None
    language: str | None = None


class Summary(Tiered):
    """A listing in a list: what is needed to choose it, without the long texts."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[UUID, SHOWN]
    state: Annotated[str, SHOWN]
    version: Annotated[int, SHOWN]
    title: Annotated[str, SHOWN]
    excerpt: Annotated[str, SHOWN] = Field(description="Of a confidential one its abstract / 保密项目为公开摘要")
    confidential: Annotated[bool, SHOWN]
    keywords: Annotated[list[str], SHOWN]
    field: Annotated[str | None, SHOWN]
    region: Annotated[str | None, SHOWN]
    region_class: Annotated[str | None, SHOWN]
    modes: Annotated[list[Mode], SHOWN]
    maturity: Annotated[int | None, SHOWN]
    price_min: Annotated[Decimal | None, SHOWN]
    price_max: Annotated[Decimal | None, SHOWN]
    currency: Annotated[str, SHOWN]
    price_negotiable: Annotated[bool, SHOWN]
    expires_on: Annotated[date | None, SHOWN]
    language: Annotated[str, SHOWN]
    organization: Annotated[Brief | None, POSTED_BY]
    published_at: Annotated[datetime | None, SHOWN]
    updated_at: Annotated[datetime, SHOWN]


# Column order of the filters is that of `Filters`; $3 and $4 say whose rows besides the public ones may be seen. That
# suspended organizations' rows are not, the policies of the table see to.
LIST = """
select listing.id, listing.kind, organization_id, listing.state, listing.version, title, confidential,
       left(case when confidential then coalesce(abstract, '') else description end, 200) as excerpt,
       keywords, field, listing.region, region.class as region_class, modes, maturity, price_min, price_max, currency,
       price_negotiable, expires_on, language,
       organization.brief as organization,
       published_at, listing.updated_at
from listing
left join organization_brief as organization on organization.id = listing.organization_id
left join region on region.code = listing.region
where listing.kind = $1
  and ($2::uuid is null or listing.id < $2)
  and ($3 or organization_id = $4
       or listing.state in ('published', 'docking', 'fulfilled', 'transferred'))
  and ($5::text[] is null or listing.state = any ($5))
  and ($6::text is null or field = $6)
  and ($7::text[] is null or listing.region = any ($7))
  and ($8::text is null or region.class = $8)
  and ($9::text is null or $9 = any (modes))
  and ($10::smallint is null or maturity >= $10)
  and ($11::smallint is null or maturity <= $11)
  and ($12::numeric is null or price_max >= $12 or price_min >= $12)
  and ($13::numeric is null or price_min <= $13 or (price_min is null and price_max <= $13))
  and ($14::text[] is null or listing.id in (select listing_with_grams($1, $14)))
  and ($15::text is null or position($15 in lower(normalize(
        title || ' ' || array_to_string(keywords, ' ') || ' ' || case
            when confidential then coalesce(abstract, '')
            else description || ' ' || array_to_string(indicators, ' ')
        end, NFKC))) > 0)
  and ($16::uuid is null or (organization_id = $16 and ($3 or listing.kind = 'outcome' or organization_id = $4)))
  and ($17::text is null or language = $17)
order by listing.id desc
limit $18
"""
# The statement serves many shapes of filter; a plan made for one of them would be poor for the others.
PLAN_EACH_TIME = "select set_config('plan_cache_mode', 'force_custom_plan', true)"


async def search(
    connection: Connection,
    kind: Kind,
    filters: Filters,
    actor: Actor,
    *,
    before: UUID | None,
    limit: int,
) -> list[Summary]:
    """Listings that the actor may see, as far as any member may, newest first."""
    await connection.execute(PLAN_EACH_TIME)
    text = fold(filters.text.strip()) if filters.text and filters.text.strip() else None
    rows = await connection.fetch(
        LIST,
        kind,
        before,
        actor.is_staff,
        actor.organization_id,
        filters.states,
        filters.field,
        filters.regions,
        filters.region_class,
        filters.mode,
        filters.maturity_from,
        filters.maturity_to,
        filters.price_from,
        filters.price_to,
        grams_of(text) if text and len(text) > 1 else None,
        text,
        filters.organization_id,
        filters.language,
        limit,
    )
    return [redact(Summary.model_validate(dict(row)), view_of_row(actor, row)) for row in rows]


FAMILY = """
with recursive place as (
    select code from region where code = $1
    union all
    select region.code from region join place on region.parent = place.code
)
select array_agg(code) from place
"""


async def region_family(connection: Connection, code: str) -> list[str]:
    """A region and everything that lies in it; empty for an unknown code."""
    codes: list[str] | None = await connection.fetchval(FAMILY, code)
    return codes or []
