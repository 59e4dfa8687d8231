"""Who may take which step, written down once more: a table that lets in one party too many is noticed."""

from datetime import UTC, datetime

import pytest

from service.kit.actor import Actor, Role
from service.workflows.engine import Advanced, advance
from service.workflows.tables import WORKFLOWS

NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
# The owner is whoever posted the listing, whatever its role; administrators may all that is not the service's own.
ALLOWED = {
    "need": {
        "submit": "owner broker operator administrator",
        "return": "broker operator administrator",
        "refine": "broker operator administrator",
        "publish": "broker operator administrator",
        "dock": "",
        "undock": "",
        "fulfil": "owner broker operator administrator",
        "withdraw": "owner operator administrator",
        "reopen": "owner operator administrator",
        "expire": "",
    },
    "outcome": {
        "submit": "owner broker operator administrator",
        "return": "operator administrator",
        "verify": "operator administrator",
        "publish": "owner broker operator administrator",
        "transfer": "owner operator administrator",
        "withdraw": "owner operator administrator",
        "reopen": "owner operator administrator",
        "expire": "",
    },
    "recommendation": {
        "accept": "broker administrator",
        "decline": "broker administrator",
        "snooze": "broker administrator",
        "undo": "broker administrator",
        "wake": "",
        "supersede": "",
        "propose": "",
    },
    "organization": {
        "verify": "operator administrator",
        "suspend": "operator administrator",
        "restore": "operator administrator",
        "restore_unverified": "operator administrator",
    },
    # The owner is each of the two parties.
    "contract": {
        "confirm": "owner administrator",
        "sign": "owner broker operator administrator",
        "file": "owner broker operator administrator",
        "register": "operator administrator",
        "reject": "operator administrator",
        "change": "owner broker operator administrator",
        "settle": "owner operator administrator",
        "cancel": "owner operator administrator",
    },
    # The owner of a case is either of its sides.
    "case": {
        "consent": "owner administrator",
        "decline": "owner administrator",
        "withdraw_consent": "owner administrator",
        "leave": "owner administrator",
        "consult": "owner broker operator administrator",
        "negotiate": "owner broker operator administrator",
        "contract": "owner broker operator administrator",
        "follow": "broker operator administrator",
        "close_won": "broker operator administrator",
        "close_lost": "broker operator administrator",
        "undo": "broker operator administrator",
        "lapse": "",
        "reopen": "broker operator administrator",
        "resume": "broker operator administrator",
    },
}
STEPS = [(subject, action) for subject, actions in ALLOWED.items() for action in actions]


def test_every_step_of_every_table_is_here() -> None:
    tables = {(name, row.action) for name, workflow in WORKFLOWS.items() for row in workflow.transitions}
    # A table that is new here has its own suite for its parties, or a line above.
    assert {step for step in tables if step[0] in ALLOWED} == set(STEPS)
    assert set(ALLOWED) <= set(WORKFLOWS)


@pytest.mark.parametrize(("subject", "action"), STEPS)
def test_nobody_else_takes_the_step(subject: str, action: str) -> None:
    workflow = WORKFLOWS[subject]
    states = {state for row in workflow.transitions if row.action == action for state in row.sources}
    for state in sorted(states):
        may = {
            role.value
            for role in Role
            if isinstance(
                advance(workflow, state, action, Actor(None, None, frozenset({role})), owner=False, now=NOON), Advanced
            )
        }
        if isinstance(advance(workflow, state, action, Actor(None, None, frozenset()), owner=True, now=NOON), Advanced):
            may.add("owner")
        assert may == {*ALLOWED[subject][action].split(), "system"}, state
