"""Changes of a signed contract: records that are laid over the terms as signed, and never into them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from service.contracts.schemas import Terms

# The type decides what the contract is; another type is another contract.
CHANGEABLE: Final = frozenset(Terms.model_fields) - {"type", "development_form", "currency"}


class OutOfStepError(ValueError):
    """A change that does not begin where the one before it ended."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one change says of the terms: values before and after, by field, as JSON values."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]


def difference(before: Terms, after: Terms) -> Change:
    """The change that leads from one to the other: the fields whose value differs."""
    old, new = before.stored(), after.stored()
    names = [name for name in old if old[name] != new[name]]
    return Change({name: old[name] for name in names}, {name: new[name] for name in names})


def replay(signed: Terms, changes: Iterable[Change]) -> Terms:
    """The terms as they are after some changes, in the order in which they were made.

    Raises:
        OutOfStepError: a change's old values are not those that the changes before it lead to.
    """
    values = signed.stored()
    for change in changes:
        if (
            any(values.get(name) != value for name, value in change.old.items())
            or change.old.keys() != change.new.keys()
        ):
            raise OutOfStepError("a change does not begin where the one before it ended")
        values |= change.new
    return Terms.model_validate(values)
