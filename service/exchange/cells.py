"""From a cell to a value and back. What is written is read again as the same value."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from service.exchange.columns import Cell, Column
from service.kit.language import Text

# Codes by label, and labels by code, of each list; labels are folded.
CodesByLabel = Mapping[str, Mapping[str, str]]


LISTS = frozenset({Cell.LINES, Cell.WORDS, Cell.CODES, Cell.RIGHTS})


class CellError(ValueError):
    """A cell cannot be read: the rule that it breaks, and what would be right."""

    def __init__(self, rule: str, message: Text) -> None:
        self.rule = rule
        self.message = message
        super().__init__(message.en)


def fold(text: str) -> str:
    """Text as labels are compared: one width, one case, no spaces."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def as_text(cell: object) -> str:
    """A cell's content as text; whole numbers lose the decimals that spreadsheets give them.

    >>> as_text(640100.0), as_text(" 枸杞 "), as_text(None)
    ('640100', ' 枸杞 ', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def read(cell: object, column: Column, codes: CodesByLabel) -> Any:
    """The JSON value of a cell, or None for an empty one.

    Raises:
        CellError: the cell is not of the column's kind.
    """
    if isinstance(cell, list):
        return _read_list(cell, column, codes)
    if isinstance(cell, dict):
        raise CellError("no_object", Text("应为文字、数字或列表", "Must be a text, a number or a list"))
    text = as_text(cell)
    if not text.strip():
        return None
    match column.cell:
        case Cell.LINES:
            return split_lines(text)
        case Cell.WORDS:
            return split_words(text)
        case Cell.CODE:
            return _code(text, column.codes, codes)
        case Cell.CODES:
            return [_code(word, column.codes, codes) for word in split_words(text)]
        case Cell.TRL:
            return _trl(text)
        case Cell.MONEY:
            return _money(text)
        case Cell.BOOLEAN:
            return _boolean(text)
        case Cell.DATE:
            return _date(cell, text)
        case Cell.RIGHTS:
            return _rights(text, codes)
        case Cell.TEXT:
            return text


def _read_list(cell: list[Any], column: Column, codes: CodesByLabel) -> Any:
    """JSON Lines may give lists as lists: of words, and for rights of objects that hold words."""
    if not all(_is_flat(entry, within=2 if column.cell is Cell.RIGHTS else 1) for entry in cell):
        raise CellError("nested", Text("列表中不能再嵌套列表或对象", "A list may not hold lists or objects"))
    if column.cell not in LISTS:
        raise CellError("no_list", Text("应为文字或数字，而不是列表", "Must be a text or a number, not a list"))
    if column.cell is Cell.CODES:
        return [_code(str(word), column.codes, codes) for word in cell]
    return cell


def _is_flat(value: Any, *, within: int) -> bool:
    """Whether a value nests no deeper than it should; looked at from outside, so that depth costs nothing."""
    if isinstance(value, dict):
        return within > 1 and all(_is_flat(part, within=within - 1) for part in value.values())
    return not isinstance(value, list)


def write(value: Any, column: Column) -> str:
    """A value as the text of a cell; `read` gives the same value back."""
    if value is None or value == []:
        return ""
    match column.cell:
        case Cell.LINES:
            return join_lines(value)
        case Cell.WORDS | Cell.CODES:
            return join_lines(value)
        case Cell.BOOLEAN:
            return "true" if value else "false"
        case Cell.RIGHTS:
            return "\n".join(_write_right(right) for right in value) + "\n"
        case _:
            return str(value)


_BETWEEN_LINES = re.compile(r"[；;|\n]")
_BETWEEN_WORDS = re.compile(r"[；;|\n、，,]")


def split_lines(text: str) -> list[str]:
    """Entries of a cell: by line where it has lines, else by semicolons and bars."""
    return _split(text, _BETWEEN_LINES)


def split_words(text: str) -> list[str]:
    """Words of a cell: by line where it has lines, else by any of the usual separators."""
    return _split(text, _BETWEEN_WORDS)


def _split(text: str, separators: re.Pattern[str]) -> list[str]:
    parts = text.split("\n") if "\n" in text else separators.split(text)
    return [part.strip() for part in parts if part.strip()]


def join_lines(values: list[str]) -> str:
    """One entry a line. A single entry that holds a separator ends with a line break, so that it is not split.

    >>> join_lines(["a；b"]), split_lines(join_lines(["a；b"]))
    ('a；b\\n', ['a；b'])
    """
    text = "\n".join(str(value) for value in values)
    return text + "\n" if len(values) == 1 and _BETWEEN_WORDS.search(text) else text


def _code(text: str, name: str, codes: CodesByLabel) -> str:
    word = text.strip()
    known = codes.get(name, {})
    found = known.get(fold(word))
    if found is None:
        some = "、".join(list(dict.fromkeys(known.values()))[:12])
        raise CellError(
            f"known_{name}",
            Text(
                f"“{word}”不在代码表中，可用代码或名称，例如 {some}",
                f"“{word}” is no code or label; for example {some}",
            ),
        )
    return found


_TRL = re.compile(r"^(?:trl)?[\s\-]*([1-9])(?:级|\.0)?$", re.IGNORECASE)


def _trl(text: str) -> int:
    found = _TRL.match(unicodedata.normalize("NFKC", text).strip())
    if not found:
        raise CellError(
            "trl", Text("应为 1 至 9 的技术成熟度，例如 6 或 TRL6", "Must be a TRL from 1 to 9, such as 6 or TRL6")
        )
    return int(found.group(1))


_MONEY = re.compile(r"^[¥￥]?([0-9][0-9,]*(?:\.[0-9]+)?)(万|亿|千)?元?(?:人民币)?$")
_UNITS = {"千": Decimal(1_000), "万": Decimal(10_000), "亿": Decimal(100_000_000), None: Decimal(1)}


def _money(text: str) -> str:
    found = _MONEY.match(fold(text))
    if not found:
        raise CellError("money", Text("应为金额，例如 800000 或 80万元", "Must be an amount, such as 800000 or 80万元"))
    try:
        amount = Decimal(found.group(1).replace(",", "")) * _UNITS[found.group(2)]
    except InvalidOperation as error:
        raise CellError("money", Text("金额无法识别", "Not an amount")) from error
    return f"{amount:f}"


_YES = {"true", "是", "yes", "y", "1", "√", "有"}
_NO = {"false", "否", "no", "n", "0", "×", "无"}


def _boolean(text: str) -> bool:
    word = fold(text)
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise CellError("boolean", Text("应为 是 或 否", "Must be yes or no"))


_DATE = re.compile(r"^(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:00:00:00)?$")


def _date(cell: object, text: str) -> str:
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    found = _DATE.match(fold(text))
    try:
        if found:
            return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        pass
    raise CellError("date", Text("应为日期，例如 2027-06-30", "Must be a date, such as 2027-06-30"))


@dataclass(frozen=True, slots=True)
class _Part:
    name: str
    list: str


_PARTS = (_Part("kind", "ip_kinds"), _Part("number", ""), _Part("title", ""), _Part("status", "ip_statuses"))


def _rights(text: str, codes: CodesByLabel) -> list[dict[str, str | None]]:
    return [_right(line, codes) for line in text.split("\n") if line.strip()]


def _right(line: str, codes: CodesByLabel) -> dict[str, str | None]:
    """`kind | number | title | status`, later parts may be missing; a bar in a part is written `\\|`."""
    parts = [part.strip() for part in _split_escaped(line)]
    if len(parts) > len(_PARTS):
        raise CellError(
            "ip_rights", Text("每行应为：类型 | 编号 | 名称 | 状态", "Each line is: kind | number | title | status")
        )
    right: dict[str, str | None] = {}
    for part, value in zip(_PARTS, parts, strict=False):
        right[part.name] = (_code(value, part.list, codes) if part.list else value) if value else None
    return right


def _split_escaped(line: str) -> list[str]:
    r"""Parts between bars, where a backslash takes the next character as it is.

    >>> _split_escaped(r"a\|b|c\\")
    ['a|b', 'c\\']
    """
    parts, escaped = [""], False
    for character in line:
        if escaped:
            parts[-1] += character
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "|":
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _write_right(right: Mapping[str, Any]) -> str:
    values = [str(right.get(part.name) or "").replace("\\", "\\\\").replace("|", "\\|") for part in _PARTS]
    while values and not values[-1]:
        values.pop()
    return " | ".join(values)
