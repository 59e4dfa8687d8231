"""Rules of brokers: profiles, who is shown what, which work is whose."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from service.brokers import repository
from service.brokers.figures import figures_of
from service.brokers.schemas import (
    Assignment,
    AssignmentRequest,
    BrokerCard,
    BrokerContent,
    BrokerPage,
    BrokerProfile,
    Part,
    Qualification,
    Suggestion,
    Suggestions,
)
from service.brokers.scoring import WEIGHTS, BrokerFacts, NeedFacts, ranked
from service.brokers.workload import workloads_of
from service.errors import FieldProblem, Forbidden, NotFound, OutOfTurn, PreconditionFailed, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.etag import check_if_match, etag
from service.kit.language import Text
from service.kit.pages import decode_id, encode_cursor
from service.listings import service as listings
from service.listings.schemas import Kind
from service.regions import service as regions
from service.taxonomy import service as taxonomy

# As long as a need is somebody's to work on.
ASSIGNABLE = frozenset({"submitted", "refining", "published", "docking"})
MOST_SUGGESTED = 200


@dataclass(frozen=True, slots=True)
class Scope:
    """What a broker's queue is limited to: None limits nothing; `needs` are assigned to it and come first."""

    fields: list[str] | None = None
    regions: list[str] | None = None
    organizations: list[UUID] | None = None
    needs: list[UUID] = field(default_factory=list)


async def scope_of(connection: Connection, actor: Actor) -> Scope:
    """What the acting broker's profile limits its queue to; without a profile, and for others than brokers, nothing does.

    A need without a field is in every broker's queue. Regions stand with all that lies in them.
    """
    if actor.organization_id is None or not actor.has(Role.BROKER):
        return Scope()
    row = await repository.of_actor(connection, actor.organization_id, actor.person_id, or_organization=True)
    if row is None:
        return Scope()
    return Scope(
        fields=[*row["fields"], ""] if row["fields"] else None,
        regions=await regions.within(connection, row["regions"]) if row["regions"] else None,
        organizations=row["organizations"] or None,
        needs=await repository.assigned(connection, row["id"]),
    )


async def read_own(connection: Connection, actor: Actor) -> BrokerProfile:
    """The acting broker's own profile; version 0 where none was written.

    Raises:
        Forbidden: the actor is no broker.
    """
    organization_id = _check_is_broker(actor)
    row = await repository.of_actor(connection, organization_id, actor.person_id, or_organization=False)
    if row is None:
        return BrokerProfile(
            id=None, organization_id=organization_id, person_id=actor.person_id, name="", version=0, updated_at=None
        )
    return await _profile(connection, row)


async def write_own(
    connection: Connection, actor: Actor, if_match: str | None, content: BrokerContent
) -> BrokerProfile:
    """Replace the acting broker's own profile, or write the first one.

    Raises:
        Forbidden: the actor is no broker. ValidationProblem: an unknown field, region or organization.
        PreconditionRequired, PreconditionFailed: If-Match is missing or names another version.
    """
    organization_id = _check_is_broker(actor)
    before = await repository.of_actor(connection, organization_id, actor.person_id, or_organization=False)
    check_if_match(if_match, before["version"] if before else 0)
    await _check_codes(connection, content)
    values = (
        content.name,
        content.introduction,
        content.fields,
        content.regions,
        content.organizations,
        content.languages,
        content.capacity,
        content.available,
    )
    if before is None:
        row = await repository.insert(connection, organization_id, actor.person_id, *values)
    else:
        changed = await repository.update(connection, before["id"], before["version"], *values)
        if changed is None:
            raise PreconditionFailed(etag(before["version"]))
        row = changed
    given = [each.model_dump(mode="json") for each in content.qualifications]
    await repository.replace_qualifications(connection, row["id"], given)
    # Names and certificates are a person's own and stay out of the log.
    await log.record(
        connection, actor, "broker", row["id"], "change" if before else "create", data={"version": row["version"]}
    )
    return await _profile(connection, row)


def _check_is_broker(actor: Actor) -> UUID:
    if not actor.has(Role.BROKER) or actor.organization_id is None:
        raise Forbidden(Text("仅技术经理人有此资料", "Only brokers have a profile"))
    return actor.organization_id


async def _check_codes(connection: Connection, content: BrokerContent) -> None:
    known = {each.code for each in await taxonomy.list_fields(connection)} if content.fields else set()
    there = set(await regions.within(connection, content.regions)) if content.regions else set()
    problems = [
        replace(listings.unknown_code(name, code), field=f"{name}s.{place}")
        for name, codes, all_codes in (("field", content.fields, known), ("region", content.regions, there))
        for place, code in enumerate(codes)
        if code not in all_codes
    ]
    missing = set(await repository.unknown_organizations(connection, content.organizations))
    problems += [
        FieldProblem(f"organizations.{n}", "known_organization", Text("没有这个单位", "No such organization"))
        for n, identifier in enumerate(content.organizations)
        if identifier in missing
    ]
    if problems:
        raise ValidationProblem(problems)


async def _profile(connection: Connection, row: Row) -> BrokerProfile:
    stated = (await repository.qualifications(connection, [row["id"]]))[row["id"]]
    return BrokerProfile.model_validate(dict(row) | {"qualifications": [_qualification(each) for each in stated]})


def _qualification(row: Row, *, hide_number: bool = False) -> Qualification:
    values = {name: value for name, value in row.items() if name != "broker_id"}
    return Qualification(**values | ({"number": None} if hide_number else {}))


async def list_brokers(
    connection: Connection, actor: Actor, *, work_field: str | None, limit: int, cursor: str | None
) -> BrokerPage:
    """Brokers with the figures of their work, newest first; workload and certificate numbers are for staff."""
    before = decode_id(cursor)
    rows = await repository.list_brokers(connection, work_field, before, limit + 1)
    shown = rows[:limit]
    stated = await repository.qualifications(connection, [row["id"] for row in shown])
    moment = now()
    figures = await figures_of(connection, shown, moment)
    loads = await workloads_of(connection, shown, moment) if actor.is_staff else [None] * len(shown)
    cards = [
        BrokerCard(
            **dict(row),
            qualifications=[_qualification(each, hide_number=not actor.is_staff) for each in stated[row["id"]]],
            figures=own_figures,
            workload=load,
        )
        for row, own_figures, load in zip(shown, figures, loads, strict=True)
    ]
    return BrokerPage(items=cards, next=encode_cursor(str(cards[-1].id)) if len(rows) > limit else None)


async def suggestions(connection: Connection, actor: Actor, need_id: UUID, *, limit: int) -> Suggestions:
    """Brokers for a need, best first, with what speaks for and against each.

    Raises:
        Forbidden: the actor gives out no work. NotFound: no such need. OutOfTurn: nobody is to work on it now.
    """
    _check_operates(actor)
    listing = await listings.read(connection, actor, Kind.NEED, need_id)
    if listing.state not in ASSIGNABLE:
        raise OutOfTurn(NOT_TO_ASSIGN)
    chain = await regions.chain_of(connection, listing.region) if listing.region else []
    need = NeedFacts(listing.field, frozenset(chain), listing.language)
    moment = now()
    rows = {row["id"]: row for row in await repository.list_brokers(connection, None, None, MOST_SUGGESTED)}
    loads = dict(zip(rows, await workloads_of(connection, list(rows.values()), moment), strict=True))
    facts = [
        BrokerFacts(
            id=row["id"],
            fields=frozenset(row["fields"]),
            regions=frozenset(row["regions"]),
            languages=frozenset(row["languages"]),
            capacity=row["capacity"],
            taken=loads[row["id"]].taken,
            available=row["available"],
        )
        for row in rows.values()
    ]
    return Suggestions(
        need_id=need_id,
        items=[
            Suggestion(
                broker_id=each.broker.id,
                name=rows[each.broker.id]["name"],
                score=each.score,
                can_take=each.broker.can_take,
                parts=[
                    Part(name=part.name, value=part.value, weight=WEIGHTS[part.name], reason=str(part.reason))
                    for part in each.parts
                ],
                workload=loads[each.broker.id],
            )
            for each in ranked(need, facts)[:limit]
        ],
    )


NOT_TO_ASSIGN = Text(
    "只有已提交、凝练中、已发布或对接中的需求可以指派",
    "Only a need that is submitted, being refined, published or docking can be assigned",
)


def _check_operates(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(Text("指派需求需要运营方或管理员密钥", "Assigning work takes an operator or administrator key"))


NO_BROKER = Text("没有这位技术经理人，或其已不再担任", "No such broker, or nobody acts as this broker any more")


async def find(connection: Connection, identifier: UUID) -> Row | None:
    """A broker that work can be given to (a row of `broker`): somebody still acts as it. None: there is none."""
    row = await repository.get(connection, identifier)
    return row if row is not None and await repository.is_acting(connection, identifier) else None


async def assign(connection: Connection, actor: Actor, request: AssignmentRequest) -> Assignment:
    """Give a need to a broker; whose it was loses it. What is assigned comes first in the broker's queue.

    Raises:
        Forbidden: the actor gives out no work. NotFound: no such need or broker.
        OutOfTurn: nobody is to work on the need now, the broker takes on nothing more, or it has the need already.
    """
    _check_operates(actor)
    listing = await listings.read(connection, actor, Kind.NEED, request.need_id)
    broker = await find(connection, request.broker_id)
    if broker is None:
        raise NotFound(NO_BROKER)
    if listing.state not in ASSIGNABLE:
        raise OutOfTurn(NOT_TO_ASSIGN)
    await repository.lock_need(connection, request.need_id)
    moment = now()
    ended = await repository.end_assignment(connection, request.need_id, moment)
    before = ended["broker_id"] if ended else None
    if before == request.broker_id:
        raise OutOfTurn(Text("该需求已由其承接", "The broker has this need already"))
    (load,) = await workloads_of(connection, [broker], moment)
    if not broker["available"] or load.free == 0:
        raise OutOfTurn(
            Text(
                "该技术经理人目前不接受新任务或承接已满，请另选（见 GET /v1/brokers/suggestions）",
                "The broker takes on nothing more at present: choose another one (GET /v1/brokers/suggestions)",
            )
        )
    identifier = await repository.assign(connection, request.need_id, request.broker_id, moment)
    await log.record(
        connection,
        actor,
        "need",
        request.need_id,
        "assign",
        data={"broker": str(request.broker_id), "before": str(before) if before else None},
    )
    return Assignment(
        id=identifier, need_id=request.need_id, broker_id=request.broker_id, assigned_at=moment, before=before
    )


async def take_back(connection: Connection, actor: Actor, need_id: UUID) -> Assignment:
    """Take a need from the broker that it was assigned to, so that it is nobody's; the assignment that ended.

    What the broker has begun stays as it is: a round of refinement goes on, and so do cases.

    Raises:
        Forbidden: the actor gives out no work. NotFound: no such need, or it is assigned to nobody.
    """
    _check_operates(actor)
    await listings.read(connection, actor, Kind.NEED, need_id)
    await repository.lock_need(connection, need_id)
    ended = await repository.end_assignment(connection, need_id, now())
    if ended is None:
        raise NotFound(Text("该需求当前未指派", "The need is assigned to nobody now"))
    await log.record(connection, actor, "need", need_id, "unassign", data={"broker": str(ended["broker_id"])})
    return Assignment.model_validate(dict(ended))
