"""The demo's listings as parents of a generated index: their real vectors, and their real terms."""

import json
from collections import Counter
from dataclasses import dataclass

from matching.embedding import Encoded, Encoder
from matching.evaluation.scratch import ROLES, identifier_of
from matching.index.vocabulary import profile_counts
from matching.profiling import ListingText, compose
from matching.types import Kind, Profile
from service.demo import FOLDER
from service.matches.profiles import NEED_SECTIONS, OUTCOME_SECTIONS

SECTIONS: dict[Kind, tuple[str, ...]] = {"need": NEED_SECTIONS, "outcome": OUTCOME_SECTIONS}


@dataclass(frozen=True, slots=True, eq=False)
class Parent:
    """A demo listing: profile, vectors of the bundled model, and how often each term occurs."""

    profile: Profile
    encoded: Encoded
    counts: Counter[str]


def parents(encoder: Encoder, kind: Kind) -> list[Parent]:
    """Every demo listing of a kind, embedded."""
    profiles = [
        _profile(kind, json.loads(line))
        for file in sorted(FOLDER.glob(f"{kind}s-*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    encoded = encoder.encode([profile.texts for profile in profiles], ROLES[kind])
    return [Parent(p, e, profile_counts(p)) for p, e in zip(profiles, encoded, strict=True)]


def _profile(kind: Kind, row: dict) -> Profile:  # type: ignore[type-arg]
    sections = tuple((name, row[name]) for name in SECTIONS[kind] if row.get(name))
    texts = tuple(row.get("indicators", ())), tuple(row.get("keywords", ()))
    return compose(ListingText(identifier_of(kind, row["external_id"]), kind, row["title"], sections, *texts))
