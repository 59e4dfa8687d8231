"""Rules of listings, the same for needs and outcomes: who may see, change and advance them."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from matching.profiling import detect_language
from service.cases import talks
from service.errors import Conflict, FieldProblem, Forbidden, NotFound, OutOfTurn, PreconditionFailed, ValidationProblem
from service.events import log
from service.events.changes import changes, kept
from service.kit import queue
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.clock import now
from service.kit.db import Connection, acting_as
from service.kit.etag import check_if_match, etag
from service.kit.language import Text
from service.kit.tiers import guarded, hidden
from service.listings import refinement_repository, repository
from service.listings.repository import find_anywhere, find_external, lock_state, unknown_code, unpublished_of
from service.listings.repository import get as stored
from service.listings.schemas import (
    MATCHED_STATES,
    PUBLIC_STATES,
    IpRight,
    Kind,
    Listing,
    ListingContent,
    Revision,
    Standing,
)
from service.listings.search import grams_of
from service.listings.tiers import view_of
from service.matches import withdrawal
from service.responses import service as responses
from service.workflows.engine import Advanced, Workflow, advance
from service.workflows.refusals import as_error
from service.workflows.tables import NEED, OUTCOME

# What other rooms may call besides the functions below; these are plain look-ups without a rule of their own.
__all__ = ["find_anywhere", "find_external", "lock_state", "stored", "unknown_code", "unpublished_of"]

WORKFLOWS: dict[Kind, Workflow] = {Kind.NEED: NEED, Kind.OUTCOME: OUTCOME}
AUTHORS = {
    Kind.NEED: (Role.ENTERPRISE, Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM),
    Kind.OUTCOME: (Role.PROVIDER, Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM),
}
# Whoever reviews a listing may correct it while it is open; its owner only before somebody else has begun to.
OWNER_EDITS = frozenset({"draft", "submitted"})
REVIEWER_EDITS = frozenset({"draft", "submitted", "refining", "verified", *MATCHED_STATES})
NO_LISTING = {
    Kind.NEED: Text("没有这条需求，或无权查看", "No such need, or none that you may see"),
    Kind.OUTCOME: Text("没有这项成果，或无权查看", "No such outcome, or none that you may see"),
}


@dataclass(frozen=True, slots=True)
class Texts:
    """What of a content is searched and what tells its language."""

    language: str
    grams: list[str]


def texts_of(content: ListingContent) -> Texts:
    """The search pairs and the language of a content."""
    text = public_text(content)
    language = detect_language(f"{content.title}\n{text}")
    lines = () if content.confidential else content.indicators
    return Texts(language, grams_of(content.title, " ".join(content.keywords), text, " ".join(lines)))


def public_text(content: ListingContent | Listing) -> str:
    """What stands for a listing's text wherever others find, read or are matched on it."""
    return content.abstract or "" if content.confidential else content.description


def rights_of(content: ListingContent) -> list[IpRight]:
    """The rights that an outcome's content names; a need has none."""
    rights: list[IpRight] = getattr(content, "ip_rights", [])
    return rights


async def create(
    connection: Connection, actor: Actor, kind: Kind, organization_id: UUID, content: ListingContent
) -> Listing:
    """Store a draft of an organization.

    Raises:
        Forbidden: the actor's roles do not post this kind, or not for this organization.
    """
    if not actor.has(*AUTHORS[kind]):
        raise Forbidden(
            Text(
                "发布需求需要企业、技术经理人或运营方密钥"
                if kind is Kind.NEED
                else "发布成果需要成果提供方、技术经理人或运营方密钥",
                f"Posting this takes a key with one of the roles: {', '.join(AUTHORS[kind][:-1])}",
            )
        )
    if not (actor.owns(organization_id) or actor.has(Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)):
        raise Forbidden(Text("只能以本单位名义发布", "You may post for your own organization only"))
    texts = texts_of(content)
    identifier = await repository.insert(
        connection,
        kind,
        organization_id,
        WORKFLOWS[kind].initial,
        texts.language,
        texts.grams,
        content.columns(),
        rights_of(content),
    )
    await _keep_revision(connection, actor, identifier, 1, content, None)
    await log.record(connection, actor, kind, identifier, "create", to_state=WORKFLOWS[kind].initial)
    return await _present(connection, kind, identifier)


async def read(connection: Connection, actor: Actor, kind: Kind, identifier: UUID) -> Listing:
    """A listing that the actor may see.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    listing = await repository.get(connection, kind, identifier)
    if listing is None or not may_see(actor, listing):
        raise NotFound(NO_LISTING[kind])
    return listing


def may_see(actor: Actor, listing: Listing) -> bool:
    """Own listings, published ones of organizations in good standing, and for staff all."""
    public = listing.state in PUBLIC_STATES and listing.organization_state != "suspended"
    return actor.is_staff or actor.owns(listing.organization_id) or public


def standing_of(actor: Actor, listing: Listing) -> dict[str, Any]:
    """What a listing has besides its content, and what the actor may do with it."""
    standing = listing.model_dump(include=set(Standing.model_fields) - {"actions"})
    return standing | {"actions": actions_of(actor, listing)}


def organization_for(actor: Actor, wanted: UUID | None) -> UUID:
    """The organization that a listing is posted for: the one asked for, else the actor's own."""
    chosen = wanted or actor.organization_id
    if chosen is None:
        text = Text("请指明单位", "Say for which organization")
        raise ValidationProblem([FieldProblem("organization_id", "missing", text)])
    return chosen


def actions_of(actor: Actor, listing: Listing) -> list[str]:
    """The actions that the actor may take now, in the table's order."""
    workflow = WORKFLOWS[listing.kind]
    owner = actor.owns(listing.organization_id)
    names = dict.fromkeys(transition.action for transition in workflow.transitions)
    moment = now()
    return [
        name
        for name in names
        if isinstance(advance(workflow, listing.state, name, actor, owner=owner, now=moment), Advanced)
    ]


async def change(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    identifier: UUID,
    if_match: str | None,
    content: ListingContent,
    reason: str | None = None,
) -> Listing:
    """Replace a listing's content; a published one is matched anew.

    Raises:
        Forbidden, OutOfTurn: not this actor's to change, or not in this state.
        PreconditionRequired, PreconditionFailed: If-Match is missing or names another version.
    """
    current = await read(connection, actor, kind, identifier)
    _check_may_edit(actor, current)
    check_if_match(if_match, current.version)
    if current.state != "draft":
        _check_abstract(content)
    texts = texts_of(content)
    saved = await repository.update(
        connection, identifier, current.version, texts.language, texts.grams, content.columns(), rights_of(content)
    )
    if not saved:
        raise PreconditionFailed(etag(current.version))
    await _keep_revision(connection, actor, identifier, current.version + 1, content, reason)
    after = await _present(connection, kind, identifier)
    data = {"version": after.version, "reason": kept("reason", reason), "changes": _changes(content, current, after)}
    await log.record(connection, actor, kind, identifier, "change", data=data)
    if content.confidential and not current.confidential:
        await withdrawal.forget_quotes(connection, identifier)
    if current.state in MATCHED_STATES:
        await queue.enqueue_index(connection, identifier, after.version)
    return after


def _check_abstract(content: ListingContent | Listing) -> None:
    """What is confidential is shown to others by its abstract, so that there must be one."""
    if content.confidential and not content.abstract:
        text = Text(
            "保密项目提交前须填写公开摘要：他人只看到摘要，并据此匹配",
            "A confidential listing needs an abstract before it is submitted: it is what others see and are matched on",
        )
        raise ValidationProblem([FieldProblem("abstract", "abstract_of_confidential", text)])


def _changes(content: ListingContent, before: Listing, after: Listing) -> dict[str, Any]:
    # Both as they are stored, so that a price written as 8e5 is no change of 800000.00.
    names = {*content.columns(), "ip_rights"}
    secret = guarded(type(content)) if before.confidential or after.confidential else frozenset()
    return changes(
        before.model_dump(mode="json", include=names), after.model_dump(mode="json", include=names), secret=secret
    )


def _check_may_edit(actor: Actor, listing: Listing) -> None:
    reviewer = actor.has(Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM)
    if not (reviewer or actor.owns(listing.organization_id)):
        raise Forbidden(Text("只能修改本单位的记录", "You may change your own organization's listings only"))
    editable = REVIEWER_EDITS if reviewer else OWNER_EDITS
    if listing.state not in editable:
        label = WORKFLOWS[listing.kind].labels[listing.state]
        raise OutOfTurn(
            Text(
                f"“{label.zh}”状态下不能修改内容；可先撤回并重新编辑，或请技术经理人修改",
                f"The content cannot be changed while “{label.en}”: withdraw and reopen it, or ask a broker to change it",
            )
        )


async def act(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    identifier: UUID,
    action: str,
    *,
    if_match: str | None = None,
    reason: str | None = None,
    at: datetime | None = None,
    bulk: bool = False,
) -> Listing:
    """Take one step of the workflow: compare-and-set, one event, and what the step entails for matching and history.

    Raises:
        Forbidden, OutOfTurn: as the workflow table says.
        Conflict: somebody else took a step at the same moment.
    """
    current = await read(connection, actor, kind, identifier)
    if if_match is not None:
        check_if_match(if_match, current.version)
    moment = at or now()
    workflow = WORKFLOWS[kind]
    owner = actor.owns(current.organization_id)
    step = advance(workflow, current.state, action, actor, owner=owner, now=moment)
    if not isinstance(step, Advanced):
        raise as_error(workflow, step)
    enters = step.target in MATCHED_STATES and step.source not in MATCHED_STATES
    if enters:
        _check_standing(current)
        await _check_agreed(connection, actor, current)
    if action == "submit":
        _check_abstract(current)
    if not await repository.transition(connection, identifier, step.source, step.target, moment):
        raise Conflict(
            Text("状态刚被他人改变，请重新读取", "The state was changed by somebody else just now: read again")
        )
    await log.record(
        connection,
        actor,
        kind,
        identifier,
        action,
        from_state=step.source,
        to_state=step.target,
        data={"reason": kept("reason", reason)} if reason else None,
    )
    await responses.follow(connection, identifier, action, moment, current.organization_id, by_owner=owner)
    if step.target == "refining" and actor.organization_id is not None:
        await refinement_repository.begin(connection, actor, identifier, moment)
    elif step.source == "refining":
        published = step.target == "published"
        await refinement_repository.end(connection, identifier, moment, published=published)
    if enters:
        await queue.enqueue_index(connection, identifier, current.version + 1, bulk=bulk)
        if kind is Kind.NEED:
            await settle_docking(connection, actor, identifier)
    elif step.target in MATCHED_STATES:
        await withdrawal.stay_in_matching(connection, identifier, current.version + 1)
    elif step.source in MATCHED_STATES:
        await withdrawal.leave_matching(connection, identifier)
    return await _present(connection, kind, identifier)


async def settle_docking(connection: Connection, actor: Actor, need_id: UUID) -> None:
    """Bring a published need to what its cases say, in the name of the service: docking while it is talked about in one.

    Called where a case begins or ceases to be one in which both consent, after that is saved, and where a need is published.
    Of several cases at once each counts the others only when it holds the need, so that none is forgotten.
    """
    service = replace(SYSTEM, request_id=actor.request_id, address_class=actor.address_class)
    async with acting_as(connection, service, instead_of=actor):
        held = await repository.hold(connection, need_id)
        if held is None or held["state"] not in MATCHED_STATES:
            return
        wanted = "docking" if await talks.is_talked_about(connection, need_id, held["published_at"]) else "published"
        if held["state"] != wanted:
            await act(connection, service, Kind.NEED, need_id, "dock" if wanted == "docking" else "undock")


def _check_standing(listing: Listing) -> None:
    """Only what a verified organization posts is shown to others under the market's name."""
    if listing.organization_state == "verified":
        return
    raise OutOfTurn(
        Text(
            "单位已停用，不能发布"
            if listing.organization_state == "suspended"
            else "单位尚未核验，不能发布；请运营方先通过 POST /v1/organizations/{id}/verify 核验",
            "The organization is suspended: nothing of it is published"
            if listing.organization_state == "suspended"
            else "The organization is not verified yet: an operator does that first by POST /v1/organizations/{id}/verify",
        )
    )


async def _check_agreed(connection: Connection, actor: Actor, listing: Listing) -> None:
    """What others wrote is published by others only once the organization agreed to it; it may always do so itself."""
    if actor.owns(listing.organization_id) or actor.has(Role.SYSTEM):
        return
    last = await refinement_repository.last_revisions(connection, listing.id, listing.organization_id)
    if not last.is_agreed:
        raise OutOfTurn(
            Text(
                f"第 {last.latest} 版不是发布单位自己写的，须由其通过 POST /v1/refinements/{{id}}/agreement 确认后发布",
                f"Revision {last.latest} is not the organization's own: it is published once the organization agrees "
                "by POST /v1/refinements/{id}/agreement",
            )
        )


async def expire_due(connection: Connection, day: date, *, limit: int = 200) -> int:
    """Expire listings whose last day has passed; how many there were, at most `limit`."""
    due = await repository.due(connection, day, limit)
    for identifier, kind in due:
        await act(connection, SYSTEM, kind, identifier, "expire")
    return len(due)


def hidden_in_history(actor: Actor, listing: Listing, model: type[ListingContent]) -> Collection[str]:
    """The fields of a listing's earlier contents that an actor is not shown.

    Whether it is confidential now counts, whatever it was then.

    Raises:
        Forbidden: the history is for the listing's organization and for staff.
    """
    if not (actor.is_staff or actor.owns(listing.organization_id)):
        raise Forbidden(Text("修订与凝练记录仅对发布单位和工作人员开放", "The history is for the owner and for staff"))
    return hidden(model, view_of(actor, listing))


async def revisions(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    identifier: UUID,
    model: type[ListingContent],
    before: int | None = None,
) -> list[Revision]:
    """The latest contents that a listing had, of the type `model`, before a revision; for its owner and for staff."""
    names = hidden_in_history(actor, await read(connection, actor, kind, identifier), model)
    found = await repository.list_revisions(connection, identifier, before)
    return [
        revision.model_copy(update={"content": {k: v for k, v in revision.content.items() if k not in names}})
        for revision in found
    ]


async def _keep_revision(
    connection: Connection, actor: Actor, identifier: UUID, version: int, content: ListingContent, reason: str | None
) -> None:
    await repository.insert_revision(
        connection, identifier, version, content.model_dump(mode="json"), reason, actor.key_id, actor.organization_id
    )


async def _present(connection: Connection, kind: Kind, identifier: UUID) -> Listing:
    listing = await repository.get(connection, kind, identifier)
    assert listing is not None, "whoever has changed a listing sees it"
    return listing
