"""Every refusal of the service is a `ServiceError`, and becomes problem+json (RFC 9457) in the caller's language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.kit.language import Language, Text


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: where, which rule, and what to do."""

    field: str
    rule: str
    message: Text


class ServiceError(Exception):
    """A refusal with an HTTP status, a stable code, and a title and detail in both languages."""

    status = 500
    code = "internal"
    title = Text("服务内部错误", "Internal error")

    def __init__(
        self,
        detail: Text | None = None,
        *,
        problems: Sequence[FieldProblem] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        self.detail = detail
        self.problems = tuple(problems)
        self.headers = headers or {}
        super().__init__((detail or self.title).en)

    def as_problem(self, language: Language, request_id: str) -> dict[str, Any]:
        """The body of the answer."""
        body: dict[str, Any] = {
            "type": f"urn:duijie:problem:{self.code}",
            "title": self.title.in_(language),
            "status": self.status,
            "code": self.code,
            "request_id": request_id,
        }
        if self.detail is not None:
            body["detail"] = self.detail.in_(language)
        if self.problems:
            body["errors"] = [
                {"field": problem.field, "rule": problem.rule, "message": problem.message.in_(language)}
                for problem in self.problems
            ]
        return body


class ValidationProblem(ServiceError):
    """Input that breaks a rule; each field is named."""

    status = 422
    code = "invalid"
    title = Text("提交的内容不符合要求", "The input breaks a rule")

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        count = len(problems)
        super().__init__(Text(f"共 {count} 处需要修改", f"{count} to correct"), problems=problems)


class Unreadable(ServiceError):
    """A body that cannot be read at all."""

    status = 400
    code = "unreadable"
    title = Text("无法读取请求内容", "The request cannot be read")


class Unauthenticated(ServiceError):
    """No key or token, or one that is unknown, expired or revoked."""

    status = 401
    code = "unauthenticated"
    title = Text("需要有效的 API 密钥", "A valid API key is needed")

    def __init__(self, detail: Text, *, challenge: str | None = None) -> None:
        """`challenge` adds to what the answer asks for, such as `error="invalid_token"` (RFC 6750, section 3)."""
        asked = 'Bearer realm="duijie"' + (f", {challenge}" if challenge else "")
        super().__init__(detail, headers={"WWW-Authenticate": asked})


class Forbidden(ServiceError):
    """The caller may know of the object, but not do this."""

    status = 403
    code = "forbidden"
    title = Text("没有权限执行此操作", "Not permitted")


class NotFound(ServiceError):
    """Nothing there that the caller may know of."""

    status = 404
    code = "not_found"
    title = Text("未找到", "Not found")


class OutOfTurn(ServiceError):
    """The object's state does not allow the action."""

    status = 409
    code = "out_of_turn"
    title = Text("当前状态不允许此操作", "The present state does not allow this")


class Conflict(ServiceError):
    """Another row already holds what must be unique."""

    status = 409
    code = "conflict"
    title = Text("与已有记录冲突", "Conflicts with what is there")


class PreconditionFailed(ServiceError):
    """If-Match named an older version."""

    status = 412
    code = "changed_meanwhile"
    title = Text("内容已被他人修改", "Changed by somebody else meanwhile")

    def __init__(self, current: str) -> None:
        super().__init__(
            Text(
                f"当前版本为 {current}：请重新读取后再提交修改",
                f"The present version is {current}: read again, then change",
            ),
            headers={"ETag": current},
        )


class PreconditionRequired(ServiceError):
    """A change without If-Match."""

    status = 428
    code = "if_match_required"
    title = Text("修改时必须携带 If-Match", "A change needs If-Match")

    def __init__(self, current: str) -> None:
        super().__init__(
            Text(
                "请先读取，并把响应的 ETag 放入 If-Match 请求头", "Read first, and send the answer's ETag as If-Match"
            ),
            headers={"ETag": current},
        )


class TooLarge(ServiceError):
    """More bytes than are taken."""

    status = 413
    code = "too_large"
    title = Text("请求内容过大", "The request is too large")


class UnsupportedMedia(ServiceError):
    """A content type or file type that is not read here."""

    status = 415
    code = "unsupported_media"
    title = Text("不支持的内容类型", "Unsupported content type")


class Unavailable(ServiceError):
    """Something the answer needs is not there right now; trying again helps."""

    status = 503
    code = "unavailable"
    title = Text("服务暂不可用", "Not available right now")

    def __init__(self, detail: Text, *, retry_after_seconds: int = 5) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after_seconds)})
