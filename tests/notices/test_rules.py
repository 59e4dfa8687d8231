"""The table of rules, and who is told what by it: pure functions."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kit.actor import Role
from service.notices.model import Audience, Category, Event, Notice, Parties, Party, Recipient, type_of
from service.notices.parties import RESOLVERS
from service.notices.rules import BY_TYPE, RULES, WEBHOOK_TYPES
from service.notices.tell import LONGEST_TITLE, UNTOLD, concerned, notices_of
from service.workflows.tables import WORKFLOWS

A, P, B, T, X = (UUID(int=number) for number in range(1, 6))
OPERATORS = [Recipient(organization_id=T, role=Role.OPERATOR)]
PAIR = Parties(need=Party(A, "干燥需求"), outcome=Party(P, "干燥装备"), broker=B)


def event(kind: str, action: str, by: UUID | None = X, **data: object) -> Event:
    return Event(uuid4(), datetime(2026, 3, 4, tzinfo=UTC), kind, uuid4(), action, None, by, None, dict(data))


def told(notices: list[Notice]) -> dict[UUID, str]:
    return {notice.recipient.id: notice.text.zh for notice in notices}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.subject_kind}.{rule.action}.{rule.audience}")
def test_every_row_fills_and_names_nobody(rule: object) -> None:
    """Every audience is found in parties that have all parts, and both languages take the titles."""
    parties = Parties(A, "甲", PAIR.need, PAIR.outcome, B, (A,), uuid4())
    assert hasattr(rule, "subject_kind")
    for notice in notices_of(event(rule.subject_kind, rule.action, side="need"), parties, OPERATORS):
        assert "{" not in notice.text.zh + notice.text.en
        assert notice.category is rule.category


def test_a_recipient_is_named_once_for_each_audience() -> None:
    keys = [(rule.subject_kind, rule.action, rule.audience) for rule in RULES]
    assert len(set(keys)) == len(keys)


def test_rules_of_workflows_are_of_steps_that_there_are() -> None:
    """A misspelt action would tell nobody. Consents and openings are no steps."""
    steps = {type_of(kind, step.action) for kind, table in WORKFLOWS.items() for step in table.transitions}
    besides = {
        "recommendation.consent",
        "recommendation.withdraw_consent",
        "recommendation.open_contacts",
        "organization.change_notices",
    }
    mine = {name for name in BY_TYPE if name.partition(".")[0] in ("need", "outcome", "recommendation", "organization")}
    assert mine <= steps | besides


def test_kinds_without_a_resolver_are_those_to_come() -> None:
    assert {rule.subject_kind for rule in RULES} - set(RESOLVERS) == {"case", "contract"}
    assert set(RESOLVERS) <= {rule.subject_kind for rule in RULES}


def test_each_side_is_told_by_its_own_title_first() -> None:
    assert told(notices_of(event("recommendation", "accept"), PAIR, OPERATORS)) == {
        A: "需求《干燥需求》与成果《干燥装备》经技术经理人采纳，可表示同意互见",
        P: "成果《干燥装备》与需求《干燥需求》经技术经理人采纳，可表示同意互见",
    }


def test_consent_is_told_across_and_to_the_broker_and_not_back() -> None:
    consent = event("recommendation", "consent", by=A, side="need")
    assert set(told(notices_of(consent, PAIR, OPERATORS))) == {P, B}
    assert told(notices_of(consent, PAIR, []))[P] == "对方已就《干燥装备》与《干燥需求》同意互见"


def test_a_title_off_the_market_is_not_told_across() -> None:
    hidden = Parties(need=Party(A, "秘密", public=False), outcome=PAIR.outcome)
    texts = told(notices_of(event("recommendation", "accept"), hidden, []))
    assert "秘密" in texts[A]
    assert "秘密" not in texts[P]
    assert UNTOLD.zh in texts[P]


def test_who_did_it_is_not_told_unless_it_guards_its_account() -> None:
    parties = Parties(owner=A, title="甲")
    assert notices_of(event("need", "withdraw", by=A), parties, []) == []
    assert set(told(notices_of(event("need", "withdraw", by=T), parties, []))) == {A}
    assert set(told(notices_of(event("api_key", "create", by=A), parties, []))) == {A}
    # An endpoint is called for one's own doing too: that is how another system keeps pace.
    assert concerned(event("need", "withdraw", by=A), parties, []) == [Recipient(organization_id=A)]


def test_case_and_contract_rows_tell_who_is_awaited_and_both_sides() -> None:
    waiting = Parties(title="干燥", need=PAIR.need, outcome=PAIR.outcome, broker=B, awaited=(P,))
    assert told(notices_of(event("case", "remind", by=None), waiting, [])) == {P: "对接《干燥》等待贵方答复"}
    assert set(told(notices_of(event("case", "lapse", by=None), waiting, []))) == {A, P, B}
    assert set(told(notices_of(event("contract", "register"), waiting, []))) == {A, P, B}


def test_nobody_is_told_of_what_has_no_rule() -> None:
    assert notices_of(event("recommendation", "snooze"), PAIR, OPERATORS) == []
    assert notices_of(event("nothing", "happened"), PAIR, OPERATORS) == []
    assert "recommendation.decline" not in WEBHOOK_TYPES
    assert "person.open" not in WEBHOOK_TYPES


ids = st.sampled_from([A, P, B, T, X])
parties = st.builds(
    Parties,
    owner=st.none() | ids,
    title=st.none() | st.text(max_size=200),
    need=st.none() | st.builds(Party, ids, st.text(max_size=200), st.booleans()),
    outcome=st.none() | st.builds(Party, ids, st.text(max_size=200), st.booleans()),
    broker=st.none() | ids,
    awaited=st.lists(ids, max_size=3).map(tuple),
    person=st.none() | ids,
)


@given(st.sampled_from(RULES), parties, ids, st.sampled_from(["need", "outcome", "?"]))
def test_of_any_parties_each_is_told_once_and_no_hidden_title(
    rule: object, found: Parties, by: UUID, side: str
) -> None:
    assert hasattr(rule, "subject_kind")
    notices = notices_of(event(rule.subject_kind, rule.action, by=by, side=side), found, OPERATORS)
    recipients = [notice.recipient for notice in notices]
    assert len(set(recipients)) == len(recipients)
    for notice in notices:
        assert len(notice.text.zh) <= 2 * LONGEST_TITLE + 100
        if not any(each.own for each in BY_TYPE[type_of(rule.subject_kind, rule.action)]):
            assert notice.recipient.organization_id != by


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_titles_are_told_as_they_are(own: str, other: str) -> None:
    """Also those that look like placeholders."""
    pair = Parties(need=Party(A, own), outcome=Party(P, other))
    text = told(notices_of(event("recommendation", "accept"), pair, []))[A]
    cut = [title if len(title) <= LONGEST_TITLE else title[: LONGEST_TITLE - 1] + "…" for title in (own, other)]
    assert text == f"需求《{cut[0]}》与成果《{cut[1]}》经技术经理人采纳，可表示同意互见"


def test_account_is_what_concerns_keys_people_and_standing() -> None:
    kinds = {rule.subject_kind for rule in RULES if rule.category is Category.ACCOUNT}
    assert kinds == {"organization", "api_key", "membership", "person", "webhook"}
    assert {rule.audience for rule in RULES} == set(Audience)
