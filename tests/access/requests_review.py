"""Queries and bodies of the review queue and of brokers."""

from typing import Any
from uuid import UUID

from tests.access.market import NOBODY, Market

PROFILE = {"name": "演示技术经理人", "fields": ["goji"], "languages": ["zh", "en"]}


def _one(market: Market, kind: str, state: str, house: str = "A") -> UUID:
    return next(each.id for each in market.subjects if (each.kind, each.state, each.house) == (kind, state, house))


def _need(market: Market, variant: str) -> str:
    states = {"draft": "draft"}
    return str(NOBODY if variant == "missing" else _one(market, "need", states.get(variant, "submitted")))


def review_query(market: Market, path: str, variant: str) -> list[tuple[str, str]] | None:
    """The query of a cell; None for what is not of these rooms."""
    if path == "/v1/brokers/suggestions":
        return [("limit", "0")] if variant == "broken" else [("need_id", _need(market, variant))]
    if path.startswith(("/v1/review/", "/v1/brokers/")):
        return []
    return None


def review_body(market: Market, operation: str, variant: str) -> Any:
    """The body of a cell; None for what is not of these rooms."""
    if variant == "broken":
        return None
    match operation:
        case "POST /v1/review/leases":
            return {"limit": 5}
        case "POST /v1/review/decisions":
            pair = _one(market, "recommendation", "declined" if variant == "decided" else "proposed")
            return {"decisions": [{"recommendation_id": str(pair), "action": "accept"}]}
        case "PUT /v1/brokers/me":
            return PROFILE
        case "POST /v1/brokers/assignments":
            return {"need_id": _need(market, variant), "broker_id": str(market.brokers["T"])}
        case _:
            return None
