"""What a case is made of, as rows are read: plain records without rules."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from service.kit.actor import Actor, Role


class Party(StrEnum):
    """Who takes part in a case."""

    NEED = "need"
    OUTCOME = "outcome"
    BROKER = "broker"


SIDES = (Party.NEED, Party.OUTCOME)
# States in which nothing happens between the two sides any more, unless a broker opens the case again.
ENDED = frozenset({"closed", "lapsed"})
# Both sides consented, and may talk to each other.
TALKING = frozenset({"consented", "consulting", "negotiating", "contracted", "following"})
# A contract binds both.
CONTRACTED = frozenset({"contracted", "following"})


@dataclass(frozen=True, slots=True)
class Case:
    """A case as stored. Region codes are of GB/T 2260, partner pairs are `from:to:program`."""

    id: UUID
    recommendation_id: UUID
    need_id: UUID
    outcome_id: UUID
    need_organization_id: UUID
    outcome_organization_id: UUID
    broker_organization_id: UUID | None
    broker_person_id: UUID | None
    state: str
    closed_as: str | None
    code: str | None
    need_region: str | None
    outcome_region: str | None
    partner_pairs: list[str]
    mode: str | None
    terms: dict[str, Any]
    messages: int
    stored_bytes: int
    version: int
    opened_at: datetime
    state_since: datetime
    updated_at: datetime
    contracted_at: datetime | None
    closed_at: datetime | None

    def organization_of(self, party: Party) -> UUID | None:
        """The organization that a party is."""
        return {
            Party.NEED: self.need_organization_id,
            Party.OUTCOME: self.outcome_organization_id,
            Party.BROKER: self.broker_organization_id,
        }[party]

    def side_organization(self, side: Party) -> UUID:
        """The organization of one of the two sides."""
        return self.need_organization_id if side is Party.NEED else self.outcome_organization_id

    def sides_of(self, actor: Actor) -> tuple[Party, ...]:
        """The sides that are the actor's organization's: none, one, or both."""
        return tuple(side for side in SIDES if self.side_organization(side) == actor.organization_id)

    def handled_by(self, actor: Actor) -> bool:
        """Whether the actor is the case's broker; where the service opened it, any broker is."""
        own = self.broker_organization_id in (None, actor.organization_id)
        return actor.has(Role.SYSTEM, Role.ADMINISTRATOR) or (actor.has(Role.BROKER) and own)

    def steered_by(self, actor: Actor) -> bool:
        """Whether the actor may take the broker's steps: the broker, and operators, to whom a case goes that it leaves."""
        return self.handled_by(actor) or actor.has(Role.OPERATOR)


@dataclass(frozen=True, slots=True)
class Wait:
    """That a party is awaited: for what, since when, until when, and what the clock has done about it."""

    id: UUID
    case_id: UUID
    party: Party
    what: str
    about: Party | None
    asked_at: datetime
    begun_at: datetime
    due_at: datetime
    days: int
    provisional: bool
    reminders: int
    escalated_at: datetime | None
    next_at: datetime | None
