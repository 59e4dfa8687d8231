"""Consent of the two sides of an accepted pair: given, withdrawn, and contact data while both are open."""

from uuid import UUID

from service.cases import invitations
from service.cases.records import Party
from service.errors import FieldProblem, Forbidden, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.kit.tiers import redact
from service.listings.tiers import view_of_row
from service.matches import consent_repository, decisions, repository
from service.matches.consent_schemas import Consent, ConsentRequest, Consents, Contact, Contacts, Side
from service.matches.relations import Relation
from service.settings import Settings

# An authority oversees the market, and has nobody to call.
INTRODUCE = (Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR)
CONSENTED = Relation(accepted=True, consented=True)
OFF_THE_MARKET = Text(
    "需求或成果已不在发布状态，同意与联系方式均不再开放",
    "The need or the outcome is not published any more: neither consent nor contact data is open",
)

# Each time the other side is told, and all of them are read together.
MOST_OF_A_SIDE = 50
NOT_ACCEPTED = Text("技术经理人采纳后双方才能表示同意", "The sides consent once a broker accepted the pair")


async def give(
    connection: Connection, actor: Actor, identifier: UUID, request: ConsentRequest, settings: Settings
) -> Consents:
    """Consent for the actor's side of a pair.

    Raises:
        NotFound, Forbidden: not a pair that the actor may know of, or no side of it is its organization's.
        OutOfTurn: no broker accepted the pair, the side consents already or did too often, its case has ended, or a listing has
            left the market.
        ValidationProblem: both sides are the organization's, and none is named.
    """
    pair, side = await _own_side(connection, actor, identifier, request.side)
    await consent_repository.lock(connection, identifier, to_change=True)
    # Looked at now, since the broker may have undone it while this waited.
    if (await decisions.read_as_side_or_staff(connection, actor, identifier))["state"] != "accepted":
        raise OutOfTurn(NOT_ACCEPTED)
    if len(await consent_repository.contacts(connection, pair)) < 2:
        raise OutOfTurn(OFF_THE_MARKET)
    history = await consent_repository.list_consents(connection, identifier)
    if sum(each.side == side for each in history) >= MOST_OF_A_SIDE:
        raise OutOfTurn(
            Text(
                f"本方已就这一对同意过 {MOST_OF_A_SIDE} 次，不能再次表示同意",
                f"Your side has consented to this pair {MOST_OF_A_SIDE} times, and cannot once more",
            )
        )
    if side in _sides(history):
        raise OutOfTurn(
            Text(
                "本方已同意；如需变更目的，请先撤回",
                "Your side consents already: withdraw first to consent for another purpose",
            )
        )
    made = await consent_repository.insert(connection, actor, identifier, side, request.purpose)
    await _record(connection, actor, identifier, "consent", side, made)
    state = await _state(connection, identifier)
    await invitations.consented(connection, actor, identifier, Party(side), _parties(state), settings)
    return await _as_seen(connection, actor, pair, state)


async def withdraw(
    connection: Connection, actor: Actor, identifier: UUID, wanted: Side | None, settings: Settings
) -> Consents:
    """End the consent of the actor's side; from then on nothing is opened by it.

    Raises:
        NotFound, Forbidden, ValidationProblem: as `give`.
        OutOfTurn: the side does not consent.
    """
    pair, side = await _own_side(connection, actor, identifier, wanted)
    await consent_repository.lock(connection, identifier, to_change=True)
    ended = await consent_repository.withdraw(connection, actor, identifier, side)
    if ended is None:
        raise OutOfTurn(Text("本方当前没有有效的同意", "Your side has no open consent to withdraw"))
    await _record(connection, actor, identifier, "withdraw_consent", side, ended)
    state = await _state(connection, identifier)
    await invitations.withdrew(connection, actor, identifier, Party(side), _parties(state), settings)
    return await _as_seen(connection, actor, pair, state)


async def read(connection: Connection, actor: Actor, identifier: UUID) -> Consents:
    """Who consented to what, for both sides and for staff.

    Raises:
        NotFound: no such pair, or none that the actor may know of.
    """
    pair = await decisions.read_as_side_or_staff(connection, actor, identifier)
    return await _as_seen(connection, actor, pair, await _state(connection, identifier))


async def open_contacts(connection: Connection, actor: Actor, identifier: UUID) -> Contacts:
    """The contact data of both sides while both consent; each opening leaves an event, without the data.

    Raises:
        NotFound: no such pair, or none that the actor may know of. Forbidden: an authority's key.
        OutOfTurn: a side does not consent, or a listing has left the market.
    """
    pair = await decisions.read_as_side_or_staff(connection, actor, identifier)
    if actor.is_staff and not (
        actor.has(*INTRODUCE, Role.SYSTEM) or await repository.sides_of(connection, pair, actor.organization_id)
    ):
        raise Forbidden(
            Text(
                "联系方式仅对双方及技术经理人、运营方开放",
                "Contact data is for the two sides, brokers and operators",
            )
        )
    await consent_repository.lock(connection, identifier, to_change=False)
    missing = [
        side for side in Side if side not in _sides(await consent_repository.list_consents(connection, identifier))
    ]
    if missing:
        names = {Side.NEED: Text("需求方", "the need's side"), Side.OUTCOME: Text("成果方", "the outcome's side")}
        raise OutOfTurn(
            Text(
                f"双方均同意后才开放联系方式；尚缺：{'、'.join(names[side].zh for side in missing)}",
                f"Contact data opens when both sides consent; missing: {' and '.join(names[side].en for side in missing)}",
            )
        )
    rows = await consent_repository.contacts(connection, pair)
    if len(rows) < 2:
        raise OutOfTurn(OFF_THE_MARKET)
    await log.record(connection, actor, "recommendation", identifier, "open_contacts")
    shown = {
        kind: redact(Contact.model_validate(dict(row), extra="ignore"), view_of_row(actor, row, CONSENTED))
        for kind, row in rows.items()
    }
    return Contacts(recommendation_id=identifier, need=shown[Side.NEED], outcome=shown[Side.OUTCOME])


async def _own_side(connection: Connection, actor: Actor, identifier: UUID, wanted: Side | None) -> tuple[Row, Side]:
    pair = await decisions.read_as_side_or_staff(connection, actor, identifier)
    own = [Side(kind) for kind in await repository.sides_of(connection, pair, actor.organization_id)]
    if not own or (wanted is not None and wanted not in own):
        raise Forbidden(
            Text("同意只能由该方单位自己作出或撤回", "Each side consents, and withdraws, for itself and by its own key")
        )
    if wanted is None and len(own) > 1:
        text = Text("双方均为本单位，请指明 need 或 outcome", "Both sides are your organization's: say need or outcome")
        raise ValidationProblem([FieldProblem("side", "missing", text)])
    return pair, wanted or own[0]


def _sides(consents: list[Consent]) -> frozenset[Side]:
    return frozenset(consent.side for consent in consents if consent.withdrawn_at is None)


async def hold(connection: Connection, identifier: UUID) -> None:
    """Hold the consents of a pair until the transaction ends; whoever then holds its case comes after."""
    await consent_repository.lock(connection, identifier, to_change=True)


async def end_with_case(connection: Connection, actor: Actor, identifier: UUID, side: Side) -> None:
    """End the consent of a side that has left the pair's case, if it had one; the consents are held."""
    ended = await consent_repository.withdraw(connection, actor, identifier, side)
    if ended is not None:
        await _record(connection, actor, identifier, "withdraw_consent", side, ended, left=True)


async def consenting(connection: Connection, identifier: UUID) -> frozenset[Party]:
    """The sides of a pair that consent now; for rooms that have settled who may ask."""
    return _parties(await _state(connection, identifier))


def _parties(state: Consents) -> frozenset[Party]:
    return frozenset(Party(side) for side in Side if getattr(state, side))


async def _state(connection: Connection, identifier: UUID) -> Consents:
    history = await consent_repository.list_consents(connection, identifier)
    sides = _sides(history)
    return Consents(
        recommendation_id=identifier,
        need=Side.NEED in sides,
        outcome=Side.OUTCOME in sides,
        opened=len(sides) == len(Side),
        opens=list(Contact.model_fields),
        history=history,
    )


async def _as_seen(connection: Connection, actor: Actor, pair: Row, state: Consents) -> Consents:
    """Without the other side's purposes while not both consent: they are texts of people, which may tell who wrote them."""
    if state.opened or actor.is_staff:
        return state
    own = await repository.sides_of(connection, pair, actor.organization_id)
    history = [each if each.side in own else each.model_copy(update={"purpose": None}) for each in state.history]
    return state.model_copy(update={"history": history})


async def _record(
    connection: Connection,
    actor: Actor,
    identifier: UUID,
    action: str,
    side: Side,
    consent: UUID,
    *,
    left: bool = False,
) -> None:
    # The purpose is a text of people's own, and stays with the consent.
    data: dict[str, object] = {"side": side, "consent": str(consent)} | ({"left": True} if left else {})
    await log.record(connection, actor, "recommendation", identifier, action, data=data)
