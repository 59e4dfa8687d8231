"""Who the caller is, and what is kept of the person behind a key or login, over HTTP."""

from fastapi import APIRouter, Response

from service.access import people, service
from service.access.dependencies import Tx
from service.access.people_schemas import Myself, Person, PersonalExport, PersonContent
from service.access.routes import Route
from service.access.schemas import Caller
from service.kit.etag import etag
from service.kit.http import ETAG_HEADER, IfMatch, made, problems

router = APIRouter(tags=["me"], route_class=Route)


@router.get("/me", summary="Who am I / 当前身份", responses=problems())
async def me(tx: Tx) -> Caller:
    """The organization, roles and scopes of the key or login that you sent."""
    identifier = tx.actor.organization_id
    return Caller(
        key_id=tx.actor.key_id,
        person_id=tx.actor.person_id,
        roles=sorted(tx.actor.roles),
        scopes=sorted(tx.actor.scopes),
        organization=await service.get_organization(tx.connection, identifier) if identifier else None,
    )


@router.get("/people/me", summary="My own data / 我的资料", responses=made(ETAG_HEADER) | problems(404))
async def read_myself(tx: Tx, response: Response) -> Myself:
    """Your own record with your memberships."""
    found = await people.read_myself(tx.connection, tx.actor)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/people/me",
    summary="Correct my own data / 更正我的资料",
    responses=made(ETAG_HEADER) | problems(404, 409, 412, 428),
)
async def correct_myself(tx: Tx, content: PersonContent, response: Response, if_match: IfMatch = None) -> Person:
    """Replace your name, e-mail and phone."""
    changed = await people.correct_person(tx.connection, tx.actor, people.own_id(tx.actor), if_match, content)
    response.headers["ETag"] = etag(changed.version)
    return changed


@router.get("/people/me/export", summary="Export my own data / 导出我的资料", responses=problems(404))
async def export_myself(tx: Tx, response: Response) -> PersonalExport:
    """Everything that is kept of you, as one JSON document."""
    response.headers["Content-Disposition"] = 'attachment; filename="duijie-personal-data.json"'
    return await people.export_myself(tx.connection, tx.actor)


@router.delete("/people/me", status_code=204, summary="Erase my own data / 删除我的资料", responses=problems(404))
async def erase_myself(tx: Tx) -> None:
    """Erase your data; your memberships, keys and logins end with it."""
    await people.erase_person(tx.connection, tx.actor, people.own_id(tx.actor))
