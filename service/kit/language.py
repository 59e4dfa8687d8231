"""Chinese or English, by what the caller asked for."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Language = Literal["zh", "en"]

current_language: ContextVar[Language] = ContextVar("current_language", default="zh")


@dataclass(frozen=True, slots=True)
class Text:
    """One message in both languages.

    >>> Text("标题不能为空", "The title must not be empty").in_("en")
    'The title must not be empty'
    """

    zh: str
    en: str

    def in_(self, language: Language) -> str:
        """The message in `language`."""
        return self.zh if language == "zh" else self.en

    def __str__(self) -> str:
        return self.in_(current_language.get())


def negotiate(accept_language: str | None, default: Language) -> Language:
    """The language that an Accept-Language header prefers (RFC 9110, section 12.5.4) among those spoken here.

    >>> negotiate("fr, en;q=0.7, zh;q=0.6", "zh")
    'en'
    >>> negotiate("zh-CN,zh;q=0.9", "en")
    'zh'
    >>> negotiate(None, "zh")
    'zh'
    """
    best: tuple[float, Language] | None = None
    for part in (accept_language or "").split(","):
        name, _, parameter = part.strip().partition(";")
        primary = name.strip().lower().partition("-")[0]
        if primary != "zh" and primary != "en":
            continue
        quality = _quality(parameter)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, "zh" if primary == "zh" else "en")
    return best[1] if best else default


def _quality(parameter: str) -> float:
    _, _, value = parameter.partition("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0
