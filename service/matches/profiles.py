"""From a listing, or an ad-hoc text, to the profile that matching reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from matching.profiling import ListingText, compose
from matching.types import Facets, Kind, Profile
from service.kit.clock import MARKET_ZONE
from service.listings.schemas import Kind as ListingKind
from service.listings.schemas import Listing, ListingContent
from service.matches.schemas import AdHocRequest

# Only these leave for the index, which every market participant is matched on: no contact, no name, no organization.
NEED_SECTIONS = ("description", "goals", "background", "partner_requirements", "foundation")
OUTCOME_SECTIONS = ("description", "innovations", "applications", "prospects")


# They post in the name of others, so that two of their listings are not two sides of one organization.
ON_BEHALF = frozenset({"market", "intermediary"})


def sections_of(kind: ListingKind, listing: Listing | ListingContent) -> tuple[tuple[str, str], ...]:
    """The texts of a listing by section name, as far as they are written."""
    names = NEED_SECTIONS if kind is ListingKind.NEED else OUTCOME_SECTIONS
    return tuple((name, text) for name in names if (text := getattr(listing, name)))


def profile_of(listing: Listing, partner_regions: Sequence[str]) -> Profile:
    """The profile of a stored listing; `partner_regions` are those paired with its own by a programme.

    Whoever is matched on it may read what it was matched by, so that a confidential one is told by its abstract alone.
    """
    kind: Kind = "need" if listing.kind == "need" else "outcome"
    facets = Facets(
        field=listing.field,
        field_group=listing.field_group,
        industry=listing.industry,
        region=listing.region,
        region_class=listing.region_class,
        partner_regions=frozenset(listing.partner_regions or ()) | frozenset(partner_regions),
        modes=frozenset(listing.modes),
        maturity=listing.maturity,
        price_min=listing.price_min,
        price_max=listing.price_max,
        currency=listing.currency,
        needed_by=listing.needed_by,
        published_on=listing.published_at.astimezone(MARKET_ZONE).date() if listing.published_at else None,
    )
    abstract = (("description", listing.abstract),) if listing.abstract else ()
    text = ListingText(
        listing.id,
        kind,
        listing.title,
        abstract if listing.confidential else sections_of(listing.kind, listing),
        () if listing.confidential else tuple(listing.indicators),
        tuple(listing.keywords),
        facets,
        None
        if listing.organization is not None and listing.organization.kind in ON_BEHALF
        else listing.organization_id,
    )
    return compose(text)


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What the taxonomy and the list of regions say of an ad-hoc request's codes; None where it names none."""

    field_group: str | None = None
    region_class: str | None = None


def ad_hoc_profile(request: AdHocRequest, looked_up: LookedUp, organization: UUID | None) -> Profile:
    """The profile of a text that is not stored. Without a title its first characters stand in."""
    kind: Kind = "need" if request.looking_for == "outcomes" else "outcome"
    facets = Facets(
        field=request.field,
        field_group=looked_up.field_group,
        industry=request.industry,
        region=request.region,
        region_class=looked_up.region_class,
        partner_regions=frozenset(request.partner_regions),
        modes=frozenset(request.modes),
        maturity=request.maturity,
        price_min=request.price_min,
        price_max=request.price_max,
        needed_by=request.needed_by,
    )
    title = request.title.strip() or request.text.strip()[:60]
    sections = (("description", request.text),)
    return compose(
        ListingText(
            uuid4(), kind, title, sections, tuple(request.indicators), tuple(request.keywords), facets, organization
        )
    )
