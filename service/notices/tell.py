"""From an event and its parties to what each recipient is told: pure functions over the table of rules."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

from service.kit.actor import Role
from service.kit.clock import MARKET_ZONE
from service.kit.language import Text
from service.notices.model import Audience, Event, Notice, Parties, Party, Recipient
from service.notices.rules import BY_TYPE, Rule

# Where a title may not be told, or there is none.
UNTOLD = Text("（未公开）", "(not public)")
# Who reads what is said in a channel of a case; notes of the broker are the broker's own.
READERS: Final[Mapping[str, tuple[str, ...]]] = {
    "shared": ("need", "outcome", "broker"),
    "need": ("need", "broker"),
    "outcome": ("outcome", "broker"),
}
# Longer titles are cut, so that a text stays one that fits a subject line.
LONGEST_TITLE = 60


def notices_of(event: Event, parties: Parties, operators: Collection[Recipient]) -> list[Notice]:
    """What everybody is told of an event; a recipient at most once. Does no I/O.

    Who did it itself is left out, unless the rule says otherwise. `operators` are those of the market.
    """
    if parties.told_elsewhere:
        return []
    told: dict[Recipient, Notice] = {}
    for rule in BY_TYPE.get(event.type, ()):
        for recipient, text in _recipients(rule, event, parties, operators):
            if (rule.own or not _acted(event, recipient)) and recipient not in told:
                told[recipient] = Notice(recipient, rule.category, text)
    return list(told.values())


def concerned(event: Event, parties: Parties, operators: Collection[Recipient]) -> list[Recipient]:
    """The organizations that an event concerns by the rules, also those that did it: what endpoints are called for."""
    found = [
        recipient
        for rule in BY_TYPE.get(event.type, ())
        for recipient, _ in _recipients(rule, event, parties, operators)
        if recipient.organization_id is not None
    ]
    return list(dict.fromkeys(found))


def _acted(event: Event, recipient: Recipient) -> bool:
    if recipient.person_id is not None:
        return recipient.person_id == event.person_id
    return recipient.organization_id == event.organization_id


def _recipients(
    rule: Rule, event: Event, parties: Parties, operators: Collection[Recipient]
) -> Iterator[tuple[Recipient, Text]]:
    if rule.to_state not in (None, event.to_state):
        return
    rule = replace(rule, text=_dated(rule.text, event))
    told = _filled(rule.text, parties.title, None)
    match rule.audience:
        case Audience.OWNER:
            yield from _organizations([parties.owner], told)
        case Audience.REVIEWER:
            yield from _organizations([parties.reviewer], _of_both(rule, parties))
        case Audience.PARTIES:
            yield from _organizations(parties.members, told)
        case Audience.NEED_SIDE:
            yield from _party(rule, parties, "need")
        case Audience.OUTCOME_SIDE:
            yield from _party(rule, parties, "outcome")
        case Audience.OTHER_SIDE:
            yield from _party(rule, parties, {"need": "outcome", "outcome": "need"}.get(event.data.get("side", "")))
        case Audience.BROKER:
            yield from _party(rule, parties, "broker")
        case Audience.AWAITED:
            yield from _party(rule, parties, event.data.get("party") or event.data.get("side"))
        case Audience.CHANNEL:
            for reader in READERS.get(event.data.get("channel", ""), ()):
                yield from _party(rule, parties, reader)
        case Audience.ESCALATED:
            if parties.broker is None or event.data.get("party") == "broker":
                yield from ((each, _of_both(rule, parties)) for each in operators)
            else:
                yield from _party(rule, parties, "broker")
        case Audience.OPERATORS:
            yield from ((each, told) for each in operators)
        case Audience.PERSON:
            if parties.person is not None:
                yield Recipient(person_id=parties.person), told
        case _:
            assert_never(rule.audience)


def _dated(text: Text, event: Event) -> Text:
    if "due" not in event.data:
        return text
    due = datetime.fromisoformat(event.data["due"]).astimezone(MARKET_ZONE).strftime("%Y-%m-%d %H:%M")
    return Text(text.zh.replace("{due}", due), text.en.replace("{due}", due))


def _organizations(found: Collection[UUID | None], text: Text) -> Iterator[tuple[Recipient, Text]]:
    yield from ((Recipient(organization_id=each), text) for each in found if each is not None)


def _party(rule: Rule, parties: Parties, name: str | None) -> Iterator[tuple[Recipient, Text]]:
    """A side or the broker by its name in events; nobody where there is none."""
    match name:
        case "need":
            yield from _side(rule, parties.need, parties.outcome)
        case "outcome":
            yield from _side(rule, parties.outcome, parties.need)
        case "broker" if parties.broker is not None:
            yield Recipient(organization_id=parties.broker, role=Role.BROKER), _of_both(rule, parties)


def _of_both(rule: Rule, parties: Parties) -> Text:
    """As staff are told it: by the titles of both sides, or by the subject's own where it has no sides."""
    if parties.need is None and parties.outcome is None:
        return _filled(rule.text, parties.title, None)
    titles = (side.title if side else None for side in (parties.need, parties.outcome))
    return _filled(rule.text, *titles)


def _side(rule: Rule, own: Party | None, other: Party | None) -> Iterator[tuple[Recipient, Text]]:
    if own is not None:
        across = other.title if other is not None and other.public else None
        yield Recipient(organization_id=own.organization_id), _filled(rule.text, own.title, across)


def _filled(text: Text, title: str | None, other: str | None) -> Text:
    def shown(title: str | None, untold: str) -> str:
        if title is None:
            return untold
        return title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…"

    return Text(
        text.zh.format(title=shown(title, UNTOLD.zh), other=shown(other, UNTOLD.zh)),
        text.en.format(title=shown(title, UNTOLD.en), other=shown(other, UNTOLD.en)),
    )
