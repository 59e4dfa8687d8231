"""Lists of contracts, and figures over many of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.contracts.views import ContractSummary
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.regions.schemas import region_prefix


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which contracts are wanted; None does not narrow. `region` is a code of GB/T 2260, meant with all in it."""

    states: Sequence[str] | None = None
    type: str | None = None
    field: str | None = None
    region: str | None = None
    signed_from: date | None = None
    signed_until: date | None = None
    organization_id: UUID | None = None
    overdue: bool = False


SEARCH = """
select id, state, version, type, name, field, currency, turnover, technology_value, received, signed_on, registered_on,
    ends_on, next_due_on,
    coalesce(next_due_on < $9 and state not in ('draft', 'settled', 'cancelled'), false) as overdue,
    (select coalesce(jsonb_agg(jsonb_build_object('role', role, 'name', party.name, 'region', region) order by position), '[]')
     from contract_party as party where contract_id = contract.id) as parties
from contract
where ($1::text[] is null or state = any ($1))
  and ($2::text is null or type = $2)
  and ($3::text is null or field = $3)
  and ($4::text is null or exists (
      select from contract_party as party where contract_id = contract.id and starts_with(party.region, $4)))
  and ($5::date is null or signed_on >= $5)
  and ($6::date is null or signed_on <= $6)
  and ($7::uuid is null or exists (
      select from contract_party as party where contract_id = contract.id and party.organization_id = $7))
  and (not $8 or (next_due_on < $9 and state not in ('draft', 'settled', 'cancelled')))
  and ($10::uuid is null or id < $10)
order by id desc
limit $11
"""


async def search(
    connection: Connection, wanted: Narrowing, day: date, before: UUID | None, limit: int
) -> list[ContractSummary]:
    """Contracts that the actor's rights show, newest first; `day` is the one that overdue is measured by."""
    region = region_prefix(wanted.region) if wanted.region else None
    rows = await connection.fetch(
        SEARCH, list(wanted.states) if wanted.states else None, wanted.type, wanted.field, region, wanted.signed_from,
        wanted.signed_until, wanted.organization_id, wanted.overdue, day, before, limit,
    )  # fmt: skip
    return [ContractSummary.model_validate(dict(row)) for row in rows]


REGION_NAMES = "select code, name_zh, name_en from region where code = any ($1)"


async def region_names(connection: Connection, codes: Sequence[str]) -> dict[str, Text]:
    """What regions are called."""
    rows = await connection.fetch(REGION_NAMES, list(codes))
    return {
        row["code"]: Text(f"{row['name_zh']}（{row['code']}）", f"{row['name_en']} ({row['code']})") for row in rows
    }


# A contract counts once, by the day of its latest registration; the region is its first seller's, or buyer's.
FIGURES = """
select "group", currency, count(*) as contracts, sum(turnover) as turnover, sum(technology_value) as technology_value
from (
    select currency, turnover, technology_value,
        case $1::text
            when 'type' then type
            when 'field' then field
            when 'month' then to_char(registered_on, 'YYYY-MM')
            else (
                select region from contract_party as party
                where contract_id = contract.id and party.role = $2 order by position limit 1
            )
        end as "group"
    from contract
    where registered_on is not null and state in ('registered', 'changed', 'filed', 'rejected', 'settled')
      and ($3::date is null or registered_on >= $3) and ($4::date is null or registered_on <= $4)
) as counted
group by "group", currency
order by "group" nulls last, currency
"""


async def figures(connection: Connection, by: str, side: str, from_day: date | None, until: date | None) -> list[Row]:
    """Sums over registered contracts, by region, field, type or month, each currency by itself."""
    return await connection.fetch(FIGURES, by, side, from_day, until)
