"""Rules of contracts: who enters, sees and changes them. Steps of their life are in steps.py."""

from datetime import date
from uuid import UUID

from service.contracts import lists, repository
from service.contracts.amounts import complete, schedule
from service.contracts.cases import check_no_case
from service.contracts.kept import INTRODUCE, Kept, check_sums, derived, kept_of
from service.contracts.origins import check_own, filled, origin_of, resolve
from service.contracts.registration import Known, Line, Missing, lines, missing
from service.contracts.schemas import ContractContent, Terms, party_label
from service.contracts.views import (
    Contract,
    ContractAction,
    ContractChange,
    DueRow,
    Filing,
    Settlement,
    Sums,
)
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, OutOfTurn, PreconditionFailed, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now, today
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text, current_language
from service.listings import service as listings
from service.listings.schemas import Kind
from service.matches import decisions
from service.taxonomy.service import list_codes, list_fields, list_industries
from service.workflows.engine import Advanced, advance
from service.workflows.tables import CONTRACT

NO_CONTRACT = Text("没有这份合同，或无权查看", "No such contract, or none that you may see")


async def create(connection: Connection, actor: Actor, content: ContractContent) -> Contract:
    """Enter a contract as a draft: out of a pair, a case, or for a stated reason.

    Raises:
        Forbidden, NotFound, OutOfTurn, ValidationProblem: as `origins.origin_of`.
        Conflict: the pair has a case under way and is named in its place, or has a contract under way and no further one is meant.
    """
    parties, pair, pair_id = await origin_of(connection, actor, content)
    if content.recommendation_id is not None:
        await check_no_case(connection, content.recommendation_id)
    further = await _is_further(connection, pair_id, meant=content.further)
    terms = filled(Terms.model_validate(content.model_dump(include=set(Terms.model_fields))), pair)
    check_sums(terms)
    origin = (content.recommendation_id, content.case_id, content.origin_reason)
    identifier = await repository.insert(connection, actor, origin, terms.stored(), derived(terms), further=further)
    await repository.write_parties(connection, identifier, parties)
    await log.record(
        connection, actor, "contract", identifier, "create", to_state=CONTRACT.initial,
        data=_told(terms, content) | ({"further": True} if further else {}),
    )  # fmt: skip
    return await present(connection, actor, await read(connection, actor, identifier))


async def _is_further(connection: Connection, pair_id: UUID | None, *, meant: bool) -> bool:
    """Whether a contract to be entered is one beside another of its pair, which has to be meant.

    Raises:
        Conflict: another is under way, and nobody says that this is a further one; it is named.
    """
    found = await repository.under_way(connection, pair_id) if pair_id is not None else None
    if found is not None and not meant:
        label = CONTRACT.labels[found["state"]]
        raise Conflict(
            Text(
                f"双方就此已有合同（{found['id']}，“{label.zh}”）：草稿请修改（PUT /v1/contracts/{{id}}）或由一方取消，已签订的请记录变更；"
                '确为另一份合同时，加上 "further": true',
                f"There is a contract of this pair already ({found['id']}, “{label.en}”): a draft is changed by "
                "PUT /v1/contracts/{id} or cancelled by a party, a signed one has a change recorded. If this is another contract, "
                'add "further": true',
            )
        )
    return found is not None


def _told(terms: Terms, content: ContractContent) -> dict[str, object]:
    """What an event may keep: that there are amounts, not which; where it comes from, not why."""
    names = ("recommendation_id", "case_id", "origin_reason")
    origin = next(name for name in names if getattr(content, name) is not None)
    return {"type": terms.type.value, "amounts": bool(terms.payments), "origin": origin.removesuffix("_id")}


async def read(connection: Connection, actor: Actor, identifier: UUID) -> Kept:
    """A contract that the actor may see: a party's, and for staff all.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    row = await repository.get(connection, identifier)
    kept = kept_of(row) if row is not None else None
    if kept is None or not (actor.is_staff or kept.is_party(actor)):
        raise NotFound(NO_CONTRACT)
    return kept


async def change_draft(
    connection: Connection, actor: Actor, identifier: UUID, if_match: str | None, content: ContractContent
) -> Contract:
    """Replace a draft's terms and parties; what was confirmed of it has to be confirmed anew.

    Raises:
        Forbidden, OutOfTurn: not this actor's to change, or signed already.
        PreconditionRequired, PreconditionFailed: If-Match is missing or names another version.
        ValidationProblem: as `create`, or another origin than it has.
    """
    kept = await read(connection, actor, identifier)
    if not (actor.has(*INTRODUCE) or kept.is_side(actor)):
        raise Forbidden(
            Text(
                "合同由当事人、技术经理人或运营方修改", "A contract is changed by its parties, a broker or an operator"
            )
        )
    check_if_match(if_match, kept.version)
    if kept.state != "draft":
        raise OutOfTurn(
            Text(
                "合同已签订，内容不再改写；变更请用 POST /v1/contracts/{id}/changes",
                "The contract is signed and is not rewritten: record a change by POST /v1/contracts/{id}/changes",
            )
        )
    if (content.recommendation_id, content.case_id) != (kept.row["recommendation_id"], kept.row["case_id"]):
        text = Text("合同的来源不能改变", "Where a contract comes from does not change")
        raise ValidationProblem([FieldProblem("recommendation_id", "same_origin", text)])
    terms, pair = Terms.model_validate(content.model_dump(include=set(Terms.model_fields))), None
    if kept.row["origin_reason"] is None:
        # Its sides are those of the pair; they are read anew, since they may have been corrected meanwhile.
        parties, pair, _ = await origin_of(connection, actor, content)
    else:
        parties = await resolve(connection, content.parties, kept.parties)
        check_own(actor, parties)
    # What is left open is taken from the listings, as when it was entered.
    terms = filled(terms, pair)
    check_sums(terms)
    moment = now()
    if not await repository.update_terms(connection, identifier, kept.version, terms.stored(), derived(terms), moment):
        raise PreconditionFailed(etag(kept.version))
    await repository.write_parties(connection, identifier, parties)
    data = {"version": kept.version + 1, "amounts": bool(terms.payments)}
    await log.record(connection, actor, "contract", identifier, "change_draft", data=data)
    return await present(connection, actor, await read(connection, actor, identifier))


def actions_of(actor: Actor, kept: Kept) -> list[str]:
    """The steps that the actor may take now, and `change` where a change may be recorded."""
    moment, names = now(), [*(str(action) for action in ContractAction), "change"]
    owner = kept.is_side(actor)
    return [
        name
        for name in names
        if isinstance(advance(CONTRACT, kept.state, name, actor, owner=owner, now=moment), Advanced)
    ]


async def present(connection: Connection, actor: Actor, kept: Kept) -> Contract:
    """A contract as its parties and staff see it, in the language of the request."""
    filings = await repository.list_filings(connection, kept.id)
    place = 0 if current_language.get() == "zh" else 1
    row = dict(kept.row)
    return Contract(
        **{name: row[name] for name in Contract.model_fields if name in row and name not in ("parties", "terms")},
        actions=actions_of(actor, kept),
        parties=[
            party.model_copy(update={"label": party_label(kept.terms, party.role)[place]}) for party in kept.parties
        ],
        terms=kept.terms,
        sums=Sums.of(kept.sums, kept.terms.currency),
        registration=filings[-1] if filings else None,
    )


async def changes_of(
    connection: Connection, actor: Actor, identifier: UUID, before: UUID | None = None
) -> list[ContractChange]:
    """The latest changes and cancellations of a contract, or the latest before one of them, oldest first.

    Raises:
        NotFound: as `read`.
    """
    await read(connection, actor, identifier)
    return await repository.list_changes(connection, identifier, before)


async def filings_of(connection: Connection, actor: Actor, identifier: UUID) -> list[Filing]:
    """Every filing of a contract with what became of it, oldest first.

    Raises:
        NotFound: as `read`.
    """
    await read(connection, actor, identifier)
    return await repository.list_filings(connection, identifier)


async def settlement_of(connection: Connection, actor: Actor, identifier: UUID, day: date | None = None) -> Settlement:
    """What is owed, received and late, by today where the market is.

    Raises:
        NotFound: as `read`.
    """
    kept = await read(connection, actor, identifier)
    rows = schedule(kept.terms, kept.received, day or today())
    receipts = await repository.list_receipts(connection, identifier)
    return Settlement(
        currency=kept.terms.currency,
        turnover=kept.sums.turnover,
        received=kept.received,
        complete=complete(rows),
        schedule=[DueRow.of(row) for row in rows],
        receipts=receipts,
    )


async def known_of(connection: Connection, actor: Actor, kept: Kept) -> Known:
    """What a registration draft is made of: the contract, and what listings and code lists add."""
    fields = {field.code: Text(field.label_zh, field.label_en) for field in await list_fields(connection)}
    industries = {each.code: Text(each.label_zh, each.label_en) for each in await list_industries(connection)}
    codes = [party.region for party in kept.parties if party.region is not None]
    return Known(
        terms=kept.terms,
        parties=kept.parties,
        signed_on=kept.row["signed_on"],
        state=kept.state,
        field_name=fields.get(kept.terms.field or ""),
        industry_name=industries.get(kept.terms.industry or ""),
        funding=await _funding(connection, actor, kept.row["pair_id"]),
        region_names=await lists.region_names(connection, codes),
    )


async def _funding(connection: Connection, actor: Actor, pair_id: UUID | None) -> Text | None:
    """The source of funds of the outcome that a contract is about, where it is still shown."""
    if pair_id is None:
        return None
    try:
        pair = await decisions.read_as_side_or_staff(connection, actor, pair_id)
    except NotFound:
        return None
    outcome = await listings.stored(connection, Kind.OUTCOME, pair["outcome_id"])
    if outcome is None or outcome.funding_source is None:
        return None
    named = {each.code: each for each in (await list_codes(connection))["funding_sources"]}
    entry = named[outcome.funding_source.value]
    return Text(entry.label_zh, entry.label_en)


async def registration_of(
    connection: Connection, actor: Actor, identifier: UUID
) -> tuple[Kept, list[Line], list[Missing]]:
    """The draft of a registration, and what it still needs.

    Raises:
        NotFound: as `read`.
    """
    kept = await read(connection, actor, identifier)
    known = await known_of(connection, actor, kept)
    return kept, lines(known), missing(known)
