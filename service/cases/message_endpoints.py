"""Messages of a case and their files over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response, UploadFile

from service.access.dependencies import Tx
from service.access.routes import Route
from service.cases import attachments, messages, service
from service.cases.message_schemas import Channel, Message, MessagePage, MessageRequest, ReadMark, ReadRequest
from service.errors import FieldProblem, ValidationProblem
from service.kit.http import LIMIT, Cursor, Limit, made, problems
from service.kit.language import Text
from service.kit.texts import clean_text

router = APIRouter(prefix="/cases/{case_id}", tags=["cases"], route_class=Route)

MOST_CHARACTERS = 10_000
OnlyChannel = Annotated[Channel | None, Query(description="Only this one / 仅限该通道")]


@router.get("/messages", summary="Messages of a case / 对接消息", responses=problems(403, 404))
async def list_messages(
    tx: Tx, case_id: UUID, channel: OnlyChannel = None, limit: Limit = LIMIT, cursor: Cursor = None
) -> MessagePage:
    """What you read of a case's thread, oldest first."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await messages.page(tx.connection, tx.actor, case, channel=channel, limit=limit, cursor=cursor)


@router.post("/messages", status_code=201, summary="Send a message / 发送消息", responses=problems(403, 404, 409))
async def send_message(tx: Tx, case_id: UUID, body: MessageRequest) -> Message:
    """To both sides once both consented, to the broker at any time, or a note of the broker."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await messages.send(tx.connection, tx.actor, case, body, tx.settings)


@router.post(
    "/attachments",
    status_code=201,
    summary="Send a file / 发送附件",
    responses=problems(403, 404, 409, 413, 415),
)
async def send_file(
    tx: Tx,
    case_id: UUID,
    file: UploadFile,
    channel: Annotated[Channel, Form(description="Who reads it / 可见范围")],
    body: Annotated[str, Form(max_length=MOST_CHARACTERS, description="A word to it / 说明")] = "",
) -> Message:
    """A message with one file. Its type is told by its content; names are cleaned."""
    case = await service.read(tx.connection, tx.actor, case_id)
    largest = tx.settings.case_attachment_bytes
    # No more is read than tells that it is too large.
    content = await file.read(largest + 1)
    text = clean_text(body)
    if len(text) > MOST_CHARACTERS:
        problem = Text(f"最多 {MOST_CHARACTERS} 个字符", f"At most {MOST_CHARACTERS} characters")
        raise ValidationProblem([FieldProblem("body", "string_too_long", problem)])
    return await messages.attach(tx.connection, tx.actor, case, channel, text, file.filename, content, tx.settings)


@router.get(
    "/attachments/{message_id}",
    summary="Save a file / 下载附件",
    responses=made({"Content-Disposition": {"description": "attachment", "schema": {"type": "string"}}})
    | problems(403, 404),
    response_class=Response,
)
async def save_file(tx: Tx, case_id: UUID, message_id: UUID) -> Response:
    """The file of a message, to be saved and never shown by a browser."""
    case = await service.read(tx.connection, tx.actor, case_id)
    name, media_type, content = await messages.file(tx.connection, tx.actor, case, message_id)
    headers = {"Content-Disposition": attachments.disposition(name), "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=media_type, headers=headers)


@router.post("/read", summary="Mark as read / 标记已读", responses=problems(403, 404))
async def mark_read(tx: Tx, case_id: UUID, body: ReadRequest) -> ReadMark:
    """Up to which message you have read; a mark never goes back."""
    case = await service.read(tx.connection, tx.actor, case_id)
    return await messages.read_up_to(tx.connection, tx.actor, case, body.number)
