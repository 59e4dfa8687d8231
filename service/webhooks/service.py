"""Rules of endpoints: who may have which, their secrets, tests and replays. Each is its organization's alone."""

from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from service.errors import Conflict, FieldProblem, NotFound, OutOfTurn, PreconditionFailed, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.etag import check_if_match, etag
from service.kit.language import Text
from service.kit.pages import Page, decode_id, encode_cursor
from service.notices.rules import WEBHOOK_TYPES
from service.settings import Settings
from service.webhooks import repository
from service.webhooks.addresses import Unsafe, target_of
from service.webhooks.payload import TEST, body_of_test
from service.webhooks.schemas import (
    DeliveryReport,
    DeliveryState,
    EventTypeInfo,
    NewWebhook,
    Replayed,
    ReplayRequest,
    RotateRequest,
    Webhook,
    WebhookContent,
    WebhookDelivery,
    WebhookState,
)
from service.webhooks.signing import as_text, new_secret
from service.webhooks.vault import open_vault

MOST: Final = 20
MOST_REPLAYED: Final = 1_000
NO_WEBHOOK = Text("没有这个回调地址，或无权查看", "No such endpoint, or none that you may see")


def types() -> list[EventTypeInfo]:
    """Every kind of event that an endpoint may ask for."""
    return [EventTypeInfo(type=name, category=rules[0].category) for name, rules in sorted(WEBHOOK_TYPES.items())]


async def create(connection: Connection, actor: Actor, settings: Settings, content: WebhookContent) -> NewWebhook:
    """Keep an endpoint of the actor's organization, and show its secret once.

    Raises:
        ValidationProblem: the URL may not be called, or a type is unknown.
        Conflict: the organization has as many as it may have.
    """
    organization = _organization(actor)
    _check(content, settings)
    if await repository.count_held(connection, organization) >= MOST:
        raise Conflict(Text(f"每个单位最多 {MOST} 个回调地址", f"An organization has {MOST} endpoints at most"))
    identifier, secret = uuid4(), new_secret()
    sealed = open_vault(settings).seal(secret, identifier)
    made = await repository.insert(connection, identifier, organization, content, sealed)
    await log.record(connection, actor, "webhook", identifier, "create", to_state=made.state)
    return NewWebhook(**made.model_dump(), secret=as_text(secret))


async def list_webhooks(connection: Connection, actor: Actor) -> list[Webhook]:
    """The endpoints of the actor's organization, newest first."""
    return [] if actor.organization_id is None else await repository.list_webhooks(connection, actor.organization_id)


async def read(connection: Connection, actor: Actor, identifier: UUID) -> Webhook:
    """An endpoint of the actor's organization.

    Raises:
        NotFound: there is none.
    """
    found = await repository.get(connection, identifier, actor.organization_id) if actor.organization_id else None
    if found is None:
        raise NotFound(NO_WEBHOOK)
    return found


async def change(
    connection: Connection,
    actor: Actor,
    settings: Settings,
    identifier: UUID,
    if_match: str | None,
    content: WebhookContent,
) -> Webhook:
    """Change an endpoint, or disable and enable it.

    Raises:
        NotFound, ValidationProblem: as `read` and `create`. PreconditionFailed, PreconditionRequired: by If-Match.
    """
    current = await read(connection, actor, identifier)
    check_if_match(if_match, current.version)
    _check(content, settings)
    changed = await repository.update(connection, identifier, current.version, content)
    if changed is None:
        raise PreconditionFailed(etag(current.version))
    if changed.state is WebhookState.DISABLED:
        await repository.bury(connection, identifier)
    # Which address it is stays out: it may carry a token.
    await log.record(
        connection, actor, "webhook", identifier, "change", from_state=current.state, to_state=changed.state,
        data={"version": changed.version, "moved": changed.url != current.url},
    )  # fmt: skip
    return changed


async def delete(connection: Connection, actor: Actor, identifier: UUID) -> None:
    """Remove an endpoint with its log.

    Raises:
        NotFound: there is none.
    """
    found = await read(connection, actor, identifier)
    await repository.delete(connection, identifier, _organization(actor))
    await log.record(connection, actor, "webhook", identifier, "delete", from_state=found.state)


async def rotate(
    connection: Connection, actor: Actor, settings: Settings, identifier: UUID, request: RotateRequest
) -> NewWebhook:
    """Exchange an endpoint's secret; calls are signed by both until the overlap ends.

    Raises:
        NotFound: there is none.
    """
    await read(connection, actor, identifier)
    secret = new_secret()
    until = now() + timedelta(hours=request.overlap_hours) if request.overlap_hours else None
    sealed = open_vault(settings).seal(secret, identifier)
    changed = await repository.rotate(connection, identifier, sealed, until)
    await log.record(connection, actor, "webhook", identifier, "rotate", data={"version": changed.version})
    return NewWebhook(**changed.model_dump(), secret=as_text(secret))


async def test(connection: Connection, actor: Actor, identifier: UUID) -> WebhookDelivery:
    """Have a test sent.

    Raises:
        NotFound: there is none. OutOfTurn: it is disabled.
    """
    found = await read(connection, actor, identifier)
    _check_enabled(found)
    moment = now()
    body = body_of_test(identifier, moment)
    return await repository.insert_test(connection, identifier, _organization(actor), TEST, body, moment)


async def list_deliveries(
    connection: Connection, actor: Actor, identifier: UUID, state: DeliveryState | None, cursor: str | None, limit: int
) -> Page[WebhookDelivery]:
    """Deliveries to an endpoint, newest first.

    Raises:
        NotFound: there is no such endpoint.
    """
    before = decode_id(cursor)
    await read(connection, actor, identifier)
    found = await repository.deliveries(connection, identifier, state, before, limit + 1)
    return Page(items=found[:limit], next=encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None)


async def read_delivery(connection: Connection, actor: Actor, identifier: UUID, delivery_id: UUID) -> DeliveryReport:
    """One delivery with every attempt.

    Raises:
        NotFound: there is no such endpoint, or it has no such delivery.
    """
    await read(connection, actor, identifier)
    found = await repository.delivery(connection, delivery_id, identifier)
    if found is None:
        raise NotFound(Text("该回调地址没有这条投递记录", "The endpoint has no such delivery"))
    delivery, body, attempts = found
    return DeliveryReport(**delivery.model_dump(), body=body, log=attempts)


async def replay(connection: Connection, actor: Actor, identifier: UUID, request: ReplayRequest) -> Replayed:
    """Have deliveries sent again, under the webhook-id that they had.

    Raises:
        NotFound: there is no such endpoint, or it has no such delivery. OutOfTurn: it is disabled.
        ValidationProblem: neither one delivery nor a period is named, or the period ends before it begins.
    """
    found = await read(connection, actor, identifier)
    _check_period(request)
    _check_enabled(found)
    if request.delivery_id is not None:
        await read_delivery(connection, actor, identifier, request.delivery_id)
    ended = (DeliveryState.DEAD, DeliveryState.DELIVERED)
    states = ended if request.delivery_id or request.state == "all" else (DeliveryState(request.state),)
    moment = now()
    count = await repository.replay(
        connection, identifier, states, request.delivery_id, request.since, request.until, moment, MOST_REPLAYED
    )
    await log.record(connection, actor, "webhook", identifier, "replay", data={"count": count})
    return Replayed(replayed=count, more=count == MOST_REPLAYED)


def _check_period(request: ReplayRequest) -> None:
    if (request.delivery_id is None) == (request.since is None):
        text = Text("delivery_id 与 since 二选一", "Say either delivery_id or since")
        raise ValidationProblem([FieldProblem("since", "one_or_period", text)])
    if request.until is not None and (request.since is None or request.until <= request.since):
        text = Text("须晚于 since", "Must lie after since")
        raise ValidationProblem([FieldProblem("until", "after_since", text)])


def _check_enabled(webhook: Webhook) -> None:
    if webhook.state is WebhookState.DISABLED:
        raise OutOfTurn(Text("回调地址已停用，请先启用", "The endpoint is disabled: enable it first"))


def _organization(actor: Actor) -> UUID:
    assert actor.organization_id is not None, "who acts for no organization comes to its own record alone"
    return actor.organization_id


def _check(content: WebhookContent, settings: Settings) -> None:
    problems = []
    try:
        target_of(content.url, private=settings.webhook_private)
    except Unsafe as error:
        text = Text(
            f"须为 https 公网网址，不含用户名、密码和片段（{error}）",
            f"Must be an https URL of a public address, without user name, password and fragment ({error})",
        )
        problems.append(FieldProblem("url", "callable", text))
    for place, name in enumerate(content.types):
        if name not in WEBHOOK_TYPES:
            text = Text("没有这种事件，可查 GET /v1/webhooks/types", "No such event type: see GET /v1/webhooks/types")
            problems.append(FieldProblem(f"types.{place}", "known_type", text))
    if problems:
        raise ValidationProblem(problems)
