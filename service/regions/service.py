"""Rows of regions and partner pairs."""

from typing import Any

from service.kit.db import Connection
from service.regions.schemas import PartnerPair, Region

UPSERT_REGIONS = """
insert into region (code, name_zh, name_en, level, parent, class)
select code, name_zh, name_en, level, nullif(parent, ''), nullif(class, '')
from jsonb_to_recordset($1) as seed (code text, name_zh text, name_en text, level text, parent text, class text)
order by case level when 'province' then 1 when 'prefecture' then 2 else 3 end
on conflict (code) do update
set name_zh = excluded.name_zh, name_en = excluded.name_en, level = excluded.level, parent = excluded.parent, class = excluded.class
"""


async def upsert_regions(connection: Connection, seeds: list[dict[str, Any]]) -> None:
    """Write the divisions; entries of the same code are replaced."""
    await connection.execute(UPSERT_REGIONS, seeds)


# Pairs are the operator's to change: what is there stays.
INSERT_PAIRS = """
insert into partner_pair (from_region, to_region, program, note_zh, source)
select "from", "to", program, note_zh, source
from jsonb_to_recordset($1) as seed ("from" text, "to" text, program text, note_zh text, source text)
on conflict do nothing
"""


async def insert_pairs(connection: Connection, seeds: list[dict[str, Any]]) -> None:
    """Add the partner pairs that are not there yet."""
    await connection.execute(INSERT_PAIRS, seeds)


LIST_REGIONS = """
select code, name_zh, name_en, level, parent, class as region_class from region
where ($1::text is null or parent = $1)
  and ($2::text is null or level = $2)
  and ($3::text is null or class = $3)
order by code
"""


async def list_regions(
    connection: Connection, parent: str | None = None, level: str | None = None, region_class: str | None = None
) -> list[Region]:
    """Divisions in the order of their codes."""
    rows = await connection.fetch(LIST_REGIONS, parent, level, region_class)
    return [Region.model_validate(dict(row)) for row in rows]


LIST_PAIRS = "select * from partner_pair order by program, from_region, to_region"


async def list_pairs(connection: Connection) -> list[PartnerPair]:
    """Every partner pair."""
    return [PartnerPair.model_validate(dict(row)) for row in await connection.fetch(LIST_PAIRS)]


PARTNERS_OF = """
with recursive place as (
    select code, parent from region where code = $1
    union all
    select region.code, region.parent from region join place on region.code = place.parent
)
select to_region as partner from partner_pair join place on from_region = place.code
union
select from_region from partner_pair join place on to_region = place.code
"""


async def partners_of(connection: Connection, region: str) -> list[str]:
    """Codes of the regions paired with a region or with what it lies in, sorted."""
    return sorted(str(row["partner"]) for row in await connection.fetch(PARTNERS_OF, region))


WITHIN = """
with recursive place as (
    select code from region where code = any ($1)
    union
    select region.code from region join place on region.parent = place.code
)
select code from place order by code
"""


async def within(connection: Connection, codes: list[str]) -> list[str]:
    """Codes of some regions and of everything that lies in them, sorted; unknown codes are left out."""
    return [str(row["code"]) for row in await connection.fetch(WITHIN, codes)]


CHAIN_OF = "select code from region_chain($1) as chain (code)"


async def chain_of(connection: Connection, code: str) -> list[str]:
    """Codes of a region and of the divisions that it lies in."""
    return [str(row["code"]) for row in await connection.fetch(CHAIN_OF, code)]


GET_REGION = "select code, name_zh, name_en, level, parent, class as region_class from region where code = $1"


async def get_region(connection: Connection, code: str) -> Region | None:
    """One division."""
    row = await connection.fetchrow(GET_REGION, code)
    return Region.model_validate(dict(row)) if row else None


# Each place with what it lies in; a pair of a city and a county is one of both provinces' places too, not the other way round.
PAIRS_BETWEEN = """
with recursive place as (
    select 'one' as side, code, parent from region where code = $1
    union all
    select 'other', code, parent from region where code = $2
    union all
    select place.side, region.code, region.parent from region join place on region.code = place.parent
)
select distinct from_region || ':' || to_region || ':' || program as name from partner_pair
join place as one on one.code = from_region
join place as two on two.code = to_region and two.side <> one.side
order by name
"""


async def partner_pairs_between(connection: Connection, one: str | None, other: str | None) -> list[str]:
    """The partner pairs that two regions are, or lie in, in either direction, as `from:to:program`; sorted."""
    if one is None or other is None or one == other:
        return []
    return [str(row["name"]) for row in await connection.fetch(PAIRS_BETWEEN, one, other)]
