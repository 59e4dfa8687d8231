"""The class of every route under /v1: where the answer meets the transaction that it tells of."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.access.dependencies import open_later, open_now
from service.kit import idempotency

# Declared by a POST that only asks: nothing is created, so nothing has to be kept from happening twice.
READS: Final = {"x-duijie-reads": True}
SHOWN_ONCE: Final = "x-shown-once"


async def _idempotency_header(
    idempotency_key: Annotated[
        str | None,
        Header(
            alias=idempotency.HEADER,
            description="Repeat a request safely: the same key and content give the first answer again for 24 hours, "
            f"with `{idempotency.REPLAYED}: true`; a refused request is not kept. "
            "/ 安全重试：24 小时内，同一密钥和内容返回首次的应答；被拒绝的请求不保留",
        ),
    ] = None,
) -> None:
    """Declares the header; it is read where the transaction begins."""


class Route(APIRoute):
    """A route whose POST takes an Idempotency-Key, unless it declares that it only reads.

    The handler's response is complete while the request's transaction is still open (FastAPI closes dependencies of
    function scope after the handler), which is the one place where the answer can go in with its effect.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.acts = "POST" in (options.get("methods") or ()) and not (options.get("openapi_extra") or {}).get(
            "x-duijie-reads"
        )
        if self.acts:
            given = [each for each in options.get("dependencies") or () if each.dependency is not _idempotency_header]
            options["dependencies"] = [*given, Depends(_idempotency_header)]
        super().__init__(path, endpoint, **options)
        if self.acts and not _opens_transaction(self.dependant):
            raise TypeError(f"POST {path} takes its transaction neither as Tx nor as LateTx, so that no key could hold")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's handler, with the stored answer before it and the storing behind it."""
        handler = super().get_route_handler()
        if not self.acts:
            return handler
        hidden = shown_once(self.response_model)

        async def answer(request: Request) -> Response:
            request.state.acts = True
            try:
                response = await handler(request)
            except idempotency.Replay as stored:
                return stored.response
            claim = getattr(request.state, "claim", None)
            if claim is not None:
                await idempotency.keep(claim, response, hidden)
            return response

        return answer


def shown_once(model: Any) -> frozenset[str]:
    """The fields of an answer that are never stored, by their declaration."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return frozenset()
    fields = model.model_fields.items()
    return frozenset(
        n for n, f in fields if isinstance(f.json_schema_extra, dict) and f.json_schema_extra.get(SHOWN_ONCE)
    )


def _opens_transaction(dependant: Dependant) -> bool:
    return any(each.call in (open_now, open_later) or _opens_transaction(each) for each in dependant.dependencies)
