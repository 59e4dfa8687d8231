"""How well a broker fits a need, and whether it can take it on: a pure function, so that the advice can be recomputed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from service.kit.language import Text

# What a broker does not limit itself to it knows less well than what it names.
GENERAL: Final = 0.5
Name = Literal["field", "region", "language", "capacity"]
WEIGHTS: Final[dict[Name, float]] = {"field": 0.4, "region": 0.2, "language": 0.1, "capacity": 0.3}


@dataclass(frozen=True, slots=True)
class NeedFacts:
    """What of a need decides who should work on it; `regions` are its region and what that lies in."""

    field: str | None
    regions: frozenset[str]
    language: str


@dataclass(frozen=True, slots=True)
class BrokerFacts:
    """What of a broker decides: empty fields or regions limit nothing. `taken` is counted against `capacity`."""

    id: UUID
    fields: frozenset[str]
    regions: frozenset[str]
    languages: frozenset[str]
    capacity: int
    taken: int
    available: bool

    @property
    def free(self) -> int:
        """How much more it can take on; never below 0."""
        return max(0, self.capacity - self.taken)

    @property
    def can_take(self) -> bool:
        """Whether new work may be assigned at all."""
        return self.available and self.free > 0


@dataclass(frozen=True, slots=True)
class PartFit:
    """One part of a fit: its value from 0 to 1 and why."""

    name: Name
    value: float
    reason: Text


@dataclass(frozen=True, slots=True)
class Fit:
    """A broker's fit for a need: `score` from 0 to 1, 0 for who can take nothing on."""

    broker: BrokerFacts
    parts: tuple[PartFit, ...]
    score: float


def fit(need: NeedFacts, broker: BrokerFacts) -> Fit:
    """The fit of one broker: the weighted sum of field, region, language and free capacity, each 0 to 1.

    A named field or region that is the need's counts 1, none named counts a half, and others 0. A need without a field or
    region is everybody's, and counts a half.
    """
    parts = (_field(need, broker), _region(need, broker), _language(need, broker), _capacity(broker))
    total = sum(WEIGHTS[part.name] * part.value for part in parts)
    return Fit(broker, parts, min(1.0, total) if broker.can_take else 0.0)


def ranked(need: NeedFacts, brokers: Sequence[BrokerFacts]) -> list[Fit]:
    """Brokers for a need, best first; of equals the one with less in hand, then by id, so that the order is always the same."""
    fits = [fit(need, broker) for broker in brokers]
    return sorted(fits, key=lambda each: (-each.score, each.broker.taken, each.broker.id))


def _field(need: NeedFacts, broker: BrokerFacts) -> PartFit:
    if need.field is None:
        return PartFit("field", GENERAL, Text("需求未注明重点方向", "The need names no field"))
    if not broker.fields:
        return PartFit("field", GENERAL, Text("不限重点方向", "Works in every field"))
    if need.field in broker.fields:
        return PartFit("field", 1.0, Text("重点方向相符", "Names the need's field"))
    return PartFit("field", 0.0, Text("重点方向不符", "Works in other fields"))


def _region(need: NeedFacts, broker: BrokerFacts) -> PartFit:
    if not need.regions:
        return PartFit("region", GENERAL, Text("需求未注明地区", "The need names no region"))
    if not broker.regions:
        return PartFit("region", GENERAL, Text("不限地区", "Works in every region"))
    if need.regions & broker.regions:
        return PartFit("region", 1.0, Text("服务需求所在地区", "Serves the need's region"))
    return PartFit("region", 0.0, Text("不服务需求所在地区", "Serves other regions"))


def _language(need: NeedFacts, broker: BrokerFacts) -> PartFit:
    if need.language in broker.languages:
        return PartFit("language", 1.0, Text("通晓需求所用语言", "Speaks the need's language"))
    return PartFit("language", 0.0, Text("不通需求所用语言", "Does not speak the need's language"))


def _capacity(broker: BrokerFacts) -> PartFit:
    if not broker.available:
        return PartFit("capacity", 0.0, Text("目前不接受新任务", "Takes on nothing new at present"))
    if broker.free == 0:
        return PartFit("capacity", 0.0, Text("承接已满", "Has no free capacity"))
    return PartFit(
        "capacity",
        broker.free / broker.capacity,
        Text(
            f"还可承接 {broker.free} 项（共 {broker.capacity} 项）", f"Free for {broker.free} more of {broker.capacity}"
        ),
    )
