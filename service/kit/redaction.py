"""What never reaches the log, whoever wrote the line: keys, tokens, passwords, contact data, and values in errors."""

import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

import asyncpg
import pydantic

WITHHELD = "[withheld]"
# Names under which a value is withheld whole, however it looks.
_NAMES = re.compile(
    r"authorization|password|passwd|secret|token|cookie|credential|api_?key|idempotency|contact|phone|email|body|payload",
    re.IGNORECASE,
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Keys of this service, also where they leaked into a path or a message.
    (re.compile(r"\bdj_[A-Za-z0-9_-]{8,}"), "dj_" + WITHHELD),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s'\",;]+", re.IGNORECASE), rf"\1 {WITHHELD}"),
    # JSON Web Tokens: three parts, the first of which begins as every JSON object does.
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), WITHHELD),
    # Connection strings: the password between the name and the host, or as a parameter.
    (re.compile(r"(\w+://[^\s:/@]*):[^\s/]*@"), rf"\1:{WITHHELD}@"),
    (re.compile(r"\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)[^\s&'\",;]+", re.IGNORECASE), rf"\1\2{WITHHELD}"),
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), WITHHELD),
    # Telephone numbers of mainland China: mobile, and fixed with area code.
    (re.compile(r"(?<![\w.-])(?:\+?86[- ]?)?1[3-9]\d[- ]?\d{4}[- ]?\d{4}(?![\w.-])"), WITHHELD),
    (re.compile(r"(?<![\w.-])0\d{2,3}-\d{7,8}(?![\w.-])"), WITHHELD),
)


def masked(text: str) -> str:
    """A text without what looks like a secret or like contact data.

    >>> masked("postgresql://duijie:pa55@db/duijie"), masked("key dj_abcdefghij")
    ('postgresql://duijie:[withheld]@db/duijie', 'key dj_[withheld]')
    """
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last step before a line is written (a structlog processor)."""
    return {name: _value(name, value) for name, value in event.items()}


def _value(name: str, value: Any) -> Any:
    if value is not None and _NAMES.search(name):
        return WITHHELD
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {str(key): _value(str(key), part) for key, part in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_value("", part) for part in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return masked(str(value))


def describe_exception(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Put an exception into its line as text: all frames of all causes, and messages that quote no value.

    Takes the place of structlog's own step, whose text is str() of the exception: PostgreSQL's detail line holds whole
    rows, and pydantic quotes the input.
    """
    found = event.pop("exc_info", None)
    if isinstance(found, tuple):
        found = found[1]
    elif found is True:
        found = sys.exc_info()[1]
    if isinstance(found, BaseException):
        event["exception"] = "\n".join(_described(found))
    return event


def _described(error: BaseException) -> Iterator[str]:
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None:
        yield from _described(before)
        yield "which led to"
    yield from (line.rstrip("\n") for line in traceback.format_tb(error.__traceback__))
    yield f"{type(error).__module__}.{type(error).__qualname__}: {message_of(error)}"
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _described(part)


_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'|“[^”]*”|\([^()]*\)=\([^()]*\)")


def message_of(error: BaseException) -> str:
    """An exception's message as far as it names no value.

    >>> message_of(ValueError("no such thing"))
    'no such thing'
    """
    if isinstance(error, asyncpg.PostgresError):
        constraint = getattr(error, "constraint_name", None)
        where = f" ({constraint})" if constraint else ""
        return f"{error.sqlstate} {_QUOTED.sub(WITHHELD, str(error.args[0]) if error.args else '')}{where}"
    if isinstance(error, pydantic.ValidationError):
        told = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['type']}" for each in told)
    return str(error)
