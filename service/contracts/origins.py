"""Where a contract comes from: an accepted pair whose sides both consented, a case, or a stated reason."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

from service.access.service import get_organization
from service.contracts import repository
from service.contracts.cases import read_case
from service.contracts.kept import INTRODUCE
from service.contracts.schemas import (
    ContractContent,
    IpArrangement,
    Ownership,
    Party,
    PartyContent,
    PartyRole,
    RightInvolved,
    Terms,
)
from service.errors import FieldProblem, Forbidden, NotFound, OutOfTurn, ValidationProblem
from service.kit.actor import Actor, Role
from service.kit.db import Connection
from service.kit.language import Text
from service.listings import service as listings
from service.listings.schemas import Kind, Listing
from service.matches import consents, decisions

ENTER = (Role.ENTERPRISE, Role.PROVIDER, Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Pair:
    """The listings of a pair whose contract is entered."""

    need: Listing
    outcome: Listing


async def read_pair(connection: Connection, actor: Actor, recommendation_id: UUID) -> Pair:
    """The two listings of a pair that a contract may come from.

    Raises:
        NotFound: no such pair, or none that the actor may know of.
        OutOfTurn: no broker accepted it, or not both sides consent.
    """
    row = await decisions.read_as_side_or_staff(connection, actor, recommendation_id)
    if not (await consents.read(connection, actor, recommendation_id)).opened:
        raise OutOfTurn(
            Text(
                "双方均同意对接后才能由此录入合同；或在 origin_reason 中说明来源",
                "A contract comes from a pair once both sides consent; or say in origin_reason where it comes from",
            )
        )
    return await _listings(connection, actor, row["need_id"], row["outcome_id"])


async def _listings(connection: Connection, actor: Actor, need_id: UUID, outcome_id: UUID) -> Pair:
    return Pair(
        await listings.read(connection, actor, Kind.NEED, need_id),
        await listings.read(connection, actor, Kind.OUTCOME, outcome_id),
    )


async def origin_of(
    connection: Connection, actor: Actor, content: ContractContent
) -> tuple[list[Party], Pair | None, UUID | None]:
    """The parties of a contract to be entered, and if it comes from a pair, its listings and its id.

    Raises:
        Forbidden: an authority, or an organization that is no party.
        NotFound, OutOfTurn: as `read_pair`.
        ValidationProblem: an organization, a region or a case is unknown, or parties contradict the pair.
    """
    if not actor.has(*ENTER):
        raise Forbidden(
            Text("合同由当事人、技术经理人或运营方录入", "A contract is entered by a party, a broker or an operator")
        )
    pair, pair_id = None, content.recommendation_id
    entered = list(content.parties)
    sides: tuple[UUID, UUID] | None = None
    if content.case_id is not None:
        case = await read_case(connection, actor, content.case_id)
        sides, pair_id = (case.need_organization, case.outcome_organization), case.recommendation_id
        # The case goes on where a listing has left the market meanwhile; then nothing is taken from the two.
        with suppress(NotFound):
            pair = await _listings(connection, actor, case.need_id, case.outcome_id)
    elif content.recommendation_id is not None:
        pair = await read_pair(connection, actor, content.recommendation_id)
        sides = (pair.need.organization_id, pair.outcome.organization_id)
    if sides is not None:
        entered = _with_sides(entered, *sides)
    parties = await resolve(connection, entered)
    check_own(actor, parties)
    return parties, pair, pair_id


def _with_sides(entered: list[PartyContent], buyer: UUID, seller: UUID) -> list[PartyContent]:
    """The sides of a pair as buyer and seller, with the further parties that were named."""
    if any(party.role is not PartyRole.INTERMEDIARY for party in entered):
        text = Text(
            "来自推荐对或对接的合同，双方由其确定；这里只填写中介方",
            "The two sides come from the pair or case: name intermediaries only",
        )
        raise ValidationProblem([FieldProblem("parties", "sides_of_the_pair", text)])
    return [
        PartyContent(role=PartyRole.BUYER, organization_id=buyer),
        PartyContent(role=PartyRole.SELLER, organization_id=seller),
        *entered,
    ]


def check_own(actor: Actor, parties: list[Party]) -> None:
    """Let whoever is no broker or operator enter contracts of the own organization only.

    Raises:
        Forbidden: the actor's organization is neither buyer nor seller.
    """
    sides = {party.organization_id for party in parties if party.role is not PartyRole.INTERMEDIARY}
    if not actor.has(*INTRODUCE) and actor.organization_id not in sides:
        raise Forbidden(
            Text("只能录入本单位为买方或卖方的合同", "You may enter contracts of your own organization only")
        )


async def resolve(connection: Connection, entered: list[PartyContent], before: Sequence[Party] = ()) -> list[Party]:
    """Parties with name, code and region: of organizations of the service as they are now, of others as entered.

    An organization that the actor does not see stays as it was `before`, if it was a party.

    Raises:
        ValidationProblem: an organization or a region is unknown.
    """
    problems: list[FieldProblem] = []
    parties = []
    for place, party in enumerate(entered):
        if party.organization_id is None:
            parties.append(Party.model_validate(party.model_dump()))
            continue
        found = await get_organization(connection, party.organization_id)
        if found is None:
            same = next((each for each in before if each.organization_id == party.organization_id), None)
            if same is not None:
                parties.append(same.model_copy(update={"role": party.role}))
                continue
            text = Text(
                "没有这个单位，或无权查看；平台外单位请填写 name",
                "No such organization, or none that you may see: name one from outside by name",
            )
            problems.append(FieldProblem(f"parties.{place}.organization_id", "known_organization", text))
            continue
        known = {"name": found.name, "credit_code": found.credit_code, "region": found.region}
        parties.append(Party.model_validate(party.model_dump() | known))
    # Those of organizations are known; what was typed is looked up.
    unknown = await repository.unknown_regions(connection, [each.region for each in entered if each.region is not None])
    problems += [
        FieldProblem(f"parties.{place}.region", "known_region", listings.unknown_code("region", party.region).message)
        for place, party in enumerate(entered)
        if party.region is not None and party.region in unknown
    ]
    if problems:
        raise ValidationProblem(problems)
    return parties


def filled(terms: Terms, pair: Pair | None) -> Terms:
    """Terms with what the pair's listings say where they are still open: field, industry and the rights involved."""
    if pair is None:
        return terms
    rights = [
        RightInvolved(kind=right.kind, number=right.number, title=right.title) for right in pair.outcome.ip_rights
    ]
    found = {
        "field": terms.field or pair.outcome.field or pair.need.field,
        "industry": terms.industry or pair.need.industry or pair.outcome.industry,
        "ip": terms.ip
        or (IpArrangement(results=Ownership.BY_LAW, improvements=Ownership.BY_LAW, rights=rights) if rights else None),
    }
    return terms.model_copy(update=found)
