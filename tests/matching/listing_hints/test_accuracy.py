"""How often suggested fields and keywords are the stated ones, on the demonstration's listings with the real encoder."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import numpy as np
import pytest

from matching.embedding import Encoded, Encoder, load_encoder
from matching.listing_hints import candidates_of, suggest_keywords
from matching.listing_hints.field_suggestion import NEIGHBOURS, FieldOf, FieldWords, field_probabilities
from matching.profiling import ListingText, compose, count_terms, fold
from matching.types import Language, Profile
from tests.matching.embedding.conftest import CACHE

SEEDS = Path(__file__).parents[3] / "seeds"
SECTIONS = {
    "needs": ("description", "goals", "background", "partner_requirements", "foundation"),
    "outcomes": ("description", "innovations", "applications", "prospects"),
}


@dataclass(frozen=True, slots=True)
class Stated:
    """A listing of the demonstration with the field that it states."""

    profile: Profile
    encoded: Encoded
    code: str


def fields() -> list[FieldWords]:
    found = []
    for entry in json.loads((SEEDS / "taxonomy" / "fields.json").read_text(encoding="utf-8")):
        languages: Sequence[Language] = ("zh", "en", "ar")
        words = tuple((name, (entry[f"label_{name}"], *entry["keywords"][name])) for name in languages)
        found.append(FieldWords(entry["code"], words))
    return found


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The encoder as the service loads it."""
    return load_encoder(None, CACHE, dtype="auto")


@pytest.fixture(scope="module")
def listings(encoder: Encoder) -> list[Stated]:
    found = []
    for name, sections in SECTIONS.items():
        profiles, codes = [], []
        for file in sorted((SEEDS / "demo").glob(f"{name}-*.jsonl")):
            for line in file.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                texts = tuple((section, row[section]) for section in sections if row.get(section))
                listing = ListingText(
                    uuid5(NAMESPACE_URL, row["external_id"]),
                    "need" if name == "needs" else "outcome",
                    row["title"],
                    texts,
                    tuple(row.get("indicators") or ()),
                    tuple(row.get("keywords") or ()),
                )
                profiles.append(compose(listing))
                codes.append(row["field"])
        vectors = encoder.encode([profile.texts for profile in profiles], "query" if name == "needs" else "document")
        found.extend(Stated(*each) for each in zip(profiles, vectors, codes, strict=True))
    return found


def without_themselves(listings: Sequence[Stated]) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """Similarities of all listings, shape (listings, listings), each one's own the least."""
    matrix = np.stack([listing.encoded.vector for listing in listings])
    similarities = matrix @ matrix.T
    np.fill_diagonal(similarities, -1)
    return similarities


def hits(
    listings: Sequence[Stated], probabilities: list["np.ndarray[tuple[int], np.dtype[np.float64]]"], first: int
) -> float:
    codes = [field.code for field in fields()]
    right = [
        listing.code in [codes[place] for place in np.argsort(-shares, kind="stable")[:first]]
        for listing, shares in zip(listings, probabilities, strict=True)
    ]
    return sum(right) / len(right)


def test_suggested_fields_are_the_stated_ones(listings: list[Stated], encoder: Encoder) -> None:
    asked = fields()
    vectors = {
        name: encoder.encode([field.in_language(name) for field in asked], "document") for name in ("zh", "en", "ar")
    }
    similarities = without_themselves(listings)
    with_index, with_encoder, with_words = [], [], []
    for place, listing in enumerate(listings):
        near = np.argsort(-similarities[place], kind="stable")[:NEIGHBOURS]
        neighbours = [FieldOf(listings[other].code, float(similarities[place, other])) for other in near]
        own = (listing.profile, asked, listing.encoded, vectors[listing.profile.language])
        with_index.append(field_probabilities(*own, neighbours))
        with_encoder.append(field_probabilities(*own, []))
        with_words.append(field_probabilities(listing.profile, asked, None, None, []))
    measured = [
        (round(hits(listings, found, 1), 3), round(hits(listings, found, 3), 3))
        for found in (with_index, with_encoder, with_words)
    ]
    floors = [(0.83, 0.93), (0.61, 0.80), (0.36, 0.48)]
    for (one, three), (floor_of_one, floor_of_three) in zip(measured, floors, strict=True):
        assert one >= floor_of_one, measured
        assert three >= floor_of_three, measured
    # A sure suggestion is right.
    sure = [shares.max() >= 0.9 for shares in with_index]
    chosen = [listing for listing, is_sure in zip(listings, sure, strict=True) if is_sure]
    shown = [shares for shares, is_sure in zip(with_index, sure, strict=True) if is_sure]
    assert hits(chosen, shown, 1) >= 0.96
    assert len(chosen) >= 0.5 * len(listings)


def test_suggested_keywords_are_the_given_ones(listings: list[Stated]) -> None:
    taxonomy = [word for field in fields() for word in field.all_words()]
    documents: Counter[str] = Counter()
    for listing in listings:
        documents.update(set(count_terms(listing.profile.texts)))
    given, same, akin = 0, 0, 0
    for near, listing in zip(without_themselves(listings), listings, strict=True):
        profile = listing.profile
        bare = replace(
            profile, keywords=(), passages=tuple(each for each in profile.passages if each.section != "keywords")
        )
        others = [word for other in np.argsort(-near, kind="stable")[:20] for word in listings[other].profile.keywords]
        candidates = candidates_of(bare, [*others, *taxonomy])
        found = [fold(word) for word in suggest_keywords(candidates, documents, len(listings))]
        for word in map(fold, profile.keywords):
            given += 1
            same += word in found
            akin += any(word in other or other in word for other in found)
    measured = (round(same / given, 3), round(akin / given, 3))
    assert measured[0] >= 0.33, measured
    assert measured[1] >= 0.57, measured
