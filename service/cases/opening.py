"""A case begins: called where a broker accepts a pair, in the same transaction. Knows nothing of the room of matches."""

from collections.abc import Sequence

from asyncpg import UniqueViolationError

from service.cases import repository, waits
from service.cases.records import Case
from service.errors import Conflict
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.regions import service as regions
from service.responses import service as responses
from service.settings import Settings

ACTIVE_ALREADY = Text("这对需求与成果已有进行中的对接", "This pair has a case under way already")


async def prepare(connection: Connection, recommendations: Sequence[Row]) -> None:
    """Before the cases of several recommendations are opened in one transaction: hold all that is counted for their sides.

    One by one they would be held in the order of the request, and two requests in opposite orders would wait for each other.
    """
    if len(recommendations) > 1:
        listings = [row[side] for row in recommendations for side in ("need_id", "outcome_id")]
        await responses.hold(connection, await repository.organizations_of(connection, listings))


async def open_case(connection: Connection, actor: Actor, recommendation: Row, settings: Settings) -> Case:
    """Open the case of an accepted recommendation and invite both sides.

    `recommendation` has the columns id, need_id and outcome_id; the regions of both sides are kept as they are now.

    Raises:
        Conflict: the pair has an active case.
    """
    moment = clock.now()
    sides = await repository.pair(connection, recommendation["need_id"], recommendation["outcome_id"])
    partners = await regions.partner_pairs_between(connection, sides["need_region"], sides["outcome_region"])
    try:
        async with connection.transaction():
            case = await repository.insert(connection, actor, recommendation, sides, partners, moment)
    except UniqueViolationError as error:
        raise Conflict(ACTIVE_ALREADY) from error
    await waits.enter(connection, case, moment, settings)
    data = {"recommendation": str(case.recommendation_id), "partner": bool(partners)}
    await log.record(connection, actor, "case", case.id, "open", to_state=case.state, data=data)
    return case
