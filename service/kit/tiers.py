"""Visibility tiers on fields: declared with the field, and one function by which an object leaves.

A field says by `Visible` from which tier on it is shown. `redact` empties what the caller's tier does not reach, and a
model with a field that says nothing is refused when its class is made (`Tiered`), or at its first use.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

KEY = "x-duijie-tier"


class Tier(IntEnum):
    """How near a caller stands to an object; each tier sees what the ones before it see.

    >>> Tier.MEMBER < Tier.COUNTERPART < Tier.CONSENTED < Tier.OWNER
    True
    """

    # Without a key. No route shows listings to it.
    PUBLIC = 0
    # Any key of the market.
    MEMBER = 1
    # A broker accepted the pair of a listing of the caller's and this one.
    COUNTERPART = 2
    # Both sides of that pair consented, and neither has withdrawn.
    CONSENTED = 3
    # The object's own organization, and the service itself.
    OWNER = 4

    @property
    def label(self) -> str:
        """The tier as the OpenAPI document and messages name it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class View:
    """How a caller looks at one object: its tier, and the two properties of the object that tiers depend on.

    `staff` are those whose work reviewing is (brokers, operators, authorities, administrators).
    """

    tier: Tier
    staff: bool = False
    confidential: bool = False
    outcome: bool = False


@dataclass(frozen=True, slots=True)
class Visible:
    """From which tier on a field is shown: metadata of an annotated field.

    `confidential` takes its place where the object is confidential, and `outcome` where it is an outcome and the field
    has another tier in a need; a field `to_staff` is shown to staff whatever the tier.
    """

    tier: Tier
    confidential: Tier | None = None
    outcome: Tier | None = None
    to_staff: bool = False

    def least(self, *, confidential: bool = False, outcome: bool = False) -> Tier:
        """The tier that a reader of such an object needs.

        >>> Visible(Tier.MEMBER, confidential=Tier.COUNTERPART).least(confidential=True).label
        'counterpart'
        """
        least = self.outcome if outcome and self.outcome is not None else self.tier
        return max(least, self.confidential) if confidential and self.confidential is not None else least

    def to(self, view: View) -> bool:
        """Whether a caller with this view is shown the field."""
        if self.to_staff and view.staff:
            return True
        return view.tier >= self.least(confidential=view.confidential, outcome=view.outcome)

    def declared(self) -> dict[str, Any]:
        """The declaration as the OpenAPI document shows it."""
        told: dict[str, Any] = {KEY: self.tier.label}
        if self.confidential is not None:
            told[f"{KEY}-confidential"] = self.confidential.label
        if self.outcome is not None:
            told[f"{KEY}-outcome"] = self.outcome.label
        if self.to_staff:
            told[f"{KEY}-staff"] = True
        return told

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Put the declaration into the field's JSON schema."""
        return {**handler(schema), **self.declared()}


@cache
def tiers_of(model: type[BaseModel]) -> Mapping[str, Visible]:
    """The declaration of each field of a model, by name.

    Raises:
        TypeError: names the fields that declare none.
    """
    found: dict[str, Visible] = {}
    for name, field in model.model_fields.items():
        # An annotation that is added to an inherited one stands behind it, and holds.
        declared = [each for each in field.metadata if isinstance(each, Visible)]
        if declared:
            found[name] = declared[-1]
    missing = [name for name in model.model_fields if name not in found]
    if missing:
        raise TypeError(f"{model.__name__} shows fields without a visibility tier: {', '.join(missing)}")
    return found


class Tiered(BaseModel):
    """A model that is shown by tier: with a field that declares none, its class cannot be made."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        tiers_of(cls)


def hidden(model: type[BaseModel], view: View) -> frozenset[str]:
    """The names of the fields that a caller is not shown."""
    return frozenset(name for name, visible in tiers_of(model).items() if not visible.to(view))


def guarded(model: type[BaseModel]) -> frozenset[str]:
    """The names of the fields that confidentiality takes from those who otherwise see them."""
    return frozenset(
        name for name, visible in tiers_of(model).items() if visible.least(confidential=True) > visible.least()
    )


Model = TypeVar("Model", bound=BaseModel)


def redact(model: Model, view: View) -> Model:
    """The model as the caller is shown it: what its tier does not reach is as if nothing had been said.

    Raises:
        TypeError: a field declares no tier.
    """
    fields = type(model).model_fields
    blank = {
        name: None if fields[name].is_required() else fields[name].get_default(call_default_factory=True)
        for name in hidden(type(model), view)
    }
    return model.model_copy(update=blank)
