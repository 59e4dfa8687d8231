"""Whatever is recorded is told to somebody, or stands here with the reason why nobody is told."""

from typing import Final

from service.notices.rules import BY_TYPE
from service.workflows.tables import WORKFLOWS
from tests.notices.recorded import recorded

_OWN = "whoever did it is the only one whom it concerns, and has the answer of the request"
_STAFF = "work of staff that the two sides are not to know of"
_QUEUE = "the service's own upkeep of the broker's queue"
_MARKET = "upkeep of the market by its operators; the audit trail shows it"
TOLD_TO_NOBODY: Final = {
    "broker.change": _OWN,
    "broker.create": _OWN,
    "encoder.activate": _MARKET,
    "encoder.rollback": _MARKET,
    "encoder.train": _MARKET,
    "event_chain.prune": _MARKET,
    "need.create": _OWN,
    "organization.create": "it has nobody yet who could read a notice",
    "outcome.create": _OWN,
    "partner_operator.assign": _MARKET,
    "partner_operator.end": _MARKET,
    "person.create": "the membership that goes with it is told",
    "person.erase": "there is nobody left to tell",
    "person.export": _OWN,
    "ranking_model.activate": _MARKET,
    "ranking_model.install": _MARKET,
    "ranking_model.learn": _MARKET,
    "ranking_model.rollback": _MARKET,
    "ranking_model.train": _MARKET,
    "recommendation.decline": _STAFF + "; providers are told why by their digest",
    "recommendation.propose": _QUEUE,
    "recommendation.snooze": _STAFF,
    "recommendation.supersede": _QUEUE,
    "recommendation.undo": "the case that the acceptance opened tells both sides",
    "recommendation.wake": _QUEUE,
    "subsidy_rule.end": _MARKET,
    "subsidy_rule.set": _MARKET,
    "webhook.delete": "whose it was goes with it",
    "webhook.replay": _OWN,
}
# Steps that are recorded under another name, as one that says more in its data.
RECORDED_AS: Final = {
    "case.close_lost": "case.close",
    "case.close_won": "case.close",
    "organization.restore_unverified": "organization.restore",
}


def test_what_is_recorded_is_told_or_left_for_a_reason() -> None:
    found = recorded()
    assert found - set(BY_TYPE) == set(TOLD_TO_NOBODY)


def test_no_rule_is_of_something_that_nobody_records() -> None:
    assert set(BY_TYPE) - recorded() == set()


def test_every_step_of_a_workflow_is_recorded() -> None:
    steps = {f"{kind}.{step.action}" for kind, table in WORKFLOWS.items() for step in table.transitions}
    assert {RECORDED_AS.get(step, step) for step in steps} - recorded() == set()
