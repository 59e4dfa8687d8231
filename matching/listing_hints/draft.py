"""What hints are given on, and what a hint is."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from matching.listing_hints.contacts import without_contacts
from matching.profiling import ListingText, split_text

Severity = Literal["high", "medium", "low"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
HintCode = Literal[
    "contact_in_text",
    "organization_named",
    "description_missing",
    "no_demand",
    "no_indicator",
    "description_short",
    "goal_without_figure",
    "vague_word",
    "no_field",
    "field_doubtful",
    "no_maturity",
    "no_price",
    "no_deadline",
    "title_short",
    "indicator_without_figure",
    "indicator_without_condition",
    "indicators_not_listed",
    "no_modes",
    "no_keywords",
]
# What keeps a listing from being answered at all, what makes answers poor, what would make them better.
SEVERITY: dict[HintCode, Severity] = {
    "contact_in_text": "high",
    "organization_named": "high",
    "description_missing": "high",
    "no_demand": "high",
    "no_indicator": "high",
    "description_short": "medium",
    "goal_without_figure": "medium",
    "vague_word": "medium",
    "no_field": "medium",
    "field_doubtful": "medium",
    "no_maturity": "medium",
    "no_price": "medium",
    "no_deadline": "medium",
    "title_short": "medium",
    "indicator_without_figure": "low",
    "indicator_without_condition": "low",
    "indicators_not_listed": "low",
    "no_modes": "low",
    "no_keywords": "low",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A listing as its author wrote it.

    `price_open` says that the price, or the budget, is to be negotiated; `names` are those of the author's organization,
    which a public text should not carry.
    """

    listing: ListingText
    price_open: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """Something that is missing or vague.

    `field` is the name of the listing's field or facet (see `matching.types.Facets`), `excerpt` the words that it is
    about, `topic` the kind of quantity where the code alone does not say what to add.
    """

    code: HintCode
    field: str
    excerpt: str = ""
    topic: str = ""

    @property
    def severity(self) -> Severity:
        """How much it matters."""
        return SEVERITY[self.code]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a text field: the field that it stands in, and the section that a heading inside the text opened."""

    field: str
    section: str
    text: str


def sentences_of(draft: Draft) -> Iterator[Sentence]:
    """The sentences of the text fields in order, without title, indicators and keywords.

    Contact data is left out: a telephone number is no figure, and moves to a field of its own.
    """
    for name, text in draft.listing.sections:
        for piece in split_text(without_contacts(text), name):
            yield Sentence(name, piece.section, piece.text)


def public_texts(draft: Draft) -> Iterator[tuple[str, str]]:
    """Every text that readers see, with the name of its field."""
    listing = draft.listing
    yield "title", listing.title
    yield from listing.sections
    for line in listing.indicators:
        yield "indicators", line
    for word in listing.keywords:
        yield "keywords", word
