"""From the text of a listing to its profile: sections, passages, and how much each of them matters."""

from dataclasses import dataclass
from uuid import UUID

from matching.indicators.asked import asked_of, stated_of
from matching.languages import gloss
from matching.profiling.language import detect_language
from matching.profiling.passages import split_text
from matching.types import Facets, Kind, Language, Passage, Profile

# How much a section says about what is wanted or offered. What a company has done so far and how big it is says little.
SECTION_WEIGHTS = {
    "title": 1.0,
    "description": 1.0,
    "goals": 1.0,
    "indicators": 1.0,
    "innovations": 1.0,
    "applications": 0.8,
    "keywords": 0.8,
    "background": 0.5,
    "prospects": 0.4,
    "partner_requirements": 0.3,
    "foundation": 0.2,
    "title_gloss": 1.0,
    "gloss": 0.8,
}
MOST_PASSAGES = 200
# What a text is about is named early; later terms are mostly general ones.
MOST_GLOSSES = 60
# A passage counts by its length up to here: a long sentence is not a more important one.
FULL_LENGTH = 60
# A power of two: such weights come back from a column of single precision as they were, so that a text ranks the same
# whether it is stored or not.
WEIGHT_STEPS = 4096


NOTHING_STATED = Facets()


@dataclass(frozen=True, slots=True)
class ListingText:
    """What the service hands over of a listing: texts by section name (see `SECTION_WEIGHTS`), and facets."""

    id: UUID
    kind: Kind
    title: str
    sections: tuple[tuple[str, str], ...]
    indicators: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    facets: Facets = NOTHING_STATED
    organization: UUID | None = None


def compose(listing: ListingText) -> Profile:
    """The profile of a listing. Its first passage is the title.

    An English or Arabic text gets two more passages at the end: the Chinese terms that its title mentions, and those of the
    rest. By them it and Chinese texts find each other, and English and Arabic ones too.
    """
    passages = [_passage("title", listing.title)]
    for name, text in listing.sections:
        passages.extend(_passage(piece.section, piece.text) for piece in split_text(text, name))
    passages.extend(_passage("indicators", line) for line in listing.indicators if line.strip())
    if listing.keywords:
        passages.append(_passage("keywords", "、".join(listing.keywords)))
    # A title that is only the beginning of a text may stop within a figure, which the text itself gives whole.
    told = passages[1:] if _begins(listing) else passages
    texts = [(passage.section, passage.text) for passage in told]
    whole = "\n".join([listing.title, *(text for _, text in listing.sections)])
    language = detect_language(whole)
    kept = tuple(passages) if len(passages) <= MOST_PASSAGES else _bounded(passages)
    return Profile(
        id=listing.id,
        kind=listing.kind,
        title=listing.title,
        keywords=listing.keywords,
        passages=(*kept, *_glosses(kept, language)),
        facets=listing.facets,
        language=language,
        organization=listing.organization,
        indicators=asked_of(texts) if listing.kind == "need" else stated_of(texts),
    )


def _begins(listing: ListingText) -> bool:
    title = listing.title.strip()
    return any(text.strip().startswith(title) for _, text in listing.sections)


def _glosses(passages: tuple[Passage, ...], language: Language) -> list[Passage]:
    of_title = gloss(passages[0].text, language)
    others = gloss("\n".join(passage.text for passage in passages[1:]), language)
    rest = [term for term in others if term not in of_title][:MOST_GLOSSES]
    named = (("title_gloss", of_title), ("gloss", rest))
    return [_passage(section, "、".join(terms)) for section, terms in named if terms]


def _passage(section: str, text: str) -> Passage:
    # A title is short because it is condensed; it counts in full.
    length = 1.0 if section in ("title", "title_gloss") else min(len(text), FULL_LENGTH) / FULL_LENGTH
    weight = SECTION_WEIGHTS.get(section, 1.0) * length
    return Passage(section, text.strip(), round(weight * WEIGHT_STEPS) / WEIGHT_STEPS)


def _bounded(passages: list[Passage]) -> tuple[Passage, ...]:
    """The last place takes the rest of a text of endless short lines, so that nothing of it is lost."""
    kept, rest = passages[: MOST_PASSAGES - 1], passages[MOST_PASSAGES - 1 :]
    return (*kept, Passage("description", " ".join(passage.text for passage in rest), 1.0))
