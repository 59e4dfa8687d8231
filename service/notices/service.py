"""Rules of notifications and preferences: what callers may read, mark and choose."""

from uuid import UUID

from service.access.errors import ScopeMissing
from service.errors import FieldProblem, NotFound, PreconditionFailed, ValidationProblem
from service.events import log
from service.kit.actor import Actor, Scope
from service.kit.clock import now
from service.kit.db import Connection, Row
from service.kit.etag import check_if_match, etag
from service.kit.language import Text
from service.kit.pages import Page, decode_id, encode_cursor
from service.notices import repository
from service.notices.model import Category, Mailing, Recipient
from service.notices.preferences import ALWAYS, DEFAULTS, PreferenceContent, read
from service.notices.schemas import Marked, MarkRequest, Notification, Preferences, Unread, Whose
from service.settings import Settings


async def list_notifications(
    connection: Connection, actor: Actor, *, unread: bool, category: Category | None, cursor: str | None, limit: int
) -> Page[Notification]:
    """What the caller's organization and person were told, newest first."""
    before = decode_id(cursor)
    rows = await repository.list_notifications(
        connection, repository.recipients_of(actor), unread=unread, category=category, before=before, limit=limit + 1
    )
    shown = [_shown(row) for row in rows[:limit]]
    return Page(items=shown, next=encode_cursor(str(shown[-1].id)) if len(rows) > limit else None)


async def count_unread(connection: Connection, actor: Actor) -> Unread:
    """How much the caller's organization and person have not read."""
    by_category = await repository.unread(connection, repository.recipients_of(actor))
    return Unread(total=sum(by_category.values()), by_category=by_category)


async def mark(connection: Connection, actor: Actor, identifier: UUID) -> Notification:
    """Mark one as read, for everybody who acts for the organization.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    row = await repository.mark(connection, repository.recipients_of(actor), identifier, now())
    if row is None:
        raise NotFound(Text("没有这条通知，或无权查看", "No such notification, or none that you may see"))
    return _shown(row)


async def mark_all(connection: Connection, actor: Actor, request: MarkRequest) -> Marked:
    """Mark all that is unread as read, or part of it."""
    recipients = repository.recipients_of(actor)
    return Marked(marked=await repository.mark_all(connection, recipients, request.category, request.up_to, now()))


async def read_preferences(connection: Connection, actor: Actor, settings: Settings, whose: Whose) -> Preferences:
    """How the caller's organization, or the caller itself, is told.

    Raises:
        NotFound: a machine client asks for a person's, or somebody without organization for an organization's.
    """
    recipient = _recipient(actor, whose)
    return await _preferences(connection, settings, whose, recipient)


async def change_preferences(
    connection: Connection,
    actor: Actor,
    settings: Settings,
    whose: Whose,
    if_match: str | None,
    content: PreferenceContent,
) -> Preferences:
    """Choose anew.

    Raises:
        NotFound: as `read_preferences`. PreconditionFailed, PreconditionRequired: by If-Match.
        ScopeMissing: another address than the one that is there takes the scope `admin`.
        ValidationProblem: what is always told is turned off, or an address is given for a person.
    """
    recipient = _recipient(actor, whose)
    _check(content, whose)
    row = await repository.preference(connection, recipient.id)
    version = row["version"] if row else 1
    check_if_match(if_match, version)
    former = row["email"] if row else None
    if whose is Whose.ORGANIZATION and former not in (None, content.email) and Scope.ADMIN not in actor.scopes:
        # What is always mailed goes to this address: whoever took over a key would turn it elsewhere first.
        raise ScopeMissing(Scope.ADMIN)
    # Kept is what was chosen: a default that changes later changes for who has not.
    chosen = {category.value: way.model_dump(mode="json") for category, way in content.categories.items()}
    saved = await repository.save_preference(connection, recipient, version, content.language, content.email, chosen)
    if saved is None:
        raise PreconditionFailed(etag(version))
    # The address itself stays out: an event is never erased.
    data = {"version": saved["version"], "moved": content.email != former}
    await log.record(connection, actor, whose.value, recipient.id, "change_notices", data=data)
    return await _preferences(connection, settings, whose, recipient)


def _check(content: PreferenceContent, whose: Whose) -> None:
    problems = [
        FieldProblem(
            f"categories.{category}",
            "always_told",
            Text(
                "账号与安全类通知不能关闭：in_app 须为 true，mail 不能为 off",
                "Account and security cannot be turned off: in_app is true, mail is not off",
            ),
        )
        for category, way in content.categories.items()
        if category in ALWAYS and (not way.in_app or way.mail is Mailing.OFF)
    ]
    if whose is Whose.PERSON and content.email is not None:
        text = Text(
            "个人通知发往本人档案中的邮箱；请用 PUT /v1/people/me 修改",
            "A person's mail goes to the address of its own record: change it by PUT /v1/people/me",
        )
        problems.append(FieldProblem("email", "organizations_only", text))
    if problems:
        raise ValidationProblem(problems)


def _recipient(actor: Actor, whose: Whose) -> Recipient:
    if whose is Whose.ORGANIZATION and actor.organization_id is not None:
        return Recipient(organization_id=actor.organization_id)
    if whose is Whose.PERSON and actor.person_id is not None:
        return Recipient(person_id=actor.person_id)
    raise NotFound(
        Text("该密钥属于机器客户端，没有个人通知设置", "The key is a machine client's: there is no person behind it")
        if whose is Whose.PERSON
        else Text("您目前不代表任何单位", "You act for no organization now")
    )


async def _preferences(connection: Connection, settings: Settings, whose: Whose, recipient: Recipient) -> Preferences:
    row = await repository.preference(connection, recipient.id)
    content = read(row, settings.language)
    return Preferences(
        language=content.language,
        email=content.email,
        categories={**DEFAULTS, **content.categories},
        whose=whose,
        version=row["version"] if row else 1,
        mail_configured=settings.smtp_host is not None,
        bounced_at=await repository.last_bounce(connection, recipient.id),
    )


def _shown(row: Row) -> Notification:
    return Notification.model_validate(
        dict(row) | {"message": str(Text(row["text_zh"], row["text_en"]))}, extra="ignore"
    )
