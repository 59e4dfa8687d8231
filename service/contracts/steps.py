"""The steps of a contract's life: confirmed, signed, filed, registered or rejected, settled, cancelled."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from service.contracts import repository
from service.contracts.amendments import confirm_waiting
from service.contracts.amounts import complete, schedule
from service.contracts.cases import mark_contracted
from service.contracts.checks import CHANGED_MEANWHILE, check_past, refused
from service.contracts.kept import Kept, due_after
from service.contracts.registration import Line, Missing, lines, missing
from service.contracts.schemas import PartyRole, party_label
from service.contracts.service import known_of, present, read
from service.contracts.views import Contract, ContractAction, StepRequest
from service.errors import Conflict, FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now, today
from service.kit.db import Connection
from service.kit.etag import check_if_match
from service.kit.language import Text
from service.settings import Settings
from service.workflows.engine import Advanced, advance
from service.workflows.tables import CONTRACT

# Which fields of a request a step needs, and which it takes besides.
NEEDS: Final[dict[ContractAction, tuple[frozenset[str], frozenset[str]]]] = {
    ContractAction.CONFIRM: (frozenset(), frozenset()),
    ContractAction.SIGN: (frozenset({"signed_on"}), frozenset()),
    ContractAction.FILE: (frozenset(), frozenset()),
    ContractAction.REGISTER: (frozenset({"number", "registered_on", "office"}), frozenset()),
    ContractAction.REJECT: (frozenset({"reason"}), frozenset()),
    ContractAction.SETTLE: (frozenset(), frozenset({"reason"})),
    ContractAction.CANCEL: (frozenset({"reason"}), frozenset({"effective_on", "signed_on"})),
}
BEFORE_SIGNING: Final = ("parties.", "payments", "technology_value")
CHANGE_WAITS: Final = Text(
    "有一项变更待对方确认；请对方先确认，或重新提出变更取代它",
    "A change waits for the other side: let it confirm first, or propose another in its place",
)


@dataclass(frozen=True, slots=True)
class Taking:
    """A step that is being taken."""

    connection: Connection
    actor: Actor
    kept: Kept
    body: StepRequest
    step: Advanced
    moment: datetime
    settings: Settings


async def act(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    action: ContractAction,
    body: StepRequest,
    if_match: str | None,
    settings: Settings,
) -> Contract:
    """Take one step: compare-and-set, one event, and the record that goes with it.

    Raises:
        NotFound, Forbidden, OutOfTurn: not this actor's, not now, or something is missing; each is named.
        PreconditionFailed, PreconditionRequired: If-Match names another version; who confirms has to send it.
        ValidationProblem: the step needs a field that is not there, or has no use for one that is.
        Conflict: somebody else changed the contract, or its number is another contract's.
    """
    kept = await read(connection, actor, identifier)
    if if_match is not None:
        check_if_match(if_match, kept.version)
    moment = now()
    step = advance(CONTRACT, kept.state, action, actor, owner=kept.is_side(actor), now=moment)
    if not isinstance(step, Advanced):
        raise refused(step)
    if action is ContractAction.CONFIRM:
        # Who confirms says which text was read: the other side may have put another one in its place.
        check_if_match(if_match, kept.version)
    _check_fields(action, body)
    take = {
        ContractAction.CONFIRM: _confirm,
        ContractAction.SIGN: _sign,
        ContractAction.FILE: _file,
        ContractAction.REGISTER: _register,
        ContractAction.REJECT: _reject,
        ContractAction.SETTLE: _settle,
        ContractAction.CANCEL: _cancel,
    }[action]
    await take(Taking(connection, actor, kept, body, step, moment, settings))
    return await present(connection, actor, await read(connection, actor, identifier))


def _check_fields(action: ContractAction, body: StepRequest) -> None:
    needed, taken = NEEDS[action]
    given = {name for name, value in body.model_dump().items() if value is not None}
    problems = [
        FieldProblem(name, "missing", Text(f"{action} 操作必填", f"Required to {action}"))
        for name in sorted(needed - given)
    ]
    problems += [
        FieldProblem(
            name,
            "not_of_step",
            Text(f"{action} 操作不使用此字段，请去掉", f"Leave it out: nothing that {action} takes"),
        )
        for name in sorted(given - needed - taken)
    ]
    if problems:
        raise ValidationProblem(problems)


def as_problems(found: list[Missing]) -> list[FieldProblem]:
    """What is missing, as an answer names it."""
    return [
        FieldProblem(
            each.field, "missing", Text(f"{each.rule.zh}。{each.way_out.zh}", f"{each.rule.en}. {each.way_out.en}")
        )
        for each in found
    ]


async def _save(it: Taking, data: dict[str, Any] | None = None, **more: Any) -> None:
    due = due_after(it.kept.terms, it.kept.received, today()) if it.step.target != "draft" else None
    if not await repository.transition(
        it.connection,
        it.kept.id,
        it.step.source,
        it.kept.version,
        it.step.target,
        it.moment,
        next_due_on=due,
        **more,
    ):
        raise Conflict(CHANGED_MEANWHILE)
    await log.record(
        it.connection,
        it.actor,
        "contract",
        it.kept.id,
        it.step.action,
        from_state=it.step.source,
        to_state=it.step.target,
        data=data,
    )


async def _confirm(it: Taking) -> None:
    if it.kept.state != "draft":
        await confirm_waiting(it.connection, it.actor, it.kept, it.moment)
        return
    # An administrator may confirm as the workflow has it; only a party has something to confirm.
    if not it.kept.is_side(it.actor):
        raise Forbidden(Text("只有当事人可以确认合同", "Only a party confirms a contract"))
    assert it.actor.organization_id is not None
    await repository.confirm_party(it.connection, it.kept.id, it.actor.organization_id, it.moment)
    await _save(it)


async def _sign(it: Taking) -> None:
    check_past("signed_on", it.body.signed_on)
    known = await known_of(it.connection, it.actor, it.kept)
    lacking = [each for each in missing(known) if each.field.startswith(BEFORE_SIGNING)]
    if lacking:
        raise OutOfTurn(
            Text("签订前还需补充以下内容", "Before it is signed this has to be there"), problems=as_problems(lacking)
        )
    if not it.kept.introduced_by(it.actor):
        _check_confirmed(it.actor, it.kept)
    await _save(it, signed_on=it.body.signed_on, data={"amounts": True})
    origin = it.kept.row["case_id"], it.kept.row["recommendation_id"]
    await mark_contracted(it.connection, it.actor, *origin, it.settings)


def _check_confirmed(actor: Actor, kept: Kept) -> None:
    """Let nobody sign for the other side: it confirms first, or staff who saw the paper enters the signature."""
    waiting = [
        party
        for party in kept.parties
        if party.organization_id in kept.others(actor)
        and party.role is not PartyRole.INTERMEDIARY
        and not party.confirmed
    ]
    if waiting:
        labels = [party_label(kept.terms, party.role) for party in waiting]
        zh, en = "、".join(label[0] for label in labels), " and ".join(label[1] for label in labels)
        raise OutOfTurn(
            Text(
                f"{zh}尚未确认：请其先执行 POST /v1/contracts/{{id}}/confirm，或由技术经理人、运营方凭签字文本录入",
                f"Not confirmed yet by the {en}: it does so by POST /v1/contracts/{{id}}/confirm, "
                "or a broker or an operator enters the signed paper",
            )
        )


async def _file(it: Taking) -> None:
    if it.kept.row["waiting"] is not None:
        raise OutOfTurn(CHANGE_WAITS)
    known = await known_of(it.connection, it.actor, it.kept)
    lacking = missing(known)
    if lacking:
        raise OutOfTurn(
            Text(
                f"申报材料尚缺 {len(lacking)} 项，见 errors；也可查 GET /v1/contracts/{{id}}/registration",
                f"{len(lacking)} missing in the filing, see errors or GET /v1/contracts/{{id}}/registration",
            ),
            problems=as_problems(lacking),
        )
    # The step first: of two at once the second is refused for that, and files nothing.
    await _save(it)
    await repository.insert_filing(
        it.connection, it.actor, it.kept.id, it.moment, [_line(line) for line in lines(known)]
    )


def _line(line: Line) -> dict[str, Any]:
    told: dict[str, Any] = asdict(line)
    return told


async def _register(it: Taking) -> None:
    check_past("registered_on", it.body.registered_on, it.kept.row["signed_on"])
    await repository.decide_filing(
        it.connection, it.kept.id, it.moment, "registered", it.body.number, it.body.registered_on, it.body.office
    )
    await _save(it, registered_on=it.body.registered_on, number=it.body.number,
        data={"amounts": True},
    )  # fmt: skip


async def _reject(it: Taking) -> None:
    # Why stands with the filing: it is a text about a contract, which events do not keep.
    await repository.decide_filing(it.connection, it.kept.id, it.moment, "rejected", reason=it.body.reason)
    await _save(it)


async def _settle(it: Taking) -> None:
    if it.kept.row["waiting"] is not None:
        raise OutOfTurn(CHANGE_WAITS)
    paid = complete(schedule(it.kept.terms, it.kept.received, today()))
    if not paid and it.body.reason is None:
        text = Text(
            f"约定款项尚未全部收到（已收 {it.kept.received}，成交额 {it.kept.sums.turnover}）：提前结清请填写原因",
            f"Not all is paid ({it.kept.received} of {it.kept.sums.turnover}): to close it before, say why",
        )
        raise ValidationProblem([FieldProblem("reason", "reason_before_complete", text)])
    await _save(it, close_reason=it.body.reason, data={"complete": paid})


async def _cancel(it: Taking) -> None:
    if it.kept.state != "draft":
        if it.body.effective_on is None:
            text = Text("已签订的合同解除须写明生效日期", "To cancel what is signed, say from when on")
            raise ValidationProblem([FieldProblem("effective_on", "missing", text)])
        check_past("signed_on", it.body.signed_on, it.kept.row["signed_on"])
        await repository.insert_change(
            it.connection, it.actor, it.kept.id, "cancellation", {"state": it.kept.state}, {"state": "cancelled"},
            str(it.body.reason), it.body.effective_on, it.body.signed_on, it.moment, holds=True,
        )  # fmt: skip
        if it.kept.state == "filed":
            await repository.decide_filing(it.connection, it.kept.id, it.moment, "withdrawn")
    await _save(it, close_reason=it.body.reason)
