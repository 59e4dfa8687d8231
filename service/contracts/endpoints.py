"""Contracts over HTTP."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from service.access.dependencies import CurrentActor, Tx, pool_of
from service.access.routes import Route
from service.contracts import amendments, documents, lists, receipts, service, steps
from service.contracts.lists import Narrowing
from service.contracts.registration import Line, Missing
from service.contracts.schemas import ContractContent, ContractType, PartyRole
from service.contracts.subsidy_rules import Subsidies, subsidies_of
from service.contracts.views import (
    ChangeRequest,
    Contract,
    ContractAction,
    ContractChange,
    ContractState,
    ContractSummary,
    Filing,
    Receipt,
    ReceiptRequest,
    Settlement,
    StepRequest,
    Sums,
)
from service.errors import Forbidden
from service.kit.actor import Actor, Role
from service.kit.clock import today
from service.kit.db import transaction
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, LOCATION_HEADER, Cursor, IfMatch, Limit, location, made, problems
from service.kit.language import Text, current_language
from service.kit.pages import Page, decode_id, encode_cursor
from service.kit.texts import RegionCode

router = APIRouter(prefix="/contracts", tags=["contracts"], route_class=Route)
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.post(
    "",
    status_code=201,
    summary="Enter a contract / 录入合同草稿",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(403, 404, 409),
)
async def create_contract(tx: Tx, content: ContractContent, response: Response) -> Contract:
    """Keep a contract as a draft: out of an accepted pair whose sides both consented, a case, or for a stated reason."""
    stored = await service.create(tx.connection, tx.actor, content)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("contracts", stored.id)
    return stored


@router.get("", summary="List contracts / 合同列表", responses=problems())
async def list_contracts(
    tx: Tx,
    state: Annotated[list[ContractState] | None, Query(description="状态，可多选")] = None,
    contract_type: Annotated[ContractType | None, Query(alias="type", description="合同类型")] = None,
    field: Annotated[str | None, Query(max_length=64, description="重点方向")] = None,
    region: Annotated[
        RegionCode | None, Query(description="A party is in this region or in one of it / 当事人所在地区，含下级")
    ] = None,
    signed_from: Annotated[date | None, Query(description="签订日期起")] = None,
    signed_until: Annotated[date | None, Query(description="签订日期止")] = None,
    mine: Annotated[bool, Query(description="Only your organization's / 仅本单位")] = False,
    overdue: Annotated[bool, Query(description="Only those with something owed late / 仅有逾期应付款的")] = False,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[ContractSummary]:
    """Contracts that you may see, newest first: your organization's, and for staff all."""
    before = decode_id(cursor)
    wanted = Narrowing(
        states=[str(name) for name in state] if state else None,
        type=contract_type,
        field=field,
        region=region,
        signed_from=signed_from,
        signed_until=signed_until,
        organization_id=tx.actor.organization_id if mine else None,
        overdue=overdue,
    )
    found = await lists.search(tx.connection, wanted, today(), before, limit + 1)
    more = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=more)


class Figure(BaseModel):
    """Sums of one group in one currency."""

    group: str | None = Field(description="Region code, field, type or month; null: not stated / 分组")
    currency: str
    contracts: int = Field(description="合同数")
    turnover: Decimal = Field(description="成交额")
    technology_value: Decimal = Field(description="技术交易额")


class Figures(BaseModel):
    """Figures over registered contracts, with what they count and where it comes from."""

    by: str
    definition: str
    source: str
    figures: list[Figure]


DEFINITION = Text(
    "已认定登记且未解除的合同，按最近一次登记日期计入，一份合同计一次；成交额为合同约定付款合计（提成按预计），"
    "技术交易额为成交额减去逐项列明的非技术性费用；地区取第一个卖方（side=seller，输出）或买方（side=buyer，吸纳）",
    "Contracts that were registered and not cancelled, each once, by the day of its latest registration. Turnover is what all "
    "payments come to (royalties by their estimate), technology value is turnover less each deduction stated. The region is "
    "that of the first seller (side=seller) or buyer (side=buyer)",
)
SOURCE = Text(
    "本平台 contract 表；术语依据《技术合同认定登记管理办法》（工业和信息化部，2026年3月1日起施行）",
    "The table contract of this service; terms as in the Measures for recognizing and registering technology contracts (MIIT, 2026)",
)


@router.get("/figures", summary="Figures / 合同统计", responses=problems(403))
async def read_figures(
    tx: Tx,
    by: Annotated[Literal["region", "field", "type", "month"], Query(description="分组方式")] = "type",
    side: Annotated[
        Literal[PartyRole.SELLER, PartyRole.BUYER], Query(description="Whose region / 按卖方（输出）或买方（吸纳）地区")
    ] = PartyRole.SELLER,
    registered_from: Annotated[date | None, Query(description="登记日期起")] = None,
    registered_until: Annotated[date | None, Query(description="登记日期止")] = None,
) -> Figures:
    """Turnover and technology value of registered contracts, for those who oversee the market."""
    if not tx.actor.has(Role.OPERATOR, Role.AUTHORITY, Role.ADMINISTRATOR):
        raise Forbidden(Text("统计供运营方和科技主管部门查阅", "Figures are for operators and authorities"))
    rows = await lists.figures(tx.connection, by, side, registered_from, registered_until)
    figures = [Figure.model_validate(dict(row)) for row in rows]
    return Figures(by=by, definition=str(DEFINITION), source=str(SOURCE), figures=figures)


@router.get("/{contract_id}", summary="Read a contract / 查看合同", responses=made(ETAG_HEADER) | problems(404))
async def read_contract(tx: Tx, contract_id: UUID, response: Response) -> Contract:
    """A contract with its terms as they are now, for its parties and staff."""
    stored = await service.present(tx.connection, tx.actor, await service.read(tx.connection, tx.actor, contract_id))
    response.headers["ETag"] = etag(stored.version)
    return stored


@router.put(
    "/{contract_id}",
    summary="Change a draft / 修改合同草稿",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_contract(
    tx: Tx, contract_id: UUID, content: ContractContent, response: Response, if_match: IfMatch = None
) -> Contract:
    """Replace a draft's terms and parties; what was confirmed of it has to be confirmed anew."""
    stored = await service.change_draft(tx.connection, tx.actor, contract_id, if_match, content)
    response.headers["ETag"] = etag(stored.version)
    return stored


@router.post(
    "/{contract_id}/changes",
    status_code=201,
    summary="Record a change / 登记合同变更",
    responses=problems(403, 404, 409),
)
async def create_change(tx: Tx, contract_id: UUID, body: ChangeRequest) -> ContractChange:
    """What was signed stays; the change is laid over it, once the other side confirmed or staff saw the paper."""
    return await amendments.propose(tx.connection, tx.actor, contract_id, body)


@router.get("/{contract_id}/changes", summary="Changes of a contract / 合同变更记录", responses=problems(404))
async def list_changes(
    tx: Tx,
    contract_id: UUID,
    before: Annotated[
        UUID | None,
        Query(description="Only those before this one, the twenty latest of them / 仅此变更之前的，至多最近 20 项"),
    ] = None,
) -> list[ContractChange]:
    """Changes and cancellations, oldest first, also those that do not hold; the twenty latest, or the twenty before one."""
    return await service.changes_of(tx.connection, tx.actor, contract_id, before)


@router.get("/{contract_id}/filings", summary="Filings of a contract / 认定登记记录", responses=problems(404))
async def list_filings(tx: Tx, contract_id: UUID) -> list[Filing]:
    """Every filing for registration with what became of it, oldest first."""
    return await service.filings_of(tx.connection, tx.actor, contract_id)


class RegistrationLine(BaseModel):
    """One line of the draft."""

    section: str
    field: str
    label: str
    value: str


class RegistrationGap(BaseModel):
    """What is missing, by which rule, and the way out."""

    field: str
    rule: str
    way_out: str


class Registration(BaseModel):
    """The draft of a registration."""

    contract_id: UUID
    state: ContractState
    lines: list[RegistrationLine]
    sums: Sums
    missing: list[RegistrationGap] = Field(description="Empty: it can be filed / 为空即可申报")


@router.get("/{contract_id}/registration", summary="Registration draft / 认定登记申报草稿", responses=problems(404))
async def read_registration(tx: Tx, contract_id: UUID) -> Registration:
    """What would be filed, filled in from contract, listings and organizations, and what is missing."""
    kept, lines, missing = await service.registration_of(tx.connection, tx.actor, contract_id)
    return Registration(
        contract_id=contract_id,
        state=ContractState(kept.state),
        lines=[
            RegistrationLine(section=str(line.section), field=line.field, label=str(line.label), value=str(line.value))
            for line in lines
        ],
        sums=Sums.of(kept.sums, kept.terms.currency),
        missing=[RegistrationGap(field=each.field, rule=str(each.rule), way_out=str(each.way_out)) for each in missing],
    )


@router.get(
    "/{contract_id}/registration.xlsx",
    summary="Registration draft as a spreadsheet / 申报草稿表格",
    response_class=Response,
    responses=problems(404),
)
async def read_registration_spreadsheet(request: Request, actor: CurrentActor, contract_id: UUID) -> Response:
    """The draft and what is missing, a sheet each."""
    lines, missing = await _draft(request, actor, contract_id)
    content = await asyncio.to_thread(documents.as_spreadsheet, lines, missing, current_language.get())
    return _file(content, SPREADSHEET, "xlsx")


@router.get(
    "/{contract_id}/registration.pdf",
    summary="Registration draft as a PDF / 申报草稿 PDF",
    response_class=Response,
    responses=problems(404),
)
async def read_registration_pdf(request: Request, actor: CurrentActor, contract_id: UUID) -> Response:
    """The draft and what is missing, to print."""
    lines, missing = await _draft(request, actor, contract_id)
    content = await asyncio.to_thread(documents.as_pdf, lines, missing, current_language.get())
    return _file(content, "application/pdf", "pdf")


async def _draft(request: Request, actor: Actor, contract_id: UUID) -> tuple[list[Line], list[Missing]]:
    # Its transaction has ended before the file is made: no connection waits for a font.
    async with transaction(pool_of(request), actor) as connection:
        _, lines, missing = await service.registration_of(connection, actor, contract_id)
    return lines, missing


def _file(content: bytes, media: str, ending: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="registration.{ending}"'}
    return Response(content, media_type=media, headers=headers)


@router.get("/{contract_id}/subsidies", summary="Subsidies / 奖补测算", responses=problems(404, 409))
async def read_subsidies(tx: Tx, contract_id: UUID) -> Subsidies:
    """What the market's rules give for a registered contract: each applied or not, with the arithmetic or the reason."""
    return await subsidies_of(tx.connection, tx.actor, contract_id)


@router.get("/{contract_id}/settlement", summary="What is owed and received / 收付款情况", responses=problems(404))
async def read_settlement(tx: Tx, contract_id: UUID) -> Settlement:
    """The schedule with what was received of it and what is late."""
    return await service.settlement_of(tx.connection, tx.actor, contract_id)


@router.post(
    "/{contract_id}/receipts",
    status_code=201,
    summary="Record a payment / 录入收款",
    responses=problems(403, 404, 409),
)
async def create_receipt(tx: Tx, contract_id: UUID, body: ReceiptRequest) -> Receipt:
    """A payment that was received, or the reversal of one that was entered wrongly."""
    return await receipts.receive(tx.connection, tx.actor, contract_id, body)


@router.post(
    "/{contract_id}/{action}",
    summary="Take a step: confirm, sign, file, register, reject, settle, cancel / 确认、签订、申报、登记、退回、结清、解除",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def act_on_contract(
    tx: Tx,
    contract_id: UUID,
    action: ContractAction,
    response: Response,
    body: StepRequest | None = None,
    if_match: IfMatch = None,
) -> Contract:
    """Take one step of the contract's workflow. Confirming needs If-Match: it is what was read that is confirmed."""
    stored = await steps.act(tx.connection, tx.actor, contract_id, action, body or StepRequest(), if_match, tx.settings)
    response.headers["ETag"] = etag(stored.version)
    return stored
