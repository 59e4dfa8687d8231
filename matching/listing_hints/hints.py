"""What a listing's text lacks, and which of its words say little. Pure: nothing of it needs an index or an encoder.

The rules follow what keeps listings unanswered: no figure to answer to, words of praise in place of figures, figures whose
conditions are open, and facets that a search filters by. Each check is one function; `CHECKS` registers them.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from matching.listing_hints import words
from matching.listing_hints.contacts import companies_in, contacts_in
from matching.listing_hints.draft import SEVERITIES, Draft, Hint, HintCode, Sentence, public_texts, sentences_of
from matching.listing_hints.figures import figures_of, has_figure, numbers_of
from matching.listing_hints.units import units

# In words or Han characters, indicators included. 13 of the demonstration's 307 listings are shorter.
SHORT_DESCRIPTION = 30
SHORT_TITLE = 4
# More of one kind would bury the others; the author finds the rest once the first are mended.
MOST_OF_A_KIND = 3
MOST_EXCERPT = 120
MOST_FIGURES = 10
# Characters between a word of degree and the figure that it belongs to.
NEAR = 30
_CLAUSE = re.compile(r"[，；;。！？!?\n]|,(?!\d)|\.(?!\d)")
_YEAR = re.compile(r"(?:19|20)\d\d")
# By such words a sentence of a need sets a bound, where others tell how it is today.
_BOUND = re.compile(
    r"[≥≤<>＜＞]|不[低高少多大小超]于?|以[内上下]|至少|最[多少低高]|控制在|达到|[降缩提延][低短高长]|要求|目标|不要超"
    r"|\b(?:at least|at most|up to|less than|more than|under|below|above|within|no more|must|should)\b|لا تقل|لا يزيد|على الأقل",
    re.IGNORECASE,
)
# Parts of a text that tell what is wanted or offered, and not what there is or who asks.
ASKING_SECTIONS = frozenset({"description", "goals", "innovations", "applications"})


def hints_of(draft: Draft) -> tuple[Hint, ...]:
    """Everything that is missing or vague, what matters most first. Never raises, whatever the text."""
    found: list[Hint] = []
    for check in CHECKS:
        found.extend(check(draft))
    ordered = sorted(dict.fromkeys(found), key=lambda hint: SEVERITIES.index(hint.severity))
    counts: Counter[HintCode] = Counter()
    kept = []
    for hint in ordered:
        counts[hint.code] += 1
        if counts[hint.code] <= MOST_OF_A_KIND:
            kept.append(hint)
    return tuple(kept)


def _excerpt(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= MOST_EXCERPT else text[: MOST_EXCERPT - 1] + "…"


def contact_data(draft: Draft) -> Iterator[Hint]:
    """Telephone numbers and addresses open on consent; in the text everybody reads them."""
    for name, text in public_texts(draft):
        for contact in contacts_in(text):
            yield Hint("contact_in_text", name, _excerpt(contact))


def organization_name(draft: Draft) -> Iterator[Hint]:
    """A need stays anonymous until its owner consents, unless its text tells the name."""
    if draft.listing.kind == "need":
        for name, text in public_texts(draft):
            for company in companies_in(text, draft.names):
                yield Hint("organization_named", name, _excerpt(company))


def length(draft: Draft) -> Iterator[Hint]:
    """A title and a text long enough to be understood."""
    listing = draft.listing
    if len(units(listing.title)) < SHORT_TITLE:
        yield Hint("title_short", "title", _excerpt(listing.title))
    written = sum(len(units(sentence.text)) for sentence in sentences_of(draft))
    if written == 0:
        yield Hint("description_missing", "description")
    elif written + sum(len(units(line)) for line in listing.indicators) < SHORT_DESCRIPTION:
        yield Hint("description_short", "description")


def demand(draft: Draft) -> Iterator[Hint]:
    """A need whose text tells who the company is and what it has, and not what it wants."""
    sentences = list(sentences_of(draft))
    if draft.listing.kind != "need" or not sentences or draft.listing.indicators:
        return
    asking = [sentence for sentence in sentences if sentence.section in ASKING_SECTIONS]
    if any(words.DEMAND.search(sentence.text) for sentence in asking) or words.DEMAND.search(draft.listing.title):
        return
    told = next((sentence for sentence in sentences if words.HISTORY.search(sentence.text)), None)
    if told is not None or not asking:
        first = told or sentences[0]
        yield Hint("no_demand", first.field, _excerpt(first.text))


def figures(draft: Draft) -> Iterator[Hint]:
    """Some figure, and figures as indicators, one a line."""
    if draft.listing.indicators:
        return
    clauses = (clause for sentence in _asking(draft) for clause in _CLAUSE.split(sentence.text))
    # How large the plant is, and since when, is no figure that an outcome answers to.
    stating = next((each for each in clauses if figures_of(each) and not words.HISTORY.search(each)), None)
    if stating is not None:
        yield Hint("indicators_not_listed", "indicators", _excerpt(stating.strip()))
    else:
        yield Hint("no_indicator", "indicators")


def goals(draft: Draft) -> Iterator[Hint]:
    """A goal that says to raise or lower something says by how much; an indicator may say it."""
    if draft.listing.kind != "need":
        return
    stated = units(" ".join(line for line in draft.listing.indicators if has_figure(line)))
    known = {tuple(stated[start : start + 3]) for start in range(len(stated) - 2)}
    for sentence in _asking(draft):
        wants = sentence.field == "goals" or words.DEMAND.search(sentence.text)
        if wants and words.CHANGE.search(sentence.text) and not has_figure(sentence.text):
            for clause in _CLAUSE.split(sentence.text):
                if words.CHANGE.search(clause) and not _is_among(clause, known):
                    yield Hint("goal_without_figure", sentence.field, _excerpt(clause.strip()))


def vagueness(draft: Draft) -> Iterator[Hint]:
    """Words of praise and degree, unless a figure beside them says what they mean."""
    texts = [("title", draft.listing.title), *((s.field, s.text) for s in _asking(draft))]
    for name, text in (*texts, *(("indicators", line) for line in draft.listing.indicators)):
        for clause in _CLAUSE.split(text):
            vague = words.VAGUE.search(clause)
            if vague and not has_figure(clause[max(0, vague.start() - NEAR) : vague.end() + NEAR]):
                yield Hint("vague_word", name, _excerpt(clause.strip()), vague.group())


def indicators(draft: Draft) -> Iterator[Hint]:
    """Indicators that have a figure, and the condition without which theirs means little."""
    for line in draft.listing.indicators:
        if not has_figure(line):
            if words.DEGREE.search(line):
                yield Hint("indicator_without_figure", "indicators", _excerpt(line))
            continue
        kind = next((each for each in words.CONDITIONALS if each.pattern.search(line)), None)
        conditional = words.CONDITION.search(line) or any(figure.condition for figure in figures_of(line))
        if kind is not None and not conditional:
            yield Hint("indicator_without_condition", "indicators", _excerpt(line), kind.topic)


def facets(draft: Draft) -> Iterator[Hint]:
    """What others filter and compare by."""
    listing = draft.listing
    stated = listing.facets
    if stated.field is None:
        yield Hint("no_field", "field")
    if stated.maturity is None:
        yield Hint("no_maturity", "maturity")
    if stated.price_min is None and stated.price_max is None and not draft.price_open:
        yield Hint("no_price", "price_max")
    if listing.kind == "need" and stated.needed_by is None:
        yield Hint("no_deadline", "needed_by")
    if not stated.modes:
        yield Hint("no_modes", "modes")
    if not listing.keywords:
        yield Hint("no_keywords", "keywords")


def unlisted_figures(draft: Draft) -> tuple[str, ...]:
    """Clauses of the text whose figures no indicator has, for the author to list; of a need those that ask for something.

    What a company is and has, contact data and years are no indicators.
    """
    listed = {number for line in (draft.listing.title, *draft.listing.indicators) for number in numbers_of(line)}
    found: list[str] = []
    for sentence in _asking(draft):
        # Once for each clause, however many figures it has.
        for clause in dict.fromkeys(figure.text for figure in figures_of(sentence.text)):
            stated = {number for number in numbers_of(clause) if not _YEAR.fullmatch(number)}
            wanted = draft.listing.kind == "outcome" or _BOUND.search(clause)
            if stated and not stated <= listed and wanted and not words.HISTORY.search(clause):
                found.append(_excerpt(clause))
                listed |= stated
            if len(found) == MOST_FIGURES:
                return tuple(found)
    return tuple(found)


def _asking(draft: Draft) -> Iterable[Sentence]:
    return (sentence for sentence in sentences_of(draft) if sentence.section in ASKING_SECTIONS)


def _is_among(clause: str, known: set[tuple[str, ...]]) -> bool:
    """Whether an indicator gives the figure of a clause: three characters of it in a row, such as 含水率, stand there."""
    parts = units(clause)
    return any(tuple(parts[start : start + 3]) in known for start in range(len(parts) - 2))


CHECKS: tuple[Callable[[Draft], Iterator[Hint]], ...] = (
    contact_data,
    organization_name,
    length,
    demand,
    figures,
    goals,
    vagueness,
    facets,
    indicators,
)
