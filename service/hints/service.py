"""Hints for a listing, stored or not: what its text lacks, what says nearly the same, and what to confirm."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import structlog

from matching.index import vocabulary
from matching.index.models import active_model
from matching.listing_hints import Draft, suggest_keywords
from matching.profiling import compose
from service.access import service as access
from service.errors import Forbidden
from service.hints.drafts import draft_of, stored_draft, with_known_field
from service.hints.findings import Findings, Surroundings, field_words, find, neighbours
from service.hints.present import present
from service.hints.schemas import ListingHints
from service.hints.vectors import vectors_of
from service.kit.actor import Actor
from service.kit.db import Connection, ranking_role, transaction
from service.kit.language import Text
from service.listings import service as listings
from service.listings.schemas import Kind, Listing, ListingContent
from service.resources import Resources
from service.taxonomy import service as taxonomy

log = structlog.get_logger("duijie.hints")

# Who asks for hints may wait for the encoder; who submits should not notice it.
PATIENCE_SECONDS = 10.0
SUBMISSION_SECONDS = 2.0
# A provider may have thousands of drafts; twins are mostly made one after the other.
MOST_UNPUBLISHED = 20


async def of_content(
    resources: Resources, actor: Actor, content: ListingContent, replaces: UUID | None = None
) -> ListingHints:
    """Hints for a content that is not stored; `replaces` is the stored listing that it would change."""
    async with transaction(resources.pool, actor) as connection:
        names = await _names(connection, actor)
    draft = draft_of(replaces or uuid4(), content, names)
    return await _hints(resources, actor, draft, actor.organization_id, seconds=PATIENCE_SECONDS)


async def _names(connection: Connection, actor: Actor) -> tuple[str, ...]:
    if actor.organization_id is None:
        return ()
    organization = await access.read_organization(connection, actor, actor.organization_id)
    return tuple(name for name in (organization.name, organization.name_en) if name)


async def of_stored(resources: Resources, actor: Actor, kind: Kind, identifier: UUID) -> ListingHints:
    """Hints for a stored listing, for its organization and for staff.

    Raises:
        NotFound, Forbidden: the listing or its hints are not the actor's to see.
    """
    async with transaction(resources.pool, actor) as connection:
        listing = await listings.read(connection, actor, kind, identifier)
    if not (actor.is_staff or actor.owns(listing.organization_id)):
        text = Text("完善建议仅对发布单位和工作人员开放", "Hints are for the listing's organization and for staff")
        raise Forbidden(text)
    return await _stored(resources, actor, listing, seconds=PATIENCE_SECONDS)


@dataclass(frozen=True, slots=True)
class Advice:
    """Hints for one version of a listing."""

    version: int
    hints: ListingHints


async def before_step(resources: Resources, actor: Actor, kind: Kind, identifier: UUID, action: str) -> Advice | None:
    """Hints for what is about to be submitted; None for other steps, where the actor may not take it, or they fail.

    They are made before the step's transaction, since the encoder may take seconds and the answer, hints and all, is
    kept in that transaction. A submission stands whatever they say.

    Raises:
        NotFound: no such listing, or none that the actor may see.
    """
    if action != "submit":
        return None
    async with transaction(resources.pool, actor) as connection:
        listing = await listings.read(connection, actor, kind, identifier)
    if action not in listings.actions_of(actor, listing):
        return None
    try:
        return Advice(listing.version, await _stored(resources, actor, listing, seconds=SUBMISSION_SECONDS))
    except Exception:
        log.exception("no hints at submission", listing=str(listing.id))
        return None


def valid_hints(advice: Advice | None, after: Listing) -> ListingHints | None:
    """The hints, if the step was the only thing that happened to the listing since they were made."""
    return advice.hints if advice is not None and after.version == advice.version + 1 else None


async def _stored(resources: Resources, actor: Actor, listing: Listing, *, seconds: float) -> ListingHints:
    return await _hints(resources, actor, stored_draft(listing), listing.organization_id, seconds=seconds)


async def _hints(
    resources: Resources, actor: Actor, draft: Draft, organization: UUID | None, *, seconds: float
) -> ListingHints:
    """Hints, with what counts words in a thread and what encodes them between transactions, which hold nothing meanwhile."""
    async with transaction(resources.pool, actor) as connection:
        fields = await taxonomy.list_fields(connection)
        async with ranking_role(connection):
            model = await active_model(connection)
        unpublished = await _unpublished(connection, draft, organization)
    draft = with_known_field(draft, {field.code for field in fields})
    profile = await asyncio.to_thread(compose, draft.listing)
    words = field_words(fields)
    vectors = await vectors_of(resources.encoders, resources.field_vectors, model, profile, words, seconds=seconds)
    async with transaction(resources.pool, actor) as connection, ranking_role(connection):
        near = await neighbours(connection, profile, model, vectors.text)
    found = await asyncio.to_thread(find, draft, profile, Surroundings(words, vectors, near, unpublished))
    async with transaction(resources.pool, actor) as connection:
        async with ranking_role(connection):
            documents = await vocabulary.document_frequencies(connection, found.candidates.terms())
            collection = await vocabulary.collection_size(connection, "need")
            collection += await vocabulary.collection_size(connection, "outcome")
        others = await _visible(connection, actor, found, Kind(draft.listing.kind))
    keywords = suggest_keywords(found.candidates, documents, collection, draft.listing.keywords)
    return present(found, keywords, others, fields, organization)


async def _unpublished(connection: Connection, draft: Draft, organization: UUID | None) -> list[Draft]:
    if organization is None:
        return []
    kind = Kind(draft.listing.kind)
    own = await listings.unpublished_of(connection, kind, organization, limit=MOST_UNPUBLISHED)
    return [stored_draft(listing) for listing in own if listing.id != draft.listing.id]


async def _visible(connection: Connection, actor: Actor, found: Findings, kind: Kind) -> dict[UUID, Listing]:
    """The near-duplicates that the actor may see. One may have been withdrawn since it was found."""
    stored: Sequence[Listing | None] = [await listings.stored(connection, kind, each.id) for each in found.duplicates]
    return {listing.id: listing for listing in stored if listing is not None and listings.may_see(actor, listing)}
