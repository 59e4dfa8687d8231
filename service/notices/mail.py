"""The mail that tells of notifications: a message in plain text and HTML, as pure functions."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from urllib.parse import quote
from uuid import UUID

from service.kit.clock import MARKET_ZONE
from service.kit.language import Language, Text
from service.kit.texts import clean_line
from service.notices.model import CATEGORY_LABELS, Category, Mailing
from service.notices.preferences import ALWAYS

NAME: Final = Text("对接 Duijie", "Duijie")
SUBJECTS: Final = {
    Mailing.DAILY: Text("{count} 条通知（日报）", "{count} notifications of the day"),
    Mailing.WEEKLY: Text("{count} 条通知（周报）", "{count} notifications of the week"),
}
FOOT: Final = Text(
    "登录平台查看详情。通知方式可在 PUT /v1/notifications/preferences 修改。",
    "See the service for more. How you are told is yours to choose: PUT /v1/notifications/preferences.",
)
LONGEST_SUBJECT: Final = 180
# A digest tells no more than this many; it says how many more there are.
MOST_LINES: Final = 200


class UnusableAddress(ValueError):
    """An address that no message can carry. The address itself is not in the text."""


@dataclass(frozen=True, slots=True)
class Line:
    """One notification in a mail."""

    text: Text
    category: Category
    at: datetime


def compose(
    mail_id: UUID, kind: Mailing, lines: Sequence[Line], *, sender: str, to: str, language: Language, moment: datetime
) -> EmailMessage:
    """A message from `sender` to `to` that tells `lines`, of which there is at least one.

    Its Message-ID is the mail's own in each attempt, so that a mail server or reader knows a repeated one (RFC 5322,
    3.6.4). It says that a machine sent it (RFC 3834, 5) and how to have no more (RFC 2369, 3.2).

    Raises:
        UnusableAddress: `to` cannot be written into a header.
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(NAME.in_(language), addr_spec=sender)
    message["To"] = _address(to)
    message["Subject"] = _subject(kind, lines, language)
    message["Date"] = format_datetime(moment)
    message["Message-ID"] = f"<{mail_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "zh-CN" if language == "zh" else "en"
    if any(line.category not in ALWAYS for line in lines):
        message["List-Unsubscribe"] = f"<mailto:{sender}?subject={quote('unsubscribe')}>"
    message.set_content(_plain(lines, language))
    message.add_alternative(_html(lines, language), subtype="html")
    return message


def _address(to: str) -> Address:
    local, _, domain = to.rpartition("@")
    try:
        address = Address(addr_spec=f"{local}@{domain.encode('idna').decode()}")
    except (ValueError, IndexError, AttributeError, MessageError) as error:
        # The library's parser trips over some of its own findings (a domain in brackets that do not close).
        raise UnusableAddress("not an address") from error
    if not address.addr_spec.isascii() or not address.username:
        raise UnusableAddress("not an address that every mail server takes")
    return address


def _subject(kind: Mailing, lines: Sequence[Line], language: Language) -> str:
    told = lines[0].text if kind is Mailing.AT_ONCE else _counted(kind, len(lines))
    # One line: a title must not begin a header of its own.
    return clean_line(f"[{NAME.in_(language)}] {told.in_(language)}")[:LONGEST_SUBJECT]


def _counted(kind: Mailing, count: int) -> Text:
    return Text(SUBJECTS[kind].zh.format(count=count), SUBJECTS[kind].en.format(count=count))


def _grouped(lines: Sequence[Line]) -> dict[Category, list[Line]]:
    shown = lines[:MOST_LINES]
    return {
        category: found for category in Category if (found := [line for line in shown if line.category is category])
    }


def _when(line: Line) -> str:
    return line.at.astimezone(MARKET_ZONE).strftime("%Y-%m-%d %H:%M")


def _more(lines: Sequence[Line], language: Language) -> str | None:
    left = len(lines) - MOST_LINES
    return Text(f"另有 {left} 条", f"{left} more").in_(language) if left > 0 else None


def _plain(lines: Sequence[Line], language: Language) -> str:
    parts = []
    for category, found in _grouped(lines).items():
        parts.append(CATEGORY_LABELS[category].in_(language))
        parts += [f"- {_when(line)}  {clean_line(line.text.in_(language))}" for line in found]
        parts.append("")
    if more := _more(lines, language):
        parts += [more, ""]
    return "\n".join([*parts, FOOT.in_(language), ""])


def _html(lines: Sequence[Line], language: Language) -> str:
    parts = []
    for category, found in _grouped(lines).items():
        items = "".join(
            f"<li>{_when(line)} &nbsp;{html.escape(clean_line(line.text.in_(language)))}</li>\n" for line in found
        )
        parts.append(f"<h3>{html.escape(CATEGORY_LABELS[category].in_(language))}</h3>\n<ul>\n{items}</ul>\n")
    if more := _more(lines, language):
        parts.append(f"<p>{html.escape(more)}</p>\n")
    tongue = "zh-CN" if language == "zh" else "en"
    return (
        f'<!DOCTYPE html>\n<html lang="{tongue}"><head><meta charset="utf-8"></head><body>\n'
        f"{''.join(parts)}<p><small>{html.escape(FOOT.in_(language))}</small></p>\n</body></html>\n"
    )
