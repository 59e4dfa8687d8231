"""The two jobs of a published listing: write its profile and vectors, then rank it. Both may run again at any time."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from matching import pipeline
from matching.embedding import Encoded, Role
from matching.explanation import as_data
from matching.fusion import Ranking
from matching.index.models import EmbeddingModel, active_model, live_models
from matching.types import EmbeddedProfile, Kind, Match, Scope
from service.access import service as access
from service.kit import queue
from service.kit.actor import SYSTEM
from service.kit.clock import today
from service.kit.db import Connection, ranking_role, transaction
from service.kit.queue import Handler, ListingJob
from service.listings import service as listings
from service.listings.schemas import MATCHED_STATES, Listing
from service.listings.schemas import Kind as ListingKind
from service.matches import repository
from service.matches.models import active_ranking
from service.matches.profiles import profile_of
from service.matches.withdrawal import leave_matching
from service.regions import service as regions
from service.resources import Resources
from service.review import leases

ROLES: dict[Kind, Role] = {"need": "query", "outcome": "document"}
# Even where nothing fits well, the best few are shown: "nothing fits" is an answer that wants to be seen.
ALWAYS_KEPT = {"need": 10, "outcome": 3}
# A listing that ranks low on its own list may still be among the best of another's; so look further than is kept.
LOOK_FURTHER = 4


def index_job(resources: Resources) -> Handler:
    """The handler of index jobs."""

    async def handle(job: ListingJob, bulk: bool) -> None:
        await index_listing(resources, job.listing_id, bulk=bulk)

    return handle


def rank_job(resources: Resources) -> Handler:
    """The handler of rank jobs."""

    async def handle(job: ListingJob, bulk: bool) -> None:
        del bulk
        await rank_listing(resources, job.listing_id)

    return handle


async def index_listing(resources: Resources, listing_id: UUID, *, bulk: bool) -> None:
    """Embed a listing with every live model and write it into the index; then ask for its ranking.

    The text is encoded between two transactions, since that takes longer than locks should be held. The second one
    sees whether the listing is still published and still the version that was encoded.
    """
    async with transaction(resources.pool, SYSTEM) as connection:
        listing = await _published(connection, listing_id)
        async with ranking_role(connection):
            models = await live_models(connection)
        partners = await regions.partners_of(connection, listing.region) if listing and listing.region else []
    if listing is None:
        return
    profile = await asyncio.to_thread(profile_of, listing, partners)
    role = ROLES[profile.kind]
    encoded: dict[int, Encoded] = {
        model.id: await resources.encoders.encode(model, profile.texts, role) for model in models
    }
    async with transaction(resources.pool, SYSTEM) as connection:
        suspended = await access.lock_state(connection, listing.organization_id) == "suspended"
        state, version = await listings.lock_state(connection, listing_id) or ("", 0)
        if suspended or state not in MATCHED_STATES or version != listing.version:
            # A newer version has its own job; a withdrawn listing has left the index with its withdrawal, and one of a
            # suspended organization with its suspension.
            return
        async with ranking_role(connection):
            await pipeline.index_profile(connection, profile, encoded)
            active = await active_model(connection)
        if active is not None and active.id in encoded:
            await repository.mark_indexed(connection, listing_id, listing.version, active.id)
            await queue.enqueue_rank(connection, [ListingJob(listing_id, listing.version)], bulk=bulk)


async def rank_listing(resources: Resources, listing_id: UUID) -> None:
    """Rank a listing among the other kind and store the pairs worth keeping."""
    async with transaction(resources.pool, SYSTEM) as connection:
        await repository.hold_ranking(connection)
        listing = await _published(connection, listing_id)
        if listing is None:
            return
        kind: Kind = "need" if listing.kind is ListingKind.NEED else "outcome"
        async with ranking_role(connection):
            embedding = await active_model(connection)
            profile = await pipeline.load_profile(connection, kind, listing_id, embedding) if embedding else None
        if embedding is None or profile is None:
            return
        run = _Run(connection, profile, embedding, resources.settings.stored_matches)
        await run.rank_and_store()


async def _published(connection: Connection, listing_id: UUID) -> Listing | None:
    """The listing if it is published; what is left of it in the index goes if it is not."""
    for kind in ListingKind:
        listing = await listings.stored(connection, kind, listing_id)
        if listing is not None:
            if listing.state in MATCHED_STATES and listing.organization_state != "suspended":
                return listing
            await leave_matching(connection, listing_id)
    return None


@dataclass(frozen=True, slots=True)
class _Run:
    """One ranking of one listing."""

    connection: Connection
    asking: EmbeddedProfile
    embedding: EmbeddingModel
    keep: int

    async def rank_and_store(self) -> None:
        """Rank, keep what is worth it, and take off the list what is not any more."""
        ranking = await active_ranking(self.connection)
        identifier, kind = self.asking.profile.id, self.asking.profile.kind
        found = await self._rank(ranking, Scope(), self.keep * LOOK_FURTHER)
        kept = await self._worth_keeping(found)
        before = await repository.partners(self.connection, identifier)
        seen = {_partner(match, kind) for match in found}
        # Pairs of earlier rankings that were not met again get the score of today's text too.
        missed = tuple(sorted(before - seen))
        if missed:
            again = await self._rank(ranking, Scope(identifiers=missed), len(missed))
            kept += [match for match in again if match.level != "none"]
        partners = {_partner(match, kind) for match in kept}
        await repository.hold_pairs_of(self.connection, identifier)
        await repository.store(self.connection, [_row(match) for match in kept], ranking.version)
        await repository.supersede(self.connection, identifier, sorted(before - partners))
        await repository.mark_ranked(self.connection, identifier, ranking.version, len(partners))
        await leases.settle(self.connection)

    async def _rank(self, ranking: Ranking, scope: Scope, limit: int) -> list[Match]:
        async with ranking_role(self.connection):
            return await pipeline.rank(
                self.connection, self.asking, self.embedding, ranking, today=today(), scope=scope, limit=limit
            )

    async def _worth_keeping(self, found: list[Match]) -> list[Match]:
        """The first of this listing's list, and any pair that ranks high on the other side's."""
        kind = self.asking.profile.kind
        others = [_partner(match, kind) for match in found]
        bars = await repository.bars(self.connection, others, of_need=kind == "outcome", places=self.keep)
        least = ALWAYS_KEPT[kind]
        return [
            match
            for match in found
            if match.rank <= least
            or (match.level != "none" and (match.rank <= self.keep or match.score > bars[_partner(match, kind)]))
        ]


def _partner(match: Match, kind: Kind) -> UUID:
    return match.outcome_id if kind == "need" else match.need_id


def _row(match: Match) -> dict[str, Any]:
    return {
        "need_id": match.need_id,
        "outcome_id": match.outcome_id,
        "score": match.score,
        "probability": match.probability,
        "level": match.level,
        "conflicts": list(match.conflicts),
        "explanation": as_data(match),
    }
