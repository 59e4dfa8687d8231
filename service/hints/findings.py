"""From a draft and what surrounds it to everything that hints say, before it is put into words."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from matching.embedding import Encoded
from matching.index import candidates as retrieval
from matching.index import profiles
from matching.index.models import EmbeddingModel
from matching.listing_hints import (
    Candidates,
    Draft,
    FieldOf,
    FieldWords,
    FigureDifference,
    Hint,
    Overlap,
    SuggestedField,
    candidates_of,
    field_hint,
    figure_differences,
    hints_of,
    overlap,
    shingles_of,
    suggest_fields,
    unlisted_figures,
)
from matching.profiling import compose
from matching.types import Kind, Profile, Scope
from service.hints.vectors import Vectors
from service.kit.db import Connection
from service.listings.schemas import Kind as ListingKind
from service.taxonomy.schemas import Field

# The nearest of each kind: their fields vote, their keywords are known words, and those of the same kind may be twins.
NEAREST = 20
MOST_DUPLICATES = 5
KINDS: tuple[Kind, ...] = ("need", "outcome")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A published listing near a text, with the inner product of their vectors."""

    profile: Profile
    similarity: float


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a draft is held against: the fields, its vectors, published neighbours, and its organization's other drafts."""

    fields: Sequence[FieldWords]
    vectors: Vectors
    near: Sequence[Neighbour]
    unpublished: Sequence[Draft]


@dataclass(frozen=True, slots=True)
class Twin:
    """A near-duplicate: its id, how much the texts share, and the figures that differ."""

    id: UUID
    overlap: Overlap
    differences: tuple[FigureDifference, ...]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything found for a listing of `kind`."""

    kind: ListingKind
    hints: tuple[Hint, ...]
    duplicates: tuple[Twin, ...]
    fields: tuple[SuggestedField, ...]
    candidates: Candidates
    indicators: tuple[str, ...]
    vectors: Vectors


def field_words(fields: Sequence[Field]) -> tuple[FieldWords, ...]:
    """The taxonomy's fields as matching takes them."""
    return tuple(
        FieldWords(
            field.code,
            (
                ("zh", (field.label_zh, *field.keywords.get("zh", []))),
                ("en", (field.label_en, *field.keywords.get("en", []))),
                ("ar", (*([field.label_ar] if field.label_ar else []), *field.keywords.get("ar", []))),
            ),
        )
        for field in fields
    )


async def neighbours(
    connection: Connection, profile: Profile, model: EmbeddingModel | None, encoded: Encoded | None
) -> list[Neighbour]:
    """The published listings of both kinds nearest to a text, itself left out, nearest first; none without its vector."""
    if model is None or encoded is None:
        return []
    found: list[Neighbour] = []
    for kind in KINDS:
        near = await retrieval.nearest(connection, kind, encoded.vector, model, Scope(), NEAREST + 1)
        loaded = await profiles.load(connection, kind, model.id, [each.id for each in near if each.id != profile.id])
        known = {each.profile.id: each.profile for each in loaded}
        found.extend(Neighbour(known[each.id], each.score) for each in near if each.id in known)
    return sorted(found, key=lambda each: -each.similarity)


def find(draft: Draft, profile: Profile, around: Surroundings) -> Findings:
    """Everything that hints say of a draft; `profile` is its own. Does no I/O, and takes a while for long texts."""
    suggestions = suggest_fields(
        profile,
        around.fields,
        encoded=around.vectors.text,
        field_vectors=around.vectors.fields,
        neighbours=[
            FieldOf(each.profile.facets.field, each.similarity) for each in around.near if each.profile.facets.field
        ],
    )
    doubt = field_hint(profile.facets.field, suggestions)
    established = [word for each in around.near for word in each.profile.keywords]
    established.extend(word for field in around.fields for word in field.in_language(profile.language))
    return Findings(
        kind=ListingKind(profile.kind),
        hints=(*hints_of(draft), *([doubt] if doubt else [])),
        duplicates=_duplicates(profile, around),
        fields=suggestions,
        candidates=candidates_of(profile, established),
        indicators=unlisted_figures(draft),
        vectors=around.vectors,
    )


def _duplicates(profile: Profile, around: Surroundings) -> tuple[Twin, ...]:
    others = [each.profile for each in around.near if each.profile.kind == profile.kind]
    others.extend(compose(draft.listing) for draft in around.unpublished)
    own = shingles_of(profile)
    shared = [(other, overlap(own, shingles_of(other))) for other in others]
    twins = sorted(
        ((other, how) for other, how in shared if how.is_near_duplicate), key=lambda pair: -pair[1].similarity
    )
    return tuple(Twin(other.id, how, figure_differences(profile, other)) for other, how in twins[:MOST_DUPLICATES])
