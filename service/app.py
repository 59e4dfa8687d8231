"""create_app(): the HTTP application, with everything that it holds opened at start and closed at the end."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse

from service import __version__, health
from service.access.issuer import issuer_of
from service.api import router
from service.docs_page import add_docs_page
from service.errors import (
    Conflict,
    NotFound,
    ServiceError,
    Unavailable,
    Unreadable,
    UnsupportedMedia,
    ValidationProblem,
)
from service.kit.http import RATE_HEADERS, REPLAYED_HEADER, RETRY_HEADER, Problem
from service.kit.language import Text
from service.kit.security_headers import SecurityHeaders
from service.kit.throttle import LIMITED, Throttle
from service.kit.validation import problems_of
from service.kit.web import Manners, problem_response
from service.resources import Resources, open_resources
from service.settings import Settings, get_settings

log = structlog.get_logger("duijie")

DESCRIPTION = """
Matchmaking for technology markets: enterprises post needs (需求), universities list outcomes (成果), brokers
(技术经理人) review the ranked, explained pairs.

面向技术市场的供需对接服务：企业发布需求，高校院所发布成果，技术经理人审阅带有理由的推荐。

- **Language / 语言**: messages follow `Accept-Language` (`zh` or `en`).
- **Keys / 密钥**: `Authorization: Bearer dj_…`.
- **Errors / 错误**: `application/problem+json` (RFC 9457); each wrong field is named.
- **Changes / 修改**: send the `ETag` that you read as `If-Match`.
- **Retries / 重试**: send an `Idempotency-Key` with a POST; the same key and content have one effect and one answer.
- **Limits / 限流**: `RateLimit` says what is left; 429 says in `Retry-After` when to try again.
- **Pages / 分页**: pass `next` of a page as `cursor`.
"""

CORS_REQUEST_HEADERS = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-Id"]
CORS_ANSWER_HEADERS = [
    "Content-Disposition", "ETag", "Idempotency-Replayed", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id",
]  # fmt: skip

ResourceOpener = Callable[[Settings], AbstractAsyncContextManager[Resources]]


def create_app(settings: Settings | None = None, opener: ResourceOpener = open_resources) -> FastAPI:
    """The application. `opener` opens what it holds; tests hand in their own database and encoder."""
    chosen = settings or get_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opener(chosen) as resources:
            app.state.resources = resources
            yield

    # Brings the scripts of the documentation page, which has a route of its own for its policy's sake.
    app = FastAPIOffline(
        title="Duijie 对接",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        docs_url=None,
        redoc_url=None,
    )
    app.openapi_version = "3.1.0"
    app.state.settings = chosen
    app.state.issuer = issuer_of(chosen)
    app.include_router(router)
    app.include_router(health.router)
    add_docs_page(app)
    # The last one added is the outermost: headers, then who may call from a browser, then manners, then limits.
    app.add_middleware(Throttle, settings=chosen)
    app.add_middleware(Manners, settings=chosen)
    if chosen.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=chosen.allowed_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=CORS_REQUEST_HEADERS,
            expose_headers=CORS_ANSWER_HEADERS,
            max_age=600,
        )
    app.add_middleware(SecurityHeaders)
    app.add_exception_handler(ServiceError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(asyncpg.QueryCanceledError, _too_slow)
    app.add_exception_handler(asyncpg.DeadlockDetectedError, _collided)
    app.add_exception_handler(asyncpg.SerializationError, _collided)
    app.add_exception_handler(asyncpg.DataError, _unstorable)
    app.add_exception_handler(asyncpg.CharacterNotInRepertoireError, _unstorable)
    app.add_exception_handler(asyncpg.InterfaceError, _no_database)
    app.add_exception_handler(OSError, _no_database)
    app.openapi = lambda: openapi_document(app)  # type: ignore[method-assign]
    return app


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document, with the problem schema that every error answer refers to."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        openapi_version=app.openapi_version,
        description=app.description,
        routes=app.routes,
        license_info=app.license_info,
    )
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas = document["components"]["schemas"]
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    # FastAPI declares its own shape of validation error, which this service never answers with.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    _declare_headers(document["paths"])
    app.openapi_schema = document
    return document


def _declare_headers(paths: dict[str, Any]) -> None:
    """Name the headers that layers around the endpoints add, so that the document tells of them too."""
    operations = [
        (method, operation)
        for path, item in paths.items()
        if path.startswith(LIMITED)
        for method, operation in item.items()
    ]
    for method, operation in operations:
        for status, answer in operation["responses"].items():
            headers = answer.setdefault("headers", {})
            headers |= RATE_HEADERS | (RETRY_HEADER if status == "429" else {})
            if method == "post" and status < "300" and not operation.get("x-duijie-reads"):
                headers |= REPLAYED_HEADER


def _answer(request: Request, error: ServiceError) -> JSONResponse:
    return problem_response(error, request.state.language, request.state.request_id)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    return _answer(request, error)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(entry["type"] == "json_invalid" for entry in found):
        return _answer(request, Unreadable(Text("请求体不是有效的 JSON", "The body is not valid JSON")))
    return _answer(request, ValidationProblem(problems_of(found, skip=1)))


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    refusals: dict[int, ServiceError] = {
        404: NotFound(Text("没有这个地址，接口文档见 /docs", "There is no such address; see /docs")),
        400: Unreadable(Text("请求体无法解析", "The body cannot be parsed")),
        415: UnsupportedMedia(),
    }
    refusal = refusals.get(error.status_code)
    if refusal is None:
        refusal = ServiceError(
            Text("该地址不支持这种请求，接口文档见 /docs", "This address does not take such a request; see /docs")
        )
        refusal.status = error.status_code
        refusal.code = "method_not_allowed" if error.status_code == 405 else "http"
        refusal.title = Text("不支持的请求方法", "Method not allowed") if error.status_code == 405 else refusal.title
    refusal.headers.update(error.headers or {})
    return _answer(request, refusal)


async def _too_slow(request: Request, error: Exception) -> JSONResponse:
    log.warning("statement cancelled", error=str(error))
    return _answer(
        request, Unavailable(Text("查询超时，请缩小范围后重试", "The query took too long: narrow it and try again"))
    )


async def _collided(request: Request, error: Exception) -> JSONResponse:
    log.warning("transactions collided", error=str(error))
    return _answer(request, Conflict(Text("与同时进行的操作冲突，请重试", "Collided with another request: try again")))


async def _unstorable(request: Request, error: Exception) -> JSONResponse:
    log.info("value refused by the database", error=type(error).__name__)
    return _answer(
        request, Unreadable(Text("内容含有无法存储的字符或数值", "A character or number that cannot be stored"))
    )


async def _no_database(request: Request, error: Exception) -> JSONResponse:
    log.error("database out of reach", error=repr(error))
    return _answer(request, Unavailable(Text("数据库暂时无法连接", "The database is out of reach right now")))
