"""From an event and its parties to what each recipient is told: pure functions over the table of rules."""

from collections.abc import Collection, Iterator
from typing import assert_never

from service.kit.actor import Role
from service.kit.language import Text
from service.notices.model import Audience, Event, Notice, Parties, Party, Recipient
from service.notices.rules import BY_TYPE, Rule

# Where a title may not be told, or there is none.
UNTOLD = Text("（未公开）", "(not public)")
# Longer titles are cut, so that a text stays one that fits a subject line.
LONGEST_TITLE = 60


def notices_of(event: Event, parties: Parties, operators: Collection[Recipient]) -> list[Notice]:
    """What everybody is told of an event; a recipient at most once. Does no I/O.

    Who did it itself is left out, unless the rule says otherwise. `operators` are those of the market.
    """
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
    need, outcome = parties.need, parties.outcome
    told = _filled(rule.text, parties.title, None)
    match rule.audience:
        case Audience.OWNER:
            if parties.owner is not None:
                yield Recipient(organization_id=parties.owner), told
        case Audience.NEED_SIDE:
            yield from _side(rule, need, outcome)
        case Audience.OUTCOME_SIDE:
            yield from _side(rule, outcome, need)
        case Audience.OTHER_SIDE:
            across = {"need": (outcome, need), "outcome": (need, outcome)}.get(event.data.get("side", ""))
            if across is not None:
                yield from _side(rule, *across)
        case Audience.BROKER:
            if parties.broker is not None:
                titles = (need.title if need else None, outcome.title if outcome else None)
                yield Recipient(organization_id=parties.broker, role=Role.BROKER), _filled(rule.text, *titles)
        case Audience.AWAITED:
            yield from ((Recipient(organization_id=each), told) for each in parties.awaited)
        case Audience.OPERATORS:
            yield from ((each, told) for each in operators)
        case Audience.PERSON:
            if parties.person is not None:
                yield Recipient(person_id=parties.person), told
        case _:
            assert_never(rule.audience)


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
