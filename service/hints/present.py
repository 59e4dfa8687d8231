"""Findings as a caller sees them, in their language."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from matching import listing_hints as found_by
from matching.listing_hints import SEVERITIES
from service.hints.findings import Findings, Twin
from service.hints.messages import wording_of
from service.hints.schemas import DifferingFigure, Duplicate, Hint, ListingHints, Part, SuggestedField
from service.hints.vectors import Vectors
from service.kit.language import Text
from service.listings.schemas import Kind, Listing
from service.taxonomy.schemas import Field

# Facets whose fields have another name in the API.
NEED_NAMES = {"maturity": "maturity_min", "price_max": "budget_max"}


def present(
    found: Findings,
    keywords: Sequence[str],
    others: Mapping[UUID, Listing],
    fields: Sequence[Field],
    organization: UUID | None,
) -> ListingHints:
    """Findings with their words. `others` are the near-duplicates that the caller may see, `organization` the author's."""
    labels = {field.code: str(Text(field.label_zh, field.label_en)) for field in fields}
    hints = sorted(found.hints, key=lambda hint: SEVERITIES.index(hint.severity))
    missing = missing_parts(found.vectors)
    return ListingHints(
        hints=[_hint(hint, found.kind) for hint in hints],
        duplicates=[_duplicate(each, others[each.id], organization) for each in found.duplicates if each.id in others],
        fields=[
            SuggestedField(code=each.code, label=labels[each.code], confidence=each.confidence) for each in found.fields
        ],
        keywords=list(keywords),
        indicators=list(found.indicators),
        complete=not missing,
        missing=missing,
    )


def missing_parts(vectors: Vectors) -> list[Part]:
    """What could not be looked up, or is guessed from words alone."""
    if vectors.text is None:
        return ["duplicates", "fields", "keywords"]
    return [] if vectors.fields is not None else ["fields"]


def _hint(hint: found_by.Hint, kind: Kind) -> Hint:
    wording = wording_of(hint.code, hint.topic)
    return Hint(
        code=hint.code,
        severity=hint.severity,
        field=NEED_NAMES.get(hint.field, hint.field) if kind is Kind.NEED else hint.field,
        message=str(wording.message),
        advice=str(wording.advice),
        excerpt=hint.excerpt or None,
    )


def _duplicate(twin: Twin, other: Listing, organization: UUID | None) -> Duplicate:
    return Duplicate(
        id=other.id,
        title=other.title,
        state=other.state,
        same_organization=organization is not None and other.organization_id == organization,
        similarity=round(twin.overlap.similarity, 3),
        resemblance=round(twin.overlap.resemblance, 3),
        containment=round(twin.overlap.containment, 3),
        differing_figures=[
            DifferingFigure(quantity=each.quantity, here=each.here, there=each.there) for each in twin.differences
        ],
    )
