"""Refinement (凝练): a reviewer rewrites with reasons, asks back, and publishes what the organization agrees to."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from service.errors import Conflict, FieldProblem, Forbidden, NotFound, OutOfTurn, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.listings import refinement_repository as repository
from service.listings import service as listings
from service.listings.refinement_schemas import (
    AgreementRequest,
    AnswerRequest,
    Author,
    FieldChange,
    Question,
    QuestionRequest,
    Refinement,
    Round,
    Stage,
    Step,
)
from service.listings.repository import MOST_REVISIONS
from service.listings.schemas import Kind, Listing, ListingContent
from service.needs.schemas import NeedContent
from service.outcomes.schemas import OutcomeContent

CONTENT: Mapping[Kind, type[ListingContent]] = {Kind.NEED: NeedContent, Kind.OUTCOME: OutcomeContent}
# From submission to publication there is something to ask and to agree to.
IN_HAND = frozenset({"submitted", "refining", "verified"})
# What brokers have in hand, for their room.
in_hand = repository.in_hand
NO_QUESTION = Text("没有这个问题", "No such question")


def changed_fields(
    before: Mapping[str, Any], after: Mapping[str, Any], secret: Collection[str] = ()
) -> list[FieldChange]:
    """The fields in which two contents differ, in the order of `after`; those in `secret` are left out.

    A field that one of them lacks, since it was written before the field existed, counts as empty. Does no I/O.

    >>> changed_fields({"title": "a", "keywords": []}, {"title": "b", "keywords": []})
    [FieldChange(field='title', before='a', after='b')]
    """
    names = [*after, *(name for name in before if name not in after)]
    return [
        FieldChange(field=name, before=before.get(name), after=after.get(name))
        for name in names
        if name not in secret and (before.get(name) or None) != (after.get(name) or None)
    ]


def stages(revisions: Sequence[tuple[int, datetime, Author]], published_at: datetime | None) -> list[Stage]:
    """What each revision (number, time, author; oldest first) was. Does no I/O.

    Published is the one that stood when the listing last went to the market and every one after; before it, the
    original is what the author of the first wrote until somebody else took over.
    """
    found = []
    original = True
    for place, (_, _, author) in enumerate(revisions):
        original = original and author is revisions[0][2]
        stood_until = revisions[place + 1][1] if place + 1 < len(revisions) else None
        if published_at is not None and (stood_until is None or stood_until > published_at):
            found.append(Stage.PUBLISHED)
        else:
            found.append(Stage.ORIGINAL if original else Stage.REFINED)
    return found


async def read(connection: Connection, actor: Actor, identifier: UUID, before: int | None = None) -> Refinement:
    """Where a listing's refinement stands, with its rounds, questions and differences; for its organization and staff.

    Of its texts it has the latest fifty, or the fifty before a revision.

    Raises:
        NotFound: no such listing, or none that the actor may know of. Forbidden: it is another organization's.
    """
    return await _present(connection, actor, await _listing(connection, actor, identifier), before)


async def ask(connection: Connection, actor: Actor, identifier: UUID, request: QuestionRequest) -> Refinement:
    """Ask the listing's organization.

    Raises:
        NotFound, Forbidden: not this actor's to ask. OutOfTurn: it is not between submission and publication.
        ValidationProblem: there is no such field.
    """
    listing = await _listing(connection, actor, identifier)
    if not actor.has(Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR):
        raise Forbidden(Text("只有技术经理人和运营方可以提问", "Brokers and operators ask"))
    _check_in_hand(listing)
    fields = CONTENT[listing.kind].model_fields
    if request.field is not None and request.field not in fields:
        text = Text(f"没有这个字段；可用：{'、'.join(fields)}", f"No such field; there are: {', '.join(fields)}")
        raise ValidationProblem([FieldProblem("field", "known_field", text)])
    made = await repository.ask(connection, actor, identifier, request.field, request.question, now())
    await log.record(
        connection, actor, listing.kind, identifier, "ask", data={"question": str(made), "field": request.field}
    )
    return await _present(connection, actor, listing)


async def answer(
    connection: Connection, actor: Actor, identifier: UUID, question_id: UUID, request: AnswerRequest
) -> Refinement:
    """Answer a question for the listing's organization, once.

    Raises:
        NotFound, Forbidden: not this actor's to answer. OutOfTurn: it has its answer, or the listing is not in hand.
    """
    listing = await _own(connection, actor, identifier)
    if not await repository.is_asked(connection, identifier, question_id):
        raise NotFound(NO_QUESTION)
    _check_in_hand(listing)
    if not await repository.answer(connection, actor, identifier, question_id, request.answer, now()):
        raise OutOfTurn(Text("该问题已有回答", "The question has its answer"))
    await log.record(connection, actor, listing.kind, identifier, "answer", data={"question": str(question_id)})
    return await _present(connection, actor, listing)


async def agree(connection: Connection, actor: Actor, identifier: UUID, request: AgreementRequest) -> Refinement:
    """Agree to the present text for the listing's organization, so that a reviewer may publish it.

    Raises:
        NotFound, Forbidden: not this actor's to agree to. OutOfTurn: the listing is not in hand, or the organization
            wrote or agreed to the text itself.
        Conflict: the text is another one meanwhile.
    """
    listing = await _own(connection, actor, identifier)
    _check_in_hand(listing)
    latest = (await repository.last_revisions(connection, identifier, listing.organization_id)).latest
    if request.revision != latest:
        raise Conflict(
            Text(
                f"当前版本为第 {latest} 版，请阅读后再确认",
                f"The present text is revision {latest}: read it before you agree",
            )
        )
    if not await repository.agree(connection, actor, identifier, request.revision, now()):
        raise OutOfTurn(Text("已确认过该版本", "This revision is agreed to already"))
    await log.record(connection, actor, listing.kind, identifier, "agree", data={"revision": request.revision})
    return await _present(connection, actor, listing)


def _check_in_hand(listing: Listing) -> None:
    if listing.state not in IN_HAND:
        label = listings.WORKFLOWS[listing.kind].labels[listing.state]
        raise OutOfTurn(
            Text(
                f"当前状态为“{label.zh}”，只在提交之后、发布之前可以问答和确认",
                f"The state is “{label.en}”: there is something to ask and agree to between submission and publication",
            )
        )


async def _listing(connection: Connection, actor: Actor, identifier: UUID) -> Listing:
    for kind in Kind:
        listing = await listings.stored(connection, kind, identifier)
        if listing is not None and listings.may_see(actor, listing):
            return listing
    raise NotFound(Text("没有这条需求或成果，或无权查看", "No such need or outcome, or none that you may see"))


async def _own(connection: Connection, actor: Actor, identifier: UUID) -> Listing:
    listing = await _listing(connection, actor, identifier)
    if not actor.owns(listing.organization_id):
        raise Forbidden(
            Text("只能由发布单位自己回答和确认", "The listing's organization answers and agrees for itself")
        )
    return listing


async def _present(connection: Connection, actor: Actor, listing: Listing, before: int | None = None) -> Refinement:
    secret = listings.hidden_in_history(actor, listing, CONTENT[listing.kind])
    last = await repository.last_revisions(connection, listing.id, listing.organization_id)
    asked = [Question.model_validate(dict(row)) for row in await repository.questions(connection, listing.id)]
    return Refinement(
        listing_id=listing.id,
        kind=listing.kind,
        state=listing.state,
        revision=last.latest,
        agreed=last.is_agreed,
        open_questions=sum(question.answer is None for question in asked),
        rounds=[Round.model_validate(dict(row)) for row in await repository.rounds(connection, listing.id)],
        questions=asked,
        history=_steps(
            # One more than is shown, which the first one shown is compared with.
            await repository.history(connection, listing.id, before, MOST_REVISIONS + 1),
            # Read later, so that each of those above is among them.
            await repository.outline(connection, listing.id),
            listing,
            secret,
        ),
    )


def _author(row: Row, listing: Listing) -> Author:
    return Author.OWNER if row["by_organization"] == listing.organization_id else Author.REVIEWER


def _steps(rows: Sequence[Row], outline: Sequence[Row], listing: Listing, secret: Collection[str]) -> list[Step]:
    written = [(row["revision"], row["at"], _author(row, listing)) for row in outline]
    stage_of = dict(zip((number for number, _, _ in written), stages(written, listing.published_at), strict=True))
    steps = [
        Step(
            revision=row["revision"],
            at=row["at"],
            by=_author(row, listing),
            organization=row["organization"],
            stage=stage_of[row["revision"]],
            agreed_at=row["agreed_at"],
            reason=row["reason"],
            changes=changed_fields(rows[place - 1]["content"], row["content"], secret) if place else [],
        )
        for place, row in enumerate(rows)
    ]
    return steps[-MOST_REVISIONS:]
