"""Whether the process lives, whether it can work, and its figures."""

from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel

from service.errors import Unavailable
from service.kit import queue
from service.kit.http import DESCRIPTIONS
from service.kit.language import Text
from service.kit.web import REGISTRY

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(Health):
    """The process can work."""

    encoder: Literal["loading", "ready", "failed"]
    jobs_waiting: int


@router.get("/healthz", summary="Liveness / 存活检查")
async def healthz() -> Health:
    """The process answers; nothing else is asked."""
    return Health()


@router.get("/readyz", summary="Readiness / 就绪检查", responses={503: {"description": DESCRIPTIONS[503]}})
async def readyz(request: Request) -> Readiness:
    """Whether the database answers and the encoder is there; 503 while not."""
    resources = request.app.state.resources
    try:
        async with resources.pool.acquire(timeout=2) as connection:
            waiting = await queue.waiting(connection)
    except Exception as error:
        raise Unavailable(Text("数据库暂时无法连接", "The database is out of reach right now")) from error
    state = resources.encoder_state()
    if state != "ready":
        raise Unavailable(Text(f"编码模型未就绪：{state}", f"The encoder is not ready: {state}"))
    return Readiness(encoder=state, jobs_waiting=waiting)


@router.get("/metrics", summary="Prometheus metrics / 运行指标", response_class=Response)
async def metrics() -> Response:
    """Counters and times of this process, in the Prometheus text format."""
    return Response(generate_latest(REGISTRY), media_type=CONTENT_TYPE_LATEST)
