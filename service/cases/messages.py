"""What is said in a case: numbered one by one, each in a channel that says who reads it.

`shared` is for both sides and the broker, and open once both consented; `need` and `outcome` are between a side and the
broker; `broker` are the broker's own notes. Policies of the database decide what somebody reads.
"""

from datetime import datetime
from uuid import UUID

from service.cases import attachments, invitations, message_repository, repository, service, waits
from service.cases.message_schemas import Channel, Message, MessagePage, MessageRequest, ReadMark
from service.cases.records import SIDES, TALKING, Case, Party
from service.errors import Forbidden, NotFound, OutOfTurn
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text
from service.kit.pages import decode_cursor, encode_cursor
from service.settings import Settings

NOT_TAKING_PART = Text(
    "消息、会议和里程碑仅对双方和承办的技术经理人、运营方开放",
    "Messages, meetings and milestones are for the two sides, the case's broker and operators",
)
NOT_YET = Text(
    "双方均同意并在对接期间，才能互发消息；此前可通过技术经理人沟通",
    "The two sides talk once both consented and while the case is open; until then each writes to the broker",
)
NO_FILE = Text("没有这个附件，或无权查看", "No such file, or none that you may see")


def party_of(actor: Actor, case: Case, channel: str = Channel.SHARED) -> Party:
    """In which part somebody speaks or reads in a channel.

    Raises:
        Forbidden: in none.
    """
    own = case.sides_of(actor)
    if channel in own:
        return Party(channel)
    if channel == Channel.SHARED and own:
        return own[0]
    if case.handled_by(actor) if channel == Channel.BROKER else case.steered_by(actor):
        return Party.BROKER
    if own:
        raise Forbidden(
            Text(
                f"该通道不是本方的：写给双方用 shared，只写给技术经理人用 {own[0]}",
                f"Not a channel of yours: write to both in shared, to the broker alone in {own[0]}",
            )
        )
    raise Forbidden(NOT_TAKING_PART)


async def send(
    connection: Connection, actor: Actor, case: Case, request: MessageRequest, settings: Settings
) -> Message:
    """Say something in a channel. Raises as `post`."""
    number = await post(connection, actor, case, request.channel, request.body, settings)
    return await _one(connection, case.id, number)


async def attach(
    connection: Connection,
    actor: Actor,
    case: Case,
    channel: Channel,
    body: str,
    name: str | None,
    content: bytes,
    settings: Settings,
) -> Message:
    """Say something with a file. Raises as `post`.

    Raises:
        ValidationProblem: the file is empty or too large. UnsupportedMedia: its type is not taken.
    """
    party_of(actor, case, channel)
    held = await service.hold(connection, case.id)
    attachments.check_size(
        len(content), held.stored_bytes, settings.case_attachment_bytes, settings.case_attachments_bytes
    )
    media_type = attachments.type_of(content)
    clean = attachments.clean_name(name, media_type)
    number = await post(connection, actor, case, channel, body, settings, file=(clean, media_type, content))
    return await _one(connection, case.id, number)


async def post(
    connection: Connection,
    actor: Actor,
    case: Case,
    channel: str,
    body: str,
    settings: Settings,
    *,
    file: tuple[str, str, bytes] | None = None,
) -> int:
    """Keep a message with its file, and let it answer what was awaited; its number.

    Raises:
        Forbidden: the channel is not the actor's. OutOfTurn: the two sides may not talk now.
    """
    party = party_of(actor, case, channel)
    held = await service.hold(connection, case.id)
    if channel == Channel.SHARED and held.state not in TALKING:
        raise OutOfTurn(NOT_YET)
    moment = clock.now()
    if channel == Channel.SHARED and len(held.sides_of(actor)) == len(SIDES):
        # An organization that has both sides speaks for the one whose turn it is.
        found = await repository.open_waits(connection, [held.id])
        party = next((wait.party for wait in found if wait.party in SIDES), party)
    identifier, number = await message_repository.insert(connection, actor, held.id, channel, party, body, moment)
    if file is not None:
        await message_repository.attach(connection, identifier, held.id, *file)
    if party is Party.BROKER and channel in SIDES:
        await invitations.answer_question(connection, held, Party(channel), moment, settings)
    elif party in SIDES and channel == Channel.SHARED and held.state == "consulting":
        await _pass_turn(connection, held, party, moment, settings)
    data = {"channel": channel, "number": number, "party": party, "attachment": file is not None}
    await log.record(
        connection, actor, "case", held.id, "message", from_state=held.state, to_state=held.state, data=data
    )
    return number


async def _pass_turn(connection: Connection, case: Case, party: Party, at: datetime, settings: Settings) -> None:
    """Who has written is awaited no longer, and the other side is."""
    other = next(side for side in SIDES if side is not party)
    await waits.answer(connection, case, party, at)
    if not any(wait.party is other for wait in await repository.open_waits(connection, [case.id])):
        await waits.begin(connection, case, other, "reply", at, settings)


async def page(
    connection: Connection, actor: Actor, case: Case, *, channel: str | None, limit: int, cursor: str | None
) -> MessagePage:
    """A page of the messages that the actor reads, oldest first."""
    party_of(actor, case)
    position = decode_cursor(cursor, int)
    after = min(int(str(position[0])), 2**31 - 1) if position else 0
    rows = await message_repository.page(connection, case.id, channel, after, limit + 1)
    return MessagePage(
        items=[Message.model_validate(dict(row)) for row in rows[:limit]],
        next=encode_cursor(rows[limit - 1]["number"]) if len(rows) > limit else None,
    )


async def _one(connection: Connection, case_id: UUID, number: int) -> Message:
    (row,) = await message_repository.page(connection, case_id, None, number - 1, 1)
    return Message.model_validate(dict(row))


async def read_up_to(connection: Connection, actor: Actor, case: Case, number: int) -> ReadMark:
    """Keep up to which message the caller has read; it leaves no event, since nothing of the case changes by it."""
    party = party_of(actor, case)
    assert actor.caller_id is not None, "whoever takes part came in by a key or a login"
    kept = await message_repository.mark(
        connection, case.id, actor.caller_id, party, min(number, case.messages), clock.now()
    )
    counts = await message_repository.unread(connection, [case.id], actor.caller_id)
    return ReadMark(number=kept, unread=counts.get(case.id, 0))


async def file(connection: Connection, actor: Actor, case: Case, message_id: UUID) -> tuple[str, str, bytes]:
    """Name, media type and content of a message's file.

    Raises:
        NotFound: none, or in a channel that the actor does not read.
    """
    party_of(actor, case)
    row = await message_repository.file(connection, case.id, message_id)
    if row is None:
        raise NotFound(NO_FILE)
    return row["name"], row["media_type"], row["content"]
