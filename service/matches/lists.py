"""Ranked lists as a caller sees them: stored ones, one pair, and those of an ad-hoc text."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from matching import pipeline
from matching.embedding import Role, SilentTextError
from matching.explanation import QUOTING_CODES, Labels, as_data, indicator_rows, sentence
from matching.index.models import active_model
from matching.types import Match, Scope
from service.cases import talks
from service.errors import FieldProblem, NotFound, Unavailable, ValidationProblem
from service.kit.actor import Actor
from service.kit.clock import today
from service.kit.db import Connection, Row, ranking_role, transaction
from service.kit.language import Language, Text, current_language
from service.kit.pages import decode_cursor, encode_cursor
from service.kit.tiers import redact
from service.listings import service as listings
from service.listings.schemas import MATCHED_STATES, Kind
from service.listings.tiers import relations_of, view_of_row
from service.matches import decision_repository, decisions, repository
from service.matches.models import active_ranking
from service.matches.profiles import LookedUp, ad_hoc_profile
from service.matches.relations import STRANGERS
from service.matches.schemas import (
    AdHocMatch,
    AdHocRequest,
    AdHocResult,
    Counterpart,
    IndicatorVerdict,
    MatchPage,
    Recommendation,
    StoredMatch,
)
from service.regions import service as regions
from service.resources import Resources
from service.taxonomy import service as taxonomy

SILENT = Text("文本中没有可识别的文字：请用文字描述需求或成果", "The text has no readable word: describe it in words")
SHOWN_STATES = ["proposed", "accepted", "declined", "snoozed"]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What a stored list is narrowed to."""

    states: list[str] | None = None
    levels: list[str] | None = None
    partners_first: bool = False


async def ranked_page(
    connection: Connection,
    actor: Actor,
    kind: Kind,
    listing_id: UUID,
    *,
    narrowing: Narrowing = Narrowing(),
    limit: int,
    cursor: str | None = None,
) -> MatchPage:
    """A page of a listing's stored matches, best first.

    Raises:
        NotFound, Forbidden: the listing or its matches are not the actor's to see.
        ValidationProblem: the cursor is not one of this list.
    """
    listing = await listings.read(connection, actor, kind, listing_id)
    decisions.check_may_read_list(actor, listing.organization_id)
    position = decode_cursor(cursor, float, UUID, float, *([int] if narrowing.partners_first else []))
    after = (float(str(position[0])), UUID(str(position[1]))) if position else None
    chosen: dict[str, Any] = {
        "of_need": kind is Kind.NEED,
        "states": narrowing.states or SHOWN_STATES,
        "levels": narrowing.levels,
        "limit": limit + 1,
    }
    if narrowing.partners_first:
        places = await regions.partners_of(connection, listing.region) if listing.region else []
        behind = (bool(position[3]), *after) if position and after else None
        rows = await repository.partners_first(connection, listing_id, after=behind, regions=places, **chosen)
    else:
        rows = await repository.ranked_list(connection, listing_id, after=after, **chosen)
    first = int(float(str(position[2]))) + 1 if position else 1
    shown = rows[:limit]
    accepted = [row["counterpart_id"] for row in shown if row["state"] == "accepted"]
    others = await _counterparts(connection, actor, [row["counterpart_id"] for row in shown], accepted)
    speaker = await Speaker.of(connection, [row["explanation"] for row in shown])
    last = shown[-1] if len(rows) > limit else None
    ranked_at = await repository.ranked_at(connection, listing_id)
    return MatchPage(
        status="not_published" if listing.state not in MATCHED_STATES else "ranked" if ranked_at else "pending",
        ranked_at=ranked_at,
        items=[
            StoredMatch(
                rank=rank,
                counterpart=others[row["counterpart_id"]],
                reason=speaker.say(row["explanation"]),
                indicators=_indicators(row["explanation"]),
                **_columns(row, "id", "state", "version", "model_version", "updated_at"),
            )
            for rank, row in enumerate(shown, start=first)
            # A decided pair outlives the withdrawal of its other side, which is then for staff alone.
            if row["counterpart_id"] in others
        ],
        next=_next(last, first + limit - 1, narrowing) if last else None,
    )


def _next(last: Row, place: int, narrowing: Narrowing) -> str:
    partner = (int(last["partner"]),) if narrowing.partners_first else ()
    return encode_cursor(last["score"], str(last["id"]), float(place), *partner)


def _columns(row: Row, *names: str) -> dict[str, Any]:
    return {name: row[name] for name in (*names, "probability", "level", "conflicts", "explanation")}


def _indicators(explanation: Mapping[str, Any]) -> list[IndicatorVerdict]:
    return [IndicatorVerdict.model_validate(row, from_attributes=True) for row in indicator_rows(explanation)]


async def recommendation(connection: Connection, actor: Actor, identifier: UUID) -> Recommendation:
    """One recommended pair: with its decisions for those whose work reviewing is, without them for its accepted sides.

    Raises:
        NotFound: there is none, or the actor may not know of it.
    """
    row = await decisions.read_as_side_or_staff(connection, actor, identifier)
    shown = await _present(connection, actor, [row])
    if not shown:
        raise NotFound(decisions.NO_RECOMMENDATION)
    return shown[0]


async def recommendations(connection: Connection, actor: Actor, identifiers: list[UUID]) -> list[Recommendation]:
    """Recommended pairs in the order asked, for those whose work reviewing is; unknown ones are left out."""
    found = await repository.get_many(connection, identifiers) if actor.is_staff else {}
    return await _present(connection, actor, [found[one] for one in identifiers if one in found])


async def _present(connection: Connection, actor: Actor, rows: list[Row]) -> list[Recommendation]:
    """Pairs with both sides as the actor may see them; those of which it may not see both are left out."""
    accepted = [row[name] for row in rows if row["state"] == "accepted" for name in ("need_id", "outcome_id")]
    listed = [row[name] for row in rows for name in ("need_id", "outcome_id")]
    sides = await _counterparts(connection, actor, listed, accepted)
    speaker = await Speaker.of(connection, [row["explanation"] for row in rows])
    cases = await talks.newest(connection, [row["id"] for row in rows if row["state"] == "accepted"])
    made = await decision_repository.list_of(connection, [row["id"] for row in rows] if actor.is_staff else [])
    return [
        Recommendation(
            need=sides[row["need_id"]],
            outcome=sides[row["outcome_id"]],
            reason=speaker.say(row["explanation"]),
            indicators=_indicators(row["explanation"]),
            case_id=cases.get(row["id"]),
            decisions=made.get(row["id"], []),
            **_columns(row, "id", "state", "version", "snoozed_until", "model_version", "updated_at"),
        )
        for row in rows
        if row["need_id"] in sides and row["outcome_id"] in sides
    ]


async def _counterparts(
    connection: Connection, actor: Actor, identifiers: list[UUID], accepted: list[UUID]
) -> dict[UUID, Counterpart]:
    """Other sides as the actor may see them; only those of `accepted` pairs can have come nearer than any member's."""
    near = await relations_of(connection, actor, accepted)
    rows = await repository.counterparts(connection, identifiers)
    return {
        identifier: redact(
            Counterpart.model_validate(dict(row)), view_of_row(actor, row, near.get(identifier, STRANGERS))
        )
        for identifier, row in rows.items()
    }


@dataclass(frozen=True, slots=True)
class Speaker:
    """Makes sentences of explanations, with the labels of codes in the caller's language."""

    language: Language
    labels: Labels

    @classmethod
    async def of(cls, connection: Connection, explanations: Iterable[Mapping[str, Any]]) -> "Speaker":
        """A speaker of the caller's language for some explanations: the labels of their codes, and no others."""
        language = current_language.get()
        values = {
            value
            for explanation in explanations
            for part in explanation["signals"]
            for evidence in part["evidence"]
            if evidence["code"] not in QUOTING_CODES
            for value in evidence["values"]
        }
        return cls(language, await repository.labels(connection, sorted(values), language))

    def say(self, explanation: Mapping[str, Any]) -> str:
        """The explanation in one sentence."""
        return sentence(explanation, self.language, self.labels)


async def match_text(resources: Resources, actor: Actor, request: AdHocRequest) -> AdHocResult:
    """Rank a text that is not stored. The text is encoded between two transactions, which hold no lock meanwhile.

    Raises:
        ValidationProblem: a region or field is unknown, or the text says nothing to the encoder.
        Unavailable: nothing is indexed yet, or the encoder is busy.
    """
    async with transaction(resources.pool, actor) as connection:
        looked_up = await _check_codes(connection, request)
        async with ranking_role(connection):
            model = await active_model(connection)
    if model is None:
        raise Unavailable(Text("排序模型尚未就绪，请稍后重试", "No embedding model is active yet: try again soon"))
    # Reading the figures of a long text takes a while, in which others are to be served.
    profile = await asyncio.to_thread(ad_hoc_profile, request, looked_up, actor.organization_id)
    role: Role = "query" if profile.kind == "need" else "document"
    try:
        encoded = await resources.encoders.encode(model, profile.texts, role, urgent=True)
    except SilentTextError as error:
        raise ValidationProblem([FieldProblem("text", "says_something", SILENT)]) from error
    scope = Scope(
        field=request.only_field,
        region_class=request.only_region_class,
        mode=request.only_mode,
        not_organization=actor.organization_id if request.exclude_own else None,
    )
    async with transaction(resources.pool, actor) as connection:
        ranking = await active_ranking(connection)
        async with ranking_role(connection):
            asking = await pipeline.embedded_ad_hoc(connection, profile, encoded)
            found = await pipeline.rank(
                connection, asking, model, ranking, today=today(), scope=scope, limit=request.limit
            )
        return await _present_ad_hoc(connection, actor, request, found, ranking.version)


async def _check_codes(connection: Connection, request: AdHocRequest) -> LookedUp:
    """The group of the request's field and the class of its region, after its codes were found to be known."""
    groups = {field.code: field.field_group for field in await taxonomy.list_fields(connection)}
    problems = [
        listings.unknown_code("field", value)
        for value in (request.field, request.only_field)
        if value is not None and value not in groups
    ]
    region = await regions.get_region(connection, request.region) if request.region else None
    if request.region and region is None:
        problems.append(listings.unknown_code("region", request.region))
    if problems:
        raise ValidationProblem(problems)
    return LookedUp(
        field_group=groups[request.field] if request.field is not None else None,
        region_class=region.region_class if region else None,
    )


async def _present_ad_hoc(
    connection: Connection, actor: Actor, request: AdHocRequest, found: list[Match], version: str
) -> AdHocResult:
    finds_outcomes = request.looking_for == "outcomes"
    identifiers = [match.outcome_id if finds_outcomes else match.need_id for match in found]
    others = await _counterparts(connection, actor, identifiers, [])
    explanations = [as_data(match) for match in found]
    speaker = await Speaker.of(connection, explanations)
    items: list[AdHocMatch] = []
    for match, identifier, data in zip(found, identifiers, explanations, strict=True):
        # A listing may have been withdrawn between the index and here.
        if identifier in others:
            items.append(
                AdHocMatch(
                    rank=len(items) + 1,
                    counterpart=others[identifier],
                    probability=match.probability,
                    level=match.level,
                    conflicts=list(match.conflicts),
                    reason=speaker.say(data),
                    indicators=_indicators(data),
                    explanation=data,
                )
            )
    return AdHocResult(items=items, model_version=version)


async def counterparts_of(connection: Connection, actor: Actor, identifiers: list[UUID]) -> dict[UUID, Counterpart]:
    """Listings of accepted pairs as the actor may see them, by id; those that it may not see are left out."""
    return await _counterparts(connection, actor, identifiers, identifiers)
