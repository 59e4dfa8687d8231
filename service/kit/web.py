"""Manners of every answer: a request id, a language, a bound on the body, one log line, metrics."""

import re
import time
import uuid
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import ServiceError, TooLarge
from service.kit.language import Language, Text, current_language, negotiate
from service.settings import Settings

log = structlog.get_logger("duijie.http")

REGISTRY: Final = CollectorRegistry()
REQUESTS = Counter(
    "duijie_http_requests_total",
    "Answers by method, route and status",
    ["method", "route", "status"],
    registry=REGISTRY,
)
SECONDS = Histogram(
    "duijie_http_request_seconds",
    "Time to answer by method and route",
    ["method", "route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=REGISTRY,
)
UPLOADS = "/v1/imports"
# What a form has around its one file: boundaries, headers of its parts, a word to the file.
FORM_BYTES = 64 * 1024
# What a caller sends as X-Request-Id ends up in logs and events: short, and nothing that breaks a line.
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


def problem_response(error: ServiceError, language: Language, request_id: str) -> JSONResponse:
    """A refusal as problem+json."""
    return JSONResponse(
        error.as_problem(language, request_id),
        status_code=error.status,
        headers={"Content-Language": "zh-CN" if language == "zh" else "en", **error.headers},
        media_type="application/problem+json",
    )


class Manners:
    """The outermost layer. Sets `request_id` and `language` on the request's state for everything within."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent_id = headers.get("x-request-id", "")
        request_id = sent_id if REQUEST_ID.match(sent_id) else uuid.uuid4().hex
        language = negotiate(headers.get("accept-language"), self.settings.language)
        scope.setdefault("state", {}).update(request_id=request_id, language=language)
        token = current_language.set(language)
        answer = _Answer(send, request_id)
        body = _Body(receive, self._limit(scope["path"]))
        begun = time.perf_counter()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            if _announced(headers) > body.limit:
                await problem_response(_too_large(body.limit), language, request_id)(scope, receive, answer.send)
                return

            async def send_unless_exceeded(message: Message) -> None:
                # What the application makes of half a body is not the answer.
                if not body.exceeded:
                    await answer.send(message)

            try:
                await self.app(scope, body.receive, send_unless_exceeded)
            except ClientDisconnect:
                if not body.exceeded:
                    answer.status = answer.status or 499
            except Exception as error:
                # Its text is for the log: it may quote data that the caller must not see. Answered here and not by the
                # framework's outermost layer, so that this answer has the manners of all others.
                log.error("unexpected", exc_info=error)
                if not answer.status:
                    await problem_response(ServiceError(), language, request_id)(scope, receive, answer.send)
                raise
            if body.exceeded and not answer.status:
                await problem_response(_too_large(body.limit), language, request_id)(scope, receive, answer.send)
        finally:
            self._account(scope, answer.status or 500, time.perf_counter() - begun)
            structlog.contextvars.unbind_contextvars("request_id")
            current_language.reset(token)

    def _limit(self, path: str) -> int:
        path = path.rstrip("/")
        if path == UPLOADS:
            return self.settings.max_upload_bytes
        if path.startswith("/v1/cases/") and path.endswith("/attachments"):
            return self.settings.case_attachment_bytes + FORM_BYTES
        return self.settings.max_body_bytes

    def _account(self, scope: Scope, status: int, seconds: float) -> None:
        # The route's pattern, never the path: a path holds ids, and would make a metric of each.
        route = getattr(scope.get("route"), "path", "unmatched")
        REQUESTS.labels(scope["method"], route, status).inc()
        SECONDS.labels(scope["method"], route).observe(seconds)
        actor = scope["state"].get("actor")
        log.info(
            "answered",
            method=scope["method"],
            path=scope["path"],
            status=status,
            ms=round(seconds * 1000, 1),
            key=str(actor.key_id) if actor else None,
        )


class _Answer:
    """Adds the headers that every answer carries, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            headers.setdefault("Cache-Control", "no-store")
            headers.add_vary_header("Accept-Language")
        await self._send(message)


class _Body:
    """Counts a body as it comes, since its announced length may be missing or untrue."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self.limit = limit
        self._size = 0
        self.exceeded = False

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._size += len(message.get("body", b""))
            if self._size > self.limit:
                self.exceeded = True
                return {"type": "http.disconnect"}
        return message


def _announced(headers: Headers) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isdigit() else 0


def _too_large(limit: int) -> TooLarge:
    return TooLarge(Text(f"请求内容不得超过 {limit} 字节", f"At most {limit} bytes are taken"))
