"""People, memberships and logins over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from service.access import members, people
from service.access.dependencies import Tx
from service.access.people_schemas import (
    Identity,
    IdentityRequest,
    Member,
    MemberContent,
    MemberRequest,
    Membership,
    Person,
    PersonContent,
)
from service.access.routes import Route
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, LIMIT, LOCATION_HEADER, Cursor, IfMatch, Limit, location, made, problems
from service.kit.pages import Page, decode_id, encode_cursor

router = APIRouter(tags=["people"], route_class=Route)


@router.post(
    "/people",
    status_code=201,
    summary="Note a person / 登记人员",
    responses=made(ETAG_HEADER, LOCATION_HEADER, status=201) | problems(403, 409),
)
async def create_person(tx: Tx, content: PersonContent, response: Response) -> Person:
    """Note a person (operators and administrators)."""
    stored = await people.create_person(tx.connection, tx.actor, content)
    response.headers["ETag"] = etag(stored.version)
    response.headers["Location"] = location("people", stored.id)
    return stored


@router.get("/people", summary="List people / 人员列表", responses=problems(403))
async def list_people(
    tx: Tx,
    text: Annotated[
        str | None, Query(max_length=254, description="Part of the name, or the whole e-mail / 姓名包含，或完整邮箱")
    ] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Page[Person]:
    """People, newest first, e-mail and phone masked (operators and administrators)."""
    before = decode_id(cursor)
    found = await people.list_people(tx.connection, tx.actor, text, before, limit + 1)
    more = encode_cursor(str(found[limit - 1].id)) if len(found) > limit else None
    return Page(items=found[:limit], next=more)


@router.get("/people/{person_id}", summary="Open a person / 查看人员", responses=made(ETAG_HEADER) | problems(403, 404))
async def open_person(tx: Tx, person_id: UUID, response: Response) -> Person:
    """One person with contact data (operators and administrators). Opening them leaves an event."""
    found = await people.open_person(tx.connection, tx.actor, person_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/people/{person_id}",
    summary="Correct a person / 更正人员资料",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def correct_person(
    tx: Tx, person_id: UUID, content: PersonContent, response: Response, if_match: IfMatch = None
) -> Person:
    """Replace a person's name, e-mail and phone (administrators)."""
    changed = await people.correct_person(tx.connection, tx.actor, person_id, if_match, content)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete(
    "/people/{person_id}", status_code=204, summary="Erase a person / 删除人员资料", responses=problems(403, 404)
)
async def erase_person(tx: Tx, person_id: UUID) -> None:
    """Erase a person's data (administrators). Memberships, keys and logins end; events keep the id alone."""
    await people.erase_person(tx.connection, tx.actor, person_id)


@router.get("/people/{person_id}/identities", summary="Logins of a person / 登录账号", responses=problems(403))
async def list_identities(tx: Tx, person_id: UUID) -> list[Identity]:
    """The logins that stand for a person (administrators)."""
    return await people.list_identities(tx.connection, tx.actor, person_id)


@router.post(
    "/people/{person_id}/identities",
    status_code=201,
    summary="Link a login / 关联登录账号",
    responses=problems(403, 404, 409),
)
async def link_identity(tx: Tx, person_id: UUID, request: IdentityRequest) -> Identity:
    """Let a login of an issuer stand for a person (administrators)."""
    return await people.link_identity(tx.connection, tx.actor, person_id, request)


@router.delete(
    "/people/{person_id}/identities/{identity_id}",
    status_code=204,
    summary="Unlink a login / 解除登录账号",
    responses=problems(403, 404),
)
async def unlink_identity(tx: Tx, person_id: UUID, identity_id: UUID) -> None:
    """Let a login stand for nobody any more (administrators)."""
    await people.unlink_identity(tx.connection, tx.actor, person_id, identity_id)


@router.post(
    "/organizations/{organization_id}/members",
    status_code=201,
    summary="Add a member / 添加成员",
    responses=problems(403, 404, 409),
)
async def add_member(tx: Tx, organization_id: UUID, request: MemberRequest) -> Member:
    """Make a person a member of an organization, with roles and scopes that are yours to hand out."""
    return await members.add_member(tx.connection, tx.actor, organization_id, request)


@router.get("/organizations/{organization_id}/members", summary="List members / 成员列表", responses=problems(404))
async def list_members(
    tx: Tx,
    organization_id: UUID,
    ended: Annotated[bool, Query(description="Also ended memberships / 包括已终止的")] = False,
) -> list[Member]:
    """The members of an organization, newest first, e-mail and phone masked."""
    return await members.list_members(tx.connection, tx.actor, organization_id, ended=ended)


@router.put(
    "/organizations/{organization_id}/members/{membership_id}",
    summary="Change a member's roles / 修改成员角色",
    responses=made(ETAG_HEADER) | problems(403, 404, 409, 412, 428),
)
async def change_member(
    tx: Tx,
    organization_id: UUID,
    membership_id: UUID,
    content: MemberContent,
    response: Response,
    if_match: IfMatch = None,
) -> Membership:
    """Replace roles, scopes and end. The member's keys keep no more than this."""
    changed = await members.change_member(tx.connection, tx.actor, organization_id, membership_id, if_match, content)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.delete(
    "/organizations/{organization_id}/members/{membership_id}",
    summary="End a membership / 终止成员关系",
    responses=problems(403, 404),
)
async def end_member(tx: Tx, organization_id: UUID, membership_id: UUID) -> Membership:
    """End a membership and its keys at once; ending twice changes nothing."""
    return await members.end_member(tx.connection, tx.actor, organization_id, membership_id)
