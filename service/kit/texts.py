"""Texts as people type them: trimmed, normalized line ends, and nothing that a database refuses."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SPACE_RUN = re.compile(r"\s+")


def clean_text(text: str) -> str:
    r"""A text of several lines: control characters out, line ends as \n, no trailing spaces, NFC.

    >>> clean_text(" 耐温\u0000≥300℃ \r\n寿命 ")
    '耐温≥300℃\n寿命'
    """
    text = _CONTROL.sub("", unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n"))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def clean_line(text: str) -> str:
    r"""A text of one line: as `clean_text`, and every run of white space one space.

    >>> clean_line("  枸杞\n 烘干 ")
    '枸杞 烘干'
    """
    return _SPACE_RUN.sub(" ", clean_text(text)).strip()


RegionCode = Annotated[str, StringConstraints(pattern=r"^\d{6}$")]
ExternalId = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=1, max_length=200)]
OptionalUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s<>\"]{3,500}$")]
