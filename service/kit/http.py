"""What endpoints declare alike: error answers in the OpenAPI document, headers, bounds of pages."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query
from pydantic import BaseModel, Field

from service.kit.pages import DEFAULT_LIMIT, MAX_LIMIT


class ProblemField(BaseModel):
    """One field that breaks a rule."""

    field: str = Field(examples=["title"])
    rule: str = Field(examples=["string_too_long"])
    message: str = Field(examples=["最多 200 个字符"])


class Problem(BaseModel):
    """An error as of RFC 9457, in the language of Accept-Language. / 错误信息，语言随 Accept-Language。"""

    type: str = Field(examples=["urn:duijie:problem:invalid"])
    title: str = Field(examples=["提交的内容不符合要求"])
    status: int = Field(examples=[422])
    code: str = Field(examples=["invalid"])
    request_id: str
    detail: str | None = None
    errors: list[ProblemField] | None = None


DESCRIPTIONS = {
    400: "The request cannot be read. / 请求无法读取。",
    401: "No valid API key or token. / 缺少有效密钥或令牌。",
    403: "You may know of this, but not do it; or the key lacks the scope. / 没有权限，或密钥缺少所需的权限范围。",
    404: "Nothing there that you may see. / 不存在或无权查看。",
    409: "Out of turn, or in conflict with what is there. / 状态不允许或与已有记录冲突。",
    412: "Changed by somebody else meanwhile. / 内容已被他人修改。",
    413: "Too large. / 内容过大。",
    415: "Unsupported content type. / 不支持的内容类型。",
    422: "The input breaks a rule; each field is named. / 内容不符合要求，逐项列出。",
    428: "If-Match is needed. / 需要 If-Match。",
    429: "Too many requests; Retry-After says when to try again. / 请求过于频繁，请按 Retry-After 重试。",
    503: "Not available right now; try again. / 暂不可用，请稍后重试。",
}


Responses = dict[int | str, dict[str, Any]]


def made(*headers: dict[str, Any], status: int = 200) -> Responses:
    """A success with headers, for an endpoint's OpenAPI declaration."""
    return {status: {"headers": {name: value for each in headers for name, value in each.items()}}}


def problems(*statuses: int) -> Responses:
    """The error answers of an endpoint, for its OpenAPI declaration."""
    schema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        status: {"description": DESCRIPTIONS[status], "content": {"application/problem+json": schema}}
        for status in sorted({*statuses, 400, 401, 403, 422, 429, 503})
    }


def open_problems(*statuses: int) -> Responses:
    """As `problems`, for an endpoint that needs no key."""
    declared = problems(*statuses)
    for status in {401, 403, 503} - set(statuses):
        del declared[status]
    return declared


IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="ETag of the version that you saw; needed for a PUT (428), checked where sent for a step (412) "
        "/ 所见版本的 ETag：PUT 必填（缺少时 428），流程动作可选（不符时 412）",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page / 每页条数")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before / 上一页返回的 next")]
LIMIT = DEFAULT_LIMIT

ETAG_HEADER = {"ETag": {"description": "Version for If-Match / 版本标识", "schema": {"type": "string"}}}
LOCATION_HEADER = {
    "Location": {"description": "Address of what was made / 新建对象的地址", "schema": {"type": "string"}}
}


RATE_HEADERS = {
    "RateLimit": {"description": "What is left of each rate / 剩余额度", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "The rates that hold / 限流规则", "schema": {"type": "string"}},
}
REPLAYED_HEADER = {
    "Idempotency-Replayed": {
        "description": "`true` where the answer is a stored one / 重放的应答", "schema": {"type": "string"},
    }
}  # fmt: skip
RETRY_HEADER = {"Retry-After": {"description": "Seconds to wait / 等待秒数", "schema": {"type": "string"}}}


def location(kind: str, identifier: UUID) -> str:
    """Path of an object."""
    return f"/v1/{kind}/{identifier}"
