"""The engine against every workflow table: nothing but the table's rows ever happens."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Forbidden, OutOfTurn
from service.kit.actor import KEY_ROLES, SYSTEM, Actor, Role
from service.workflows.engine import Advanced, Refusal, RefusalKind, Relation, Workflow, advance
from service.workflows.refusals import PARTY_LABELS, as_error
from service.workflows.tables import NEED, OUTCOME, RECOMMENDATION, WORKFLOWS

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ACTIONS = sorted({transition.action for workflow in WORKFLOWS.values() for transition in workflow.transitions})


def actor(*roles: Role) -> Actor:
    return Actor(None, None, frozenset(roles))


@given(
    workflow=st.sampled_from(list(WORKFLOWS.values())),
    action=st.sampled_from([*ACTIONS, "no such action"]),
    roles=st.frozensets(st.sampled_from(list(Role)), max_size=3),
    owner=st.booleans(),
    data=st.data(),
)
def test_engine_takes_exactly_the_rows_of_the_table(
    workflow: Workflow, action: str, roles: frozenset[Role], owner: bool, data: st.DataObject
) -> None:
    state = data.draw(st.sampled_from(sorted(workflow.states)))
    result = advance(workflow, state, action, Actor(None, None, roles), owner=owner, now=NOON)
    rows = [
        row
        for row in workflow.transitions
        if row.action == action
        and state in row.sources
        and (
            (owner and Relation.OWNER in row.parties)
            or row.parties & roles
            or Role.SYSTEM in roles
            or (Role.ADMINISTRATOR in roles and Role.SYSTEM not in row.parties)
        )
    ]
    if rows:
        assert result == Advanced(action, state, rows[0].target)
    else:
        assert isinstance(result, Refusal)


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=lambda workflow: workflow.subject)
def test_every_state_has_a_label_and_can_be_reached(workflow: Workflow) -> None:
    reached = {workflow.initial}
    while True:
        further = {row.target for row in workflow.transitions if row.sources & reached} | reached
        if further == reached:
            break
        reached = further
    assert workflow.states == reached
    assert set(workflow.labels) == set(workflow.states)


def test_need_goes_the_way_of_the_market() -> None:
    enterprise, broker = actor(Role.ENTERPRISE), actor(Role.BROKER)
    assert advance(NEED, "draft", "submit", enterprise, owner=True, now=NOON) == Advanced(
        "submit", "draft", "submitted"
    )
    assert advance(NEED, "submitted", "refine", broker, owner=False, now=NOON) == Advanced(
        "refine", "submitted", "refining"
    )
    assert advance(NEED, "refining", "publish", broker, owner=False, now=NOON) == Advanced(
        "publish", "refining", "published"
    )


def test_owner_cannot_publish_a_need_nor_an_unverified_outcome() -> None:
    need = advance(NEED, "submitted", "publish", actor(Role.ENTERPRISE), owner=True, now=NOON)
    outcome = advance(OUTCOME, "submitted", "publish", actor(Role.PROVIDER), owner=True, now=NOON)
    assert isinstance(need, Refusal)
    assert need.kind is RefusalKind.WRONG_ACTOR
    assert isinstance(outcome, Refusal)
    assert outcome.kind is RefusalKind.WRONG_STATE


def test_nobody_but_the_service_expires_anything() -> None:
    for role in KEY_ROLES:
        assert isinstance(advance(NEED, "published", "expire", actor(role), owner=True, now=NOON), Refusal)
    assert isinstance(advance(NEED, "published", "expire", SYSTEM, owner=False, now=NOON), Advanced)


def test_before_the_due_instant_the_action_is_out_of_turn() -> None:
    due = NOON + timedelta(seconds=1)
    early = advance(RECOMMENDATION, "snoozed", "wake", SYSTEM, owner=False, now=NOON, due=due)
    assert isinstance(early, Refusal)
    assert early.kind is RefusalKind.NOT_YET
    assert isinstance(advance(RECOMMENDATION, "snoozed", "wake", SYSTEM, owner=False, now=due, due=due), Advanced)


def test_wrong_actor_is_403_and_wrong_state_409_with_the_way_out() -> None:
    wrong_actor = advance(NEED, "submitted", "publish", actor(Role.ENTERPRISE), owner=True, now=NOON)
    assert isinstance(wrong_actor, Refusal)
    forbidden = as_error(NEED, wrong_actor)
    assert isinstance(forbidden, Forbidden)
    assert forbidden.detail is not None
    assert forbidden.detail.en == "Only a broker or an operator may do this"
    wrong_state = advance(NEED, "draft", "publish", actor(Role.BROKER), owner=False, now=NOON)
    assert isinstance(wrong_state, Refusal)
    out_of_turn = as_error(NEED, wrong_state)
    assert isinstance(out_of_turn, OutOfTurn)
    assert out_of_turn.detail is not None
    assert "“已提交”" in out_of_turn.detail.zh
    assert "“凝练中”" in out_of_turn.detail.zh


def test_every_party_can_be_named() -> None:
    parties = {party for workflow in WORKFLOWS.values() for row in workflow.transitions for party in row.parties}
    assert parties <= set(PARTY_LABELS)
