"""Keyset pages: a page names where the next one begins, so that rows added meanwhile shift nothing."""

import base64
import binascii
from typing import Generic, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, Field

from service.errors import FieldProblem, ValidationProblem
from service.kit.language import Text

Item = TypeVar("Item")

DEFAULT_LIMIT = 20
MAX_LIMIT = 100


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(
        default=None,
        description="Pass as `cursor` for the next page; null on the last. / 下一页的 cursor，末页为 null。",
    )


def encode_cursor(*position: str | float) -> str:
    """An opaque cursor from the sort values of a page's last row."""
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def decode_cursor(cursor: str | None, *types: type) -> tuple[object, ...] | None:
    """The sort values in a cursor, each of the type named.

    Raises:
        ValidationProblem: the cursor was not made by `encode_cursor` for this list.
    """
    if cursor is None:
        return None
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(types):
            raise ValueError
        return tuple(_read(value, kind) for value, kind in zip(values, types, strict=True))
    except (ValueError, TypeError, binascii.Error) as error:
        problem = Text(
            "游标无效：请使用上一页返回的 next，不要自行修改",
            "Not a cursor of this list: pass `next` of the page before",
        )
        raise ValidationProblem([FieldProblem("cursor", "cursor", problem)]) from error


def decode_id(cursor: str | None) -> UUID | None:
    """The id that a page ended with, of a list that goes by ids alone. Raises as `decode_cursor`."""
    position = decode_cursor(cursor, UUID)
    return UUID(str(position[0])) if position else None


def _read(value: object, kind: type) -> object:
    if kind is UUID:
        return UUID(str(value))
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    raise ValueError(value)
