"""Terms, their numbers and document frequencies: what BM25 needs (Robertson and Zaragoza 2009).

The weight of a term in an outcome is tf (k1 + 1) / (tf + k1 (1 - b + b length / average)); it is stored, since it does
not change. The inverse document frequency does, and is put into the query. A need's terms are weighted sqrt(min(tf, 2)).
"""

import math
from collections import Counter

import numpy as np

from matching.index import Connection
from matching.profiling.tokens import TOKENIZER, count_terms
from matching.types import Kind, Profile, Terms

K1 = 1.2
B = 0.75
MOST_QUERY_FREQUENCY = 2
# Until somebody measures a collection: the terms of a listing of three hundred characters.
DEFAULT_AVERAGE_LENGTH = 250.0
# pgvector holds up to 16,000 entries in a sparse vector; where a text has more terms, the lightest are left out.
MOST_TERMS = 15_000
DIMENSIONS = 1_000_000_000

CREATE_LEXICON = "insert into match_lexicon (tokenizer, average_length) values ($1, $2) on conflict do nothing"
GET_LEXICON = "select tokenizer, average_length, needs, outcomes from match_lexicon"


async def ensure_lexicon(connection: Connection, average_length: float = DEFAULT_AVERAGE_LENGTH) -> float:
    """The length that weights are measured against, noting it first where there is none."""
    row = await connection.fetchrow(GET_LEXICON)
    if row is None:
        await connection.execute(CREATE_LEXICON, TOKENIZER, average_length)
        row = await connection.fetchrow(GET_LEXICON)
    assert row is not None
    return float(row["average_length"])


async def collection_size(connection: Connection, kind: Kind) -> int:
    """How many profiles of a kind the index holds."""
    row = await connection.fetchrow(GET_LEXICON)
    return 0 if row is None else int(row["needs"] if kind == "need" else row["outcomes"])


def profile_counts(profile: Profile) -> Counter[str]:
    """Term frequencies of a profile, fields that say what it is about counting twice.

    Those are a need's title, and an outcome's title and keywords: fields weighted before the saturation of term
    frequency, as in Robertson, Zaragoza and Taylor 2004 (BM25F).
    """
    texts = [*profile.texts, profile.title]
    if profile.kind == "outcome":
        texts.extend(profile.keywords)
    return count_terms(texts)


def document_weights(counts: Counter[str], average_length: float) -> dict[str, float]:
    """BM25 weights of an outcome's terms, without the inverse document frequency.

    >>> round(document_weights(Counter({"干燥": 2, "枸杞": 1}), average_length=3.0)["干燥"], 4) == round(2 * 2.2 / (2 + 1.2), 4)
    True
    """
    length = counts.total()
    norm = K1 * (1 - B + B * length / average_length)
    return {term: count * (K1 + 1) / (count + norm) for term, count in counts.items()}


def query_weights(counts: Counter[str]) -> dict[str, float]:
    """Weights of a need's terms: being said twice counts more, being said ten times no more than that."""
    return {term: math.sqrt(min(count, MOST_QUERY_FREQUENCY)) for term, count in counts.items()}


def inverse_document_frequency(documents: int, collection: int) -> float:
    """ln(1 + (N - n + 0.5) / (n + 0.5)); 0 for a term that no document has, since no document can then have it."""
    return math.log(1 + (collection - documents + 0.5) / (documents + 0.5)) if documents > 0 else 0.0


# Whoever changes terms holds the lexicon's row until the transaction ends. Two writers share their commonest terms
# whatever the texts are, so that they would wait for one another anyway; this way they wait in one place, and never
# in a circle: a text that is written anew gives up terms and takes others, and no order of its own would be safe.
LOCK_LEXICON = "select from match_lexicon for no key update"


async def lock_lexicon(connection: Connection) -> None:
    """Wait until no other transaction changes terms or counts."""
    await connection.execute(LOCK_LEXICON)


ADD_TERMS = """
insert into match_vocabulary (term, needs, outcomes)
select term, $2, $3 from unnest($1::text[]) as given (term)
on conflict (term) do update set needs = match_vocabulary.needs + $2, outcomes = match_vocabulary.outcomes + $3
returning id, term
"""


async def add_terms(connection: Connection, kind: Kind, terms: list[str]) -> dict[str, int]:
    """Numbers of terms, making those that are new; each counts one document more. The lexicon is locked before."""
    need, outcome = int(kind == "need"), int(kind == "outcome")
    return {row["term"]: row["id"] for row in await connection.fetch(ADD_TERMS, terms, need, outcome)}


DROP_TERMS = "update match_vocabulary set needs = needs - $2, outcomes = outcomes - $3 where id = any ($1)"


async def drop_terms(connection: Connection, kind: Kind, identifiers: list[int]) -> None:
    """Each of these terms counts one document less. The lexicon is locked before."""
    await connection.execute(DROP_TERMS, identifiers, int(kind == "need"), int(kind == "outcome"))


FIND_TERMS = "select id, term from match_vocabulary where term = any ($1)"


async def find_terms(connection: Connection, terms: list[str]) -> dict[str, int]:
    """Numbers of the terms that are known."""
    return {row["term"]: row["id"] for row in await connection.fetch(FIND_TERMS, terms)}


FREQUENCIES = "select id, term, outcomes from match_vocabulary where id = any ($1)"


async def frequencies(connection: Connection, identifiers: list[int]) -> dict[int, tuple[str, int]]:
    """Term and number of outcomes that have it, by term number."""
    return {row["id"]: (row["term"], row["outcomes"]) for row in await connection.fetch(FREQUENCIES, identifiers)}


DOCUMENT_FREQUENCIES = "select term, needs + outcomes as documents from match_vocabulary where term = any ($1)"


async def document_frequencies(connection: Connection, terms: list[str]) -> dict[str, int]:
    """How many profiles of either kind have each of these terms; unknown ones are left out."""
    return {row["term"]: row["documents"] for row in await connection.fetch(DOCUMENT_FREQUENCIES, terms)}


COUNT_PROFILE = "update match_lexicon set needs = needs + $1, outcomes = outcomes + $2"


async def count_profile(connection: Connection, kind: Kind, step: int) -> None:
    """Count a profile in (1) or out (-1)."""
    await connection.execute(COUNT_PROFILE, step if kind == "need" else 0, step if kind == "outcome" else 0)


def as_terms(weights: dict[str, float], numbers: dict[str, int]) -> Terms:
    """Weights by term as two arrays, ascending by number; terms without a number are left out."""
    known = sorted((numbers[term], weight) for term, weight in weights.items() if term in numbers)
    return Terms(
        np.array([number for number, _ in known], dtype=np.int32),
        np.array([weight for _, weight in known], dtype=np.float32),
    )


def weights_of(profile: Profile, average_length: float) -> dict[str, float]:
    """The stored weights of a profile's terms, by its kind: of a text with very many terms, those of the greatest weight."""
    counts = profile_counts(profile)
    weights = document_weights(counts, average_length) if profile.kind == "outcome" else query_weights(counts)
    if len(weights) <= MOST_TERMS:
        return weights
    return dict(sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:MOST_TERMS])
