"""What the stages of matching hand to each other: frozen, typed, and nothing of a database."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.embedding.protocol import Encoded
from matching.indicators.types import Indicator

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]
Kind = Literal["need", "outcome"]
Language = Literal["zh", "en", "ar"]
Level = Literal["strong", "fair", "weak", "none"]
# The sections of what is not the author's: terms that the title mentions, and those of the rest.
GLOSSES = ("title_gloss", "gloss")
LEVELS: tuple[Level, ...] = ("strong", "fair", "weak", "none")


@dataclass(frozen=True, slots=True)
class Passage:
    """A sentence or list entry, the section that it comes from, and how much it says about what is wanted or offered."""

    section: str
    text: str
    weight: float = 1.0

    @property
    def is_gloss(self) -> bool:
        """Whether these are the Chinese terms of an English or Arabic text: matched, and never quoted."""
        return self.section in GLOSSES


@dataclass(frozen=True, slots=True)
class Facets:
    """What a listing states besides its text; None or empty means not stated.

    `field_group` is the group that the taxonomy puts the field in. `maturity` is a TRL: the least that a need can take up,
    the one that an outcome has reached. Prices are in `currency`: a need's budget, an outcome's asking price. `needed_by` is
    the last day on which a need can still use an answer.
    """

    field: str | None = None
    field_group: str | None = None
    industry: str | None = None
    region: str | None = None
    region_class: str | None = None
    partner_regions: frozenset[str] = frozenset()
    modes: frozenset[str] = frozenset()
    maturity: int | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    currency: str = "CNY"
    needed_by: date | None = None
    published_on: date | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """The matchable form of a listing."""

    id: UUID
    kind: Kind
    title: str
    keywords: tuple[str, ...]
    passages: tuple[Passage, ...]
    facets: Facets
    language: Language
    organization: UUID | None = None
    # What a need asks for, what an outcome states.
    indicators: tuple[Indicator, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """The passages as an encoder takes them, the title first."""
        return tuple(passage.text for passage in self.passages)


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Lexical terms of a profile: identifiers (ascending, int32) and weights of the same length.

    For an outcome the weights are BM25's, without the inverse document frequency; for a need they are those of a query.
    """

    identifiers: Ints
    weights: Floats


@dataclass(frozen=True, slots=True)
class AnswerHistory:
    """How an organization has answered what it was asked: how many questions it answered, how many are or were overdue.

    `median_hours` is taken over both; a question that was never answered counts with the time that it has been open, which is
    the least that an answer can take.
    """

    answered: int
    overdue: int
    median_hours: float


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddedProfile:
    """A profile with its vectors, its terms and its organization's history: all that signals look at."""

    profile: Profile
    encoded: Encoded
    terms: Terms
    history: AnswerHistory | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """Which profiles may be found; None means any."""

    field: str | None = None
    region_class: str | None = None
    mode: str | None = None
    not_organization: UUID | None = None
    identifiers: tuple[UUID, ...] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is filtered."""
        return self == Scope()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a signal saw: a code that names the case, and the values or quotes that belong to it."""

    code: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a signal says of a pair: `raw` from 0 to 1, or None where one side states nothing."""

    raw: float | None
    evidence: tuple[Evidence, ...] = ()
    conflict: str | None = None


@dataclass(frozen=True, slots=True)
class Contribution:
    """A signal's part in a pair's score: the parts of all signals and the intercept add up to it (in log-odds)."""

    signal: str
    raw: float | None
    weight: float
    part: float
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A ranked pair. `score` is in log-odds, `probability` that a broker would introduce the pair."""

    need_id: UUID
    outcome_id: UUID
    score: float
    probability: float
    level: Level
    contributions: tuple[Contribution, ...]
    conflicts: tuple[str, ...] = ()
    rank: int = field(default=0, compare=False)
