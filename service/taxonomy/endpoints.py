"""Code lists over HTTP, readable without a key."""

from fastapi import APIRouter

from service.access.dependencies import OpenRead
from service.access.routes import Route
from service.kit.http import open_problems
from service.taxonomy import service
from service.taxonomy.schemas import Taxonomy

router = APIRouter(tags=["taxonomy"], route_class=Route)


@router.get(
    "/taxonomy", summary="Fields, industries and code lists / 重点方向、行业与代码表", responses=open_problems()
)
async def read_taxonomy(connection: OpenRead) -> Taxonomy:
    """Every code that listings, decisions and contracts use, with labels in Chinese, English and partly Arabic."""
    return Taxonomy(
        fields=await service.list_fields(connection),
        industries=await service.list_industries(connection),
        codes=await service.list_codes(connection),
    )
