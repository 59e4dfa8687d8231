"""One engine for every workflow: a table of transitions, and a pure function that reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from types import MappingProxyType

from service.kit.actor import Actor, Role
from service.kit.language import Text


class Relation(Enum):
    """How an actor may stand to an object, besides its roles."""

    OWNER = auto()


Party = Role | Relation


@dataclass(frozen=True, slots=True)
class Transition:
    """From which states an action leads to which state, and who may take it."""

    action: str
    sources: frozenset[str]
    target: str
    parties: frozenset[Party]
    label: Text


@dataclass(frozen=True, slots=True)
class Workflow:
    """All transitions of one kind of object."""

    subject: str
    initial: str
    transitions: tuple[Transition, ...]
    labels: Mapping[str, Text]

    @property
    def states(self) -> frozenset[str]:
        """Every state that a transition leaves or enters."""
        entered = {transition.target for transition in self.transitions}
        return frozenset(entered | {self.initial} | {source for t in self.transitions for source in t.sources})


@dataclass(frozen=True, slots=True)
class Advanced:
    """The action is taken: the state to save, by compare-and-set against `source`."""

    action: str
    source: str
    target: str


class RefusalKind(Enum):
    """Why an action is not taken."""

    UNKNOWN_ACTION = auto()
    WRONG_STATE = auto()
    WRONG_ACTOR = auto()
    NOT_YET = auto()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The action is not taken: why, and from where it could be."""

    kind: RefusalKind
    action: str
    state: str
    allowed_from: frozenset[str]
    parties: frozenset[Party]


def advance(
    workflow: Workflow,
    state: str,
    action: str,
    actor: Actor,
    *,
    owner: bool,
    now: datetime,
    due: datetime | None = None,
) -> Advanced | Refusal:
    """What `action` makes of `state` when `actor` takes it at `now`. Does no I/O.

    `owner` says whether the object belongs to the actor's organization; `due`, where given, is the instant before
    which the action is out of turn (an expiry, the end of a snooze). Who may not act at all is told so before being
    told that the state is wrong, so that the answer does not depend on the state.
    """
    named = tuple(transition for transition in workflow.transitions if transition.action == action)
    parties = frozenset(party for transition in named for party in transition.parties)
    allowed_from = frozenset(source for transition in named for source in transition.sources)

    def refuse(kind: RefusalKind) -> Refusal:
        return Refusal(kind, action, state, allowed_from, parties)

    if not named:
        return refuse(RefusalKind.UNKNOWN_ACTION)
    permitted = tuple(transition for transition in named if _may(transition, actor, owner))
    if not permitted:
        return refuse(RefusalKind.WRONG_ACTOR)
    for transition in permitted:
        if state in transition.sources:
            if due is not None and now < due:
                return refuse(RefusalKind.NOT_YET)
            return Advanced(action, state, transition.target)
    return refuse(RefusalKind.WRONG_STATE if state not in allowed_from else RefusalKind.WRONG_ACTOR)


def _may(transition: Transition, actor: Actor, owner: bool) -> bool:
    # The service itself acts for whoever sits at the machine: the command line, housekeeping.
    if Role.SYSTEM in actor.roles:
        return True
    if Role.ADMINISTRATOR in actor.roles and Role.SYSTEM not in transition.parties:
        return True
    return (owner and Relation.OWNER in transition.parties) or not transition.parties.isdisjoint(actor.roles)


def table(subject: str, initial: str, labels: dict[str, Text], *transitions: Transition) -> Workflow:
    """A workflow from its rows."""
    return Workflow(subject, initial, transitions, MappingProxyType(labels))


def step(action: str, sources: str, target: str, parties: tuple[Party, ...], zh: str, en: str) -> Transition:
    """One row of a table; `sources` are state names separated by spaces."""
    return Transition(action, frozenset(sources.split()), target, frozenset(parties), Text(zh, en))
