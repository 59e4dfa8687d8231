"""Rows of contracts. The only statements on contracts, their parties, changes, filings and receipts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg

from service.contracts.schemas import Party
from service.contracts.views import ContractChange, Filing, Receipt
from service.errors import Conflict, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection, Row, affected
from service.kit.language import Text
from service.listings.service import unknown_code


@dataclass(frozen=True, slots=True)
class Derived:
    """What lists and figures ask of the terms as they are now."""

    type: str
    name: str
    field: str | None
    currency: str
    turnover: Decimal
    technology_value: Decimal
    ends_on: date | None

    def values(self) -> tuple[object, ...]:
        """In the order of the columns."""
        return (self.type, self.name, self.field, self.currency, self.turnover, self.technology_value, self.ends_on)


NEW_ID = "select uuidv7()"
INSERT = """
insert into contract (
    id, organization_id, key_id, person_id, recommendation_id, case_id, origin_reason, further, terms,
    type, name, field, currency, turnover, technology_value, ends_on
)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
"""


async def insert(
    connection: Connection,
    actor: Actor,
    origin: tuple[UUID | None, UUID | None, str | None],
    terms: dict[str, Any],
    derived: Derived,
    *,
    further: bool,
) -> UUID:
    """Keep a draft in the name of the actor; its id. `further`: another contract of its pair is under way.

    Raises:
        Conflict: the pair or the case has a draft already, or a contract under way. ValidationProblem: the field is unknown.
    """
    identifier: UUID = await connection.fetchval(NEW_ID)
    who = (identifier, actor.organization_id, actor.key_id, actor.person_id)
    values = (*who, *origin, further, terms, *derived.values())
    try:
        # Not returned: the row is seen by its parties, and they come next.
        await connection.execute(INSERT, *values)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        raise _named(error, derived) from error
    return identifier


UNDER_WAY = """
select id, state from contract where pair_id = $1 and state not in ('settled', 'cancelled') order by id desc limit 1
"""


async def under_way(connection: Connection, pair_id: UUID) -> Row | None:
    """Id and state of the newest contract of a pair that is neither settled nor cancelled."""
    return await connection.fetchrow(UNDER_WAY, pair_id)


UPDATE_TERMS = """
update contract
set terms = $3, type = $4, name = $5, field = $6, currency = $7, turnover = $8, technology_value = $9, ends_on = $10,
    version = version + 1, updated_at = $11
where id = $1 and version = $2 and state = 'draft'
"""


async def update_terms(
    connection: Connection, identifier: UUID, version: int, terms: dict[str, Any], derived: Derived, at: datetime
) -> bool:
    """Replace a draft's terms if it still has `version`; whether it had.

    Raises:
        ValidationProblem: the field is unknown.
    """
    try:
        status = await connection.execute(UPDATE_TERMS, identifier, version, terms, *derived.values(), at)
    except asyncpg.ForeignKeyViolationError as error:
        raise _named(error, derived) from error
    return affected(status) == 1


def _named(error: asyncpg.PostgresError, derived: Derived) -> Conflict | ValidationProblem:
    constraint = getattr(error, "constraint_name", "") or ""
    if constraint == "contract_draft_of_pair":
        return Conflict(
            Text(
                "该推荐对已有合同草稿，请修改原草稿（PUT /v1/contracts/{id}）",
                "The pair has a draft already: change that one (PUT /v1/contracts/{id})",
            )
        )
    if constraint == "contract_draft_of_case":
        return Conflict(
            Text(
                "该对接已有合同草稿，请修改原草稿（PUT /v1/contracts/{id}）",
                "The case has a draft already: change that one (PUT /v1/contracts/{id})",
            )
        )
    if constraint == "contract_under_way":
        return Conflict(
            Text(
                '刚有他人就同一对接录入了合同：请查看 GET /v1/contracts；如确为另一份合同，请加 "further": true 重新提交',
                "Somebody else entered a contract of this pair just now, see GET /v1/contracts: if yours is another one, "
                'send it again with "further": true',
            )
        )
    if constraint == "contract_field_fkey":
        return ValidationProblem([unknown_code("field", str(derived.field))])
    raise error


INSERT_PARTIES = """
insert into contract_party (contract_id, position, role, organization_id, name, credit_code, "foreign", region)
select $1, position + coalesce((select max(kept.position) from contract_party as kept where kept.contract_id = $1), 0),
       role, organization_id, name, credit_code, "foreign", region
from unnest($2::text[], $3::uuid[], $4::text[], $5::text[], $6::boolean[], $7::text[])
     with ordinality as given (role, organization_id, name, credit_code, "foreign", region, position)
"""
DELETE_PARTIES_BEFORE = """
delete from contract_party where contract_id = $1 and position <= $2
"""
LAST_POSITION = "select coalesce(max(position), 0) from contract_party where contract_id = $1"


async def write_parties(connection: Connection, identifier: UUID, parties: Sequence[Party]) -> None:
    """The parties of a draft in place of those it had; none has confirmed.

    The new ones come before the old ones go, so that whoever writes is a party throughout.
    """
    last = await connection.fetchval(LAST_POSITION, identifier)
    columns = zip(
        *((p.role, p.organization_id, p.name, p.credit_code, p.foreign, p.region) for p in parties), strict=True
    )
    await connection.execute(INSERT_PARTIES, identifier, *(list(column) for column in columns))
    await connection.execute(DELETE_PARTIES_BEFORE, identifier, last)


CONFIRM_PARTY = "update contract_party set confirmed_at = $3 where contract_id = $1 and organization_id = $2"


async def confirm_party(connection: Connection, identifier: UUID, organization_id: UUID, at: datetime) -> None:
    """Note that an organization confirmed the draft."""
    await connection.execute(CONFIRM_PARTY, identifier, organization_id, at)


GET = """
select contract.*,
    (select coalesce(jsonb_agg(jsonb_build_object(
         'role', role, 'organization_id', organization_id, 'name', party.name, 'credit_code', credit_code,
         'foreign', "foreign", 'region', region, 'confirmed', confirmed_at is not null
     ) order by position), '[]') from contract_party as party where contract_id = contract.id) as parties,
    (select coalesce(jsonb_agg(jsonb_build_object('old', old, 'new', new) order by confirmed_at, id), '[]')
     from contract_change where contract_id = contract.id and kind = 'change' and confirmed_at is not null) as changes,
    (select id from contract_change
     where contract_id = contract.id and confirmed_at is null and superseded_at is null) as waiting
from contract where contract.id = $1
"""


async def get(connection: Connection, identifier: UUID) -> Row | None:
    """One contract with its parties, its changes that hold, and the one that waits."""
    return await connection.fetchrow(GET, identifier)


# Compare-and-set: of two actors who saw the same state and version, one gets here first.
TRANSITION = """
update contract
set state = $4, version = version + 1, updated_at = $5,
    signed_on = coalesce($6::date, signed_on),
    filed_at = case when $4 = 'filed' then $5 else filed_at end,
    registered_on = coalesce($7::date, registered_on),
    registration_number = coalesce($10::text, registration_number),
    next_due_on = case when $4 in ('settled', 'cancelled') then null else $8::date end,
    closed_at = case when $4 in ('settled', 'cancelled') then $5 end,
    close_reason = $9
where id = $1 and state = $2 and version = $3
"""


async def transition(
    connection: Connection,
    identifier: UUID,
    source: str,
    version: int,
    target: str,
    at: datetime,
    *,
    next_due_on: date | None,
    signed_on: date | None = None,
    registered_on: date | None = None,
    close_reason: str | None = None,
    number: str | None = None,
) -> bool:
    """Save a new state if the contract still has the old one; whether it had.

    Raises:
        Conflict: another contract is registered under the number.
    """
    try:
        status = await connection.execute(
            TRANSITION,
            identifier,
            source,
            version,
            target,
            at,
            signed_on,
            registered_on,
            next_due_on,
            close_reason,
            number,
        )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(
            Text("该登记编号已用于另一份合同，请核对", "Another contract is registered under this number: check it")
        ) from error
    return affected(status) == 1


APPLY = """
update contract
set state = $4, name = $5, field = $6, turnover = $7, technology_value = $8, ends_on = $9, next_due_on = $10,
    version = version + 1, updated_at = $11
where id = $1 and state = $2 and version = $3
"""


async def apply_change(
    connection: Connection,
    identifier: UUID,
    source: str,
    version: int,
    target: str,
    derived: Derived,
    next_due_on: date | None,
    at: datetime,
) -> bool:
    """Let lists and figures follow a change that holds; whether the contract was still as it was seen.

    Raises:
        ValidationProblem: the field is unknown.
    """
    try:
        status = await connection.execute(
            APPLY, identifier, source, version, target, derived.name, derived.field, derived.turnover,
            derived.technology_value, derived.ends_on, next_due_on, at,
        )  # fmt: skip
    except asyncpg.ForeignKeyViolationError as error:
        raise _named(error, derived) from error
    return affected(status) == 1


INSERT_CHANGE = """
insert into contract_change (contract_id, kind, old, new, reason, effective_on, signed_on, organization_id, key_id, person_id,
                             at, confirmed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, case when $12 then $11::timestamptz end)
returning *
"""
SUPERSEDE = """
update contract_change set superseded_at = $2
where contract_id = $1 and confirmed_at is null and superseded_at is null
"""


async def insert_change(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    kind: str,
    old: dict[str, Any],
    new: dict[str, Any],
    reason: str,
    effective_on: date,
    signed_on: date | None,
    at: datetime,
    *,
    holds: bool,
) -> ContractChange:
    """Keep a change or cancellation; one that still waits gives way to it."""
    await connection.execute(SUPERSEDE, identifier, at)
    row = await connection.fetchrow(
        INSERT_CHANGE, identifier, kind, old, new, reason, effective_on, signed_on,
        actor.organization_id, actor.key_id, actor.person_id, at, holds,
    )  # fmt: skip
    return ContractChange.model_validate(dict(row or {}))


CONFIRM_CHANGE = "update contract_change set confirmed_at = $2 where id = $1"


async def confirm_change(connection: Connection, change_id: UUID, at: datetime) -> None:
    """Let a waiting change hold."""
    await connection.execute(CONFIRM_CHANGE, change_id, at)


# A change keeps whole terms before and after, and a side may propose one in place of another without end.
MOST_CHANGES = 20
LIST_CHANGES = """
select * from contract_change where contract_id = $1 and ($2::uuid is null or id < $2) order by id desc limit $3
"""


async def list_changes(connection: Connection, identifier: UUID, before: UUID | None) -> list[ContractChange]:
    """The latest changes and cancellations, before one if it is named, oldest first."""
    rows = await connection.fetch(LIST_CHANGES, identifier, before, MOST_CHANGES)
    return [ContractChange.model_validate(dict(row)) for row in reversed(rows)]


GET_CHANGE = "select * from contract_change where contract_id = $1 and id = $2"


async def get_change(connection: Connection, identifier: UUID, change_id: UUID) -> ContractChange:
    """One change of a contract that has it."""
    return ContractChange.model_validate(dict(await connection.fetchrow(GET_CHANGE, identifier, change_id) or {}))


INSERT_FILING = """
insert into contract_filing (contract_id, organization_id, key_id, person_id, filed_at, draft) values ($1, $2, $3, $4, $5, $6)
"""


async def insert_filing(
    connection: Connection, actor: Actor, identifier: UUID, at: datetime, draft: list[dict[str, Any]]
) -> None:
    """Keep what is filed."""
    await connection.execute(INSERT_FILING, identifier, actor.organization_id, actor.key_id, actor.person_id, at, draft)


DECIDE_FILING = """
update contract_filing
set decided_at = $2, decision = $3, number = $4, registered_on = $5, office = $6, reason = $7
where contract_id = $1 and decided_at is null
"""


async def decide_filing(
    connection: Connection,
    identifier: UUID,
    at: datetime,
    decision: str,
    number: str | None = None,
    registered_on: date | None = None,
    office: str | None = None,
    reason: str | None = None,
) -> None:
    """Note what became of the open filing, if there is one."""
    await connection.execute(DECIDE_FILING, identifier, at, decision, number, registered_on, office, reason)


# Without the draft, which is long and not shown.
LIST_FILINGS = """
select id, filed_at, decided_at, decision, number, registered_on, office, reason from contract_filing
where contract_id = $1 order by id
"""


async def list_filings(connection: Connection, identifier: UUID) -> list[Filing]:
    """Every filing, oldest first."""
    return [Filing.model_validate(dict(row)) for row in await connection.fetch(LIST_FILINGS, identifier)]


INSERT_RECEIPT = """
insert into contract_receipt (contract_id, organization_id, key_id, person_id, at, received_on, amount, reverses, note)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
returning *
"""
ADD_RECEIVED = """
update contract set received = received + $3, next_due_on = $4, version = version + 1, updated_at = $5
where id = $1 and version = $2
"""


async def insert_receipt(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    version: int,
    at: datetime,
    received_on: date,
    amount: Decimal,
    reverses: UUID | None,
    note: str | None,
    next_due_on: date | None,
) -> Receipt | None:
    """Keep a payment and add it up; None where somebody else changed the contract meanwhile."""
    if not affected(await connection.execute(ADD_RECEIVED, identifier, version, amount, next_due_on, at)):
        return None
    row = await connection.fetchrow(
        INSERT_RECEIPT, identifier, actor.organization_id, actor.key_id, actor.person_id, at,
        received_on, amount, reverses, note,
    )  # fmt: skip
    return Receipt.model_validate(dict(row or {}))


COUNT_RECEIPTS = "select count(*) from contract_receipt where contract_id = $1"


async def count_receipts(connection: Connection, identifier: UUID) -> int:
    """How many payments were entered, those that reverse others among them."""
    count: int = await connection.fetchval(COUNT_RECEIPTS, identifier)
    return count


LIST_RECEIPTS = "select * from contract_receipt where contract_id = $1 order by id"


async def list_receipts(connection: Connection, identifier: UUID) -> list[Receipt]:
    """Every payment, in the order in which they were entered."""
    return [Receipt.model_validate(dict(row)) for row in await connection.fetch(LIST_RECEIPTS, identifier)]


KNOWN_REGIONS = "select code from region where code = any ($1)"


async def unknown_regions(connection: Connection, codes: Sequence[str]) -> list[str]:
    """Those of some codes that are no region."""
    known = {row["code"] for row in await connection.fetch(KNOWN_REGIONS, list(codes))}
    return [code for code in dict.fromkeys(codes) if code not in known]
