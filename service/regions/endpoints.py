"""Regions over HTTP, readable without a key."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from service.access.dependencies import OpenRead
from service.access.routes import Route
from service.kit.http import open_problems
from service.kit.texts import RegionCode
from service.regions import service
from service.regions.schemas import PartnerPair, Region, RegionClass

router = APIRouter(tags=["taxonomy"], route_class=Route)


@router.get("/regions", summary="Administrative divisions / 行政区划", responses=open_problems())
async def list_regions(
    connection: OpenRead,
    parent: RegionCode | None = None,
    level: Literal["province", "prefecture", "county"] | None = None,
    region_class: Annotated[RegionClass | None, Query(alias="class", description="东部、中部、西部、东北")] = None,
) -> list[Region]:
    """Divisions of GB/T 2260 with their east–west class."""
    return await service.list_regions(connection, parent, level, region_class)


@router.get("/partner-pairs", summary="Partner regions / 结对关系", responses=open_problems())
async def list_pairs(connection: OpenRead) -> list[PartnerPair]:
    """Provinces and cities that cooperate under a programme such as 闽宁协作."""
    return await service.list_pairs(connection)
