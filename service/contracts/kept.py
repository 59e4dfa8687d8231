"""A contract as it is kept, with its terms as they are now, and what they come to."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.contracts.amounts import Amounts, amounts, exceeds, next_due, schedule
from service.contracts.changes import Change, replay
from service.contracts.repository import Derived
from service.contracts.schemas import Party, PartyRole, Terms
from service.errors import FieldProblem, ValidationProblem
from service.kit.actor import Actor, Role
from service.kit.db import Row
from service.kit.language import Text

INTRODUCE = (Role.BROKER, Role.OPERATOR, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Kept:
    """One contract; `signed` are the terms as signed (or drafted), `terms` those that hold now."""

    row: Row
    signed: Terms
    terms: Terms
    parties: tuple[Party, ...]

    @property
    def id(self) -> UUID:
        """Its id."""
        identifier: UUID = self.row["id"]
        return identifier

    @property
    def state(self) -> str:
        """Its state."""
        return str(self.row["state"])

    @property
    def version(self) -> int:
        """Its version."""
        return int(self.row["version"])

    @property
    def received(self) -> Decimal:
        """What was received so far."""
        return Decimal(self.row["received"])

    @property
    def sums(self) -> Amounts:
        """What the terms come to now."""
        return amounts(self.terms)

    def is_party(self, actor: Actor) -> bool:
        """Whether the actor's organization is one of the parties."""
        return actor.organization_id is not None and any(actor.owns(p) for p in self.organizations())

    def is_side(self, actor: Actor) -> bool:
        """Whether the actor's organization is buyer or seller; an intermediary looks on."""
        return actor.organization_id is not None and any(
            p.organization_id == actor.organization_id and p.role is not PartyRole.INTERMEDIARY for p in self.parties
        )

    def introduced_by(self, actor: Actor) -> bool:
        """Whether the actor speaks for neither side: a broker or an operator of an organization that is not one."""
        return actor.has(*INTRODUCE) and not self.is_side(actor)

    def organizations(self) -> frozenset[UUID]:
        """The parties that are organizations of the service."""
        return frozenset(p.organization_id for p in self.parties if p.organization_id is not None)

    def others(self, actor: Actor) -> frozenset[UUID]:
        """The two sides that are organizations of the service, without the actor's own."""
        return frozenset(
            p.organization_id
            for p in self.parties
            if p.role is not PartyRole.INTERMEDIARY
            and p.organization_id is not None
            and not actor.owns(p.organization_id)
        )


def kept_of(row: Row) -> Kept:
    """A contract from its row."""
    signed = Terms.model_validate(row["terms"])
    terms = replay(signed, [Change(each["old"], each["new"]) for each in row["changes"]])
    return Kept(row, signed, terms, tuple(Party.model_validate(each) for each in row["parties"]))


def derived(terms: Terms) -> Derived:
    """What lists and figures ask of some terms."""
    found = amounts(terms)
    return Derived(
        terms.type.value, terms.name, terms.field, terms.currency, found.turnover, found.technology_value, terms.ends_on
    )


def due_after(terms: Terms, received: Decimal, day: date) -> date | None:
    """The earliest day of what is still owed when so much was received."""
    return next_due(schedule(terms, received, day))


def check_sums(terms: Terms) -> None:
    """Let no terms pass that deduct more than they come to.

    Raises:
        ValidationProblem: names the deductions.
    """
    if terms.payments and exceeds(terms):
        found = amounts(terms)
        text = Text(
            f"扣除合计 {found.deducted} 超过成交额 {found.turnover}",
            f"The deductions come to {found.deducted}, the turnover only to {found.turnover}",
        )
        raise ValidationProblem([FieldProblem("deductions", "deductions_within_turnover", text)])


def changed_terms(terms: Terms, given: dict[str, Any]) -> Terms:
    """Some terms with given values in their place.

    Raises:
        pydantic.ValidationError: a value breaks a rule.
    """
    return Terms.model_validate(terms.stored() | given)
