"""Which events the rooms record, read from their source: every call that keeps one, and every statement that does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, get_args

from service import encoder_choice
from service.access.schemas import OrganizationAction
from service.cases.schemas import CaseAction
from service.contracts.views import ContractAction
from service.matches import models
from service.matches.schemas import DecisionRequest
from service.notices.model import EventType, type_of
from service.workflows.tables import WORKFLOWS

ROOT: Final = Path(__file__).parents[2]
ROOM: Final = ROOT / "service"
# Kinds that a module says by a variable.
KINDS: Final = {
    "listings/refinement.py": ("need", "outcome"),
    "listings/service.py": ("need", "outcome"),
    "notices/service.py": ("organization", "person"),
}
_STEPS: Final = {kind: [step.action for step in table.transitions] for kind, table in WORKFLOWS.items()}
# Actions that a function says by a variable: what it may be, by kind.
ACTIONS: Final[dict[tuple[str, str], dict[str, list[str]]]] = {
    ("access/standing.py", "act_on_organization"): {"organization": [*OrganizationAction]},
    ("cases/service.py", "advance"): {"case": [*CaseAction, "resume"]},
    ("contracts/steps.py", "_save"): {"contract": [*ContractAction]},
    ("encoder_choice.py", "_insert"): {"encoder": [*get_args(encoder_choice.Action)]},
    ("listings/service.py", "act"): {kind: _STEPS[kind] for kind in ("need", "outcome")},
    ("matches/decisions.py", "_keep"): {
        "recommendation": [*get_args(DecisionRequest.model_fields["action"].annotation)]
    },
    ("matches/models.py", "_activate"): {"ranking_model": [*get_args(models.Action)]},
}
BULK: Final = re.compile(r"insert into event \(.*?'(\w+)', id, '(\w+)'", re.DOTALL)


def recorded() -> set[EventType]:
    """Every type of event that some line of the service records.

    Raises:
        AssertionError: a line says kind or action by a variable that this module does not know.
    """
    found: set[EventType] = set()
    for file in sorted(ROOM.rglob("*.py")):
        source, name = file.read_text(), file.relative_to(ROOM).as_posix()
        found |= {type_of(kind, action) for kind, action in BULK.findall(source)}
        if "record(" in source:
            found |= set(_of_module(name, ast.parse(source)))
    return found


def _of_module(module: str, tree: ast.Module) -> Iterator[EventType]:
    functions = [each for each in ast.walk(tree) if isinstance(each, ast.AsyncFunctionDef)]
    calls = [(function, call) for function in functions for call in ast.walk(function) if isinstance(call, ast.Call)]
    # A module's own `_record` says the kind for those who call it.
    own = next(
        (_constants(call.args[2]) for function, call in calls if _keeps(call) and function.name == "_record"), []
    )
    for function, call in calls:
        if _keeps(call) and function.name != "_record":
            kinds = _constants(call.args[2]) or list(KINDS.get(module, ()))
            actions = _constants(call.args[4]) or _assigned(function, call.args[4])
        elif isinstance(call.func, ast.Name) and call.func.id == "_record":
            kinds, actions = own, [text for argument in call.args for text in _constants(argument)]
        else:
            continue
        by_hand = {} if actions else ACTIONS.get((module, function.name), {})
        assert by_hand or (kinds and actions), f"{module}: what {function.name} records is not known here"
        yield from (type_of(kind, action) for kind in kinds for action in actions)
        yield from (type_of(kind, action) for kind, some in by_hand.items() for action in some)


def _keeps(call: ast.Call) -> bool:
    """Whether a call is one of `service.events.log.record`."""
    where = call.func
    return (
        isinstance(where, ast.Attribute)
        and where.attr == "record"
        and isinstance(where.value, ast.Name)
        and where.value.id in ("log", "events")
    )


def _constants(node: ast.expr) -> list[str]:
    """The texts that an expression may be, where it says them itself."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=body, orelse=other):
            return _constants(body) + _constants(other)
        case _:
            return []


def _assigned(function: ast.AsyncFunctionDef, node: ast.expr) -> list[str]:
    """The texts that a variable is given within its function."""
    if not isinstance(node, ast.Name):
        return []
    given = [each for each in ast.walk(function) if isinstance(each, ast.Assign)]
    return [
        text
        for each in given
        for target in each.targets
        if isinstance(target, ast.Name) and target.id == node.id
        for text in _constants(each.value)
    ]
