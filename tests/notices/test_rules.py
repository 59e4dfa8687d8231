"""The table of rules, and who is told what by it: pure functions."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kit.actor import Role
from service.notices.model import Audience, Category, Event, Notice, Parties, Party, Recipient, type_of
from service.notices.parties import RESOLVERS
from service.notices.rules import BY_TYPE, RULES, WEBHOOK_TYPES, Rule
from service.notices.tell import LONGEST_TITLE, UNTOLD, concerned, notices_of

A, P, B, T, X = (UUID(int=number) for number in range(1, 6))
DUE = "2026-03-06T10:00:00+00:00"
OPERATORS = [Recipient(organization_id=T, role=Role.OPERATOR)]
PAIR = Parties(need=Party(A, "干燥需求"), outcome=Party(P, "干燥装备"), broker=B)


def event(kind: str, action: str, by: UUID | None = X, **data: object) -> Event:
    return Event(uuid4(), datetime(2026, 3, 4, tzinfo=UTC), kind, uuid4(), action, None, by, None, dict(data))


def told(notices: list[Notice]) -> dict[UUID, str]:
    return {notice.recipient.id: notice.text.zh for notice in notices}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.subject_kind}.{rule.action}.{rule.audience}")
def test_every_row_fills_and_names_nobody(rule: object) -> None:
    """Every audience is found in parties that have all parts, and both languages take the titles."""
    parties = Parties(A, "甲", PAIR.need, PAIR.outcome, B, X, (A, P), uuid4())
    assert isinstance(rule, Rule)
    data = {"side": "need", "channel": "shared", "due": DUE}
    done = replace(event(rule.subject_kind, rule.action, by=None, **data), to_state=rule.to_state)
    notices = notices_of(done, parties, OPERATORS)
    assert notices
    for notice in notices:
        assert "{" not in notice.text.zh + notice.text.en
        assert notice.category in {each.category for each in BY_TYPE[done.type]}


def test_a_recipient_is_named_once_for_each_audience() -> None:
    keys = [(rule.subject_kind, rule.action, rule.audience, rule.to_state) for rule in RULES]
    assert len(set(keys)) == len(keys)


def test_every_kind_has_a_resolver() -> None:
    assert {rule.subject_kind for rule in RULES} == set(RESOLVERS)


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


@pytest.mark.parametrize(
    ("party", "whom"), [("need", {A}), ("outcome", {P}), ("broker", {B}), ("somebody", set()), (None, set())]
)
def test_a_reminder_goes_to_the_party_that_is_awaited(party: str | None, whom: set[UUID]) -> None:
    assert set(told(notices_of(event("case", "remind", by=None, party=party, due=DUE), PAIR, OPERATORS))) == whom


def test_a_term_that_passed_goes_to_the_broker_and_what_the_broker_left_to_operators() -> None:
    nobody = replace(PAIR, broker=None)
    for party, parties, whom in (("need", PAIR, B), ("outcome", PAIR, B), ("broker", PAIR, T), ("need", nobody, T)):
        notices = notices_of(event("case", "escalate", by=None, party=party), parties, OPERATORS)
        assert told(notices) == {whom: "《干燥需求》与《干燥装备》的对接：逾期未办，请跟进"}


@pytest.mark.parametrize(
    ("channel", "whom"),
    [("shared", {A, P, B}), ("need", {A, B}), ("outcome", {P, B}), ("broker", set()), ("another", set())],
)
def test_a_message_is_told_to_who_reads_its_channel(channel: str, whom: set[UUID]) -> None:
    for by in (A, P, B, T):
        said = event("case", "message", by=by, channel=channel)
        assert set(told(notices_of(said, PAIR, OPERATORS))) == whom - {by}
        assert {each.id for each in concerned(said, PAIR, OPERATORS)} == whom


def test_the_second_consent_is_told_once_and_as_what_it_makes_of_the_case() -> None:
    first = replace(event("case", "consent", by=A, side="need"), to_state="invited")
    assert told(notices_of(first, PAIR, [])) == {
        P: "《干燥装备》与《干燥需求》的对接：对方已同意", B: "《干燥需求》与《干燥装备》的对接：一方已同意",
    }  # fmt: skip
    second = replace(event("case", "consent", by=P, side="outcome"), to_state="consented")
    both = "均同意对接，身份互见"
    assert {whom: text[-10:] for whom, text in told(notices_of(second, PAIR, [])).items()} == {A: both, B: both}


def test_what_another_event_tells_is_left_to_it_but_endpoints_are_called() -> None:
    elsewhere = replace(PAIR, told_elsewhere=True)
    accepted = event("recommendation", "accept", by=B)
    assert notices_of(accepted, elsewhere, OPERATORS) == []
    assert {each.id for each in concerned(accepted, elsewhere, OPERATORS)} == {A, P}


def test_a_case_that_changes_hands_is_told_to_both_brokers() -> None:
    parties = replace(PAIR, reviewer=X)
    texts = told(notices_of(event("case", "hand_over", by=T), parties, []))
    assert set(texts) == {A, P, B, X}
    pair = "《干燥需求》与《干燥装备》的对接"
    assert (texts[B], texts[X]) == (f"{pair}：已移交贵方承办", f"{pair}：已移交他人承办")


def test_contracts_are_told_by_their_own_title_to_parties_broker_and_where_it_waits_operators() -> None:
    parties = Parties(title="干燥装备开发", members=(A, P), broker=B)
    assert set(told(notices_of(event("contract", "register", by=T), parties, OPERATORS))) == {A, P, B}
    filed = told(notices_of(event("contract", "file", by=P), parties, OPERATORS))
    assert filed == {
        A: "技术合同《干燥装备开发》已申报认定登记",
        B: "技术合同《干燥装备开发》已申报认定登记",
        T: "技术合同《干燥装备开发》已申报认定登记，等待办理",
    }


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
    reviewer=st.none() | ids,
    members=st.lists(ids, max_size=3).map(tuple),
    person=st.none() | ids,
    told_elsewhere=st.booleans(),
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
