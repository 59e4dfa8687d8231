"""From a listing's content to what hints are given on."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from matching.listing_hints import Draft
from matching.profiling import ListingText
from matching.types import Facets
from service.listings.schemas import Kind, Listing, ListingContent
from service.matches.profiles import sections_of
from service.needs.schemas import NeedContent
from service.needs.schemas import content_of as need_content
from service.outcomes.schemas import OutcomeContent
from service.outcomes.schemas import content_of as outcome_content


def draft_of(identifier: UUID, content: ListingContent, names: tuple[str, ...]) -> Draft:
    """The draft of a content; `names` are those of its organization."""
    need = content if isinstance(content, NeedContent) else None
    outcome = content if isinstance(content, OutcomeContent) else None
    kind = Kind.NEED if need else Kind.OUTCOME
    facets = Facets(
        field=content.field,
        industry=content.industry,
        region=content.region,
        modes=frozenset(content.modes),
        maturity=need.maturity_min if need else outcome.maturity if outcome else None,
        price_min=need.budget_min if need else outcome.price_min if outcome else None,
        price_max=need.budget_max if need else outcome.price_max if outcome else None,
        currency=content.currency,
        needed_by=need.needed_by if need else None,
    )
    text = ListingText(
        identifier,
        kind.value,
        content.title,
        sections_of(kind, content),
        tuple(content.indicators),
        tuple(content.keywords),
        facets,
    )
    is_open = need.budget_negotiable if need else bool(outcome and outcome.price_negotiable)
    return Draft(text, price_open=is_open, names=names)


def with_known_field(draft: Draft, codes: Collection[str]) -> Draft:
    """The draft without its field where the taxonomy has no such code: storing it would be refused, hints only say so."""
    facets = draft.listing.facets
    if facets.field is None or facets.field in codes:
        return draft
    return replace(draft, listing=replace(draft.listing, facets=replace(facets, field=None)))


def stored_draft(listing: Listing) -> Draft:
    """The draft of a stored listing."""
    content = need_content(listing) if listing.kind is Kind.NEED else outcome_content(listing)
    names = (listing.organization.name,) if listing.organization else ()
    return draft_of(listing.id, content, names)
