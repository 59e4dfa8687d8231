"""What an encoder learns from in a market: the texts of decided pairs as the service encodes them, and the decisions."""

from uuid import UUID

from matching.learning.encoder_data import JudgedTexts, Passages
from service.kit.db import Connection
from service.listings import service as listings
from service.listings.schemas import Kind
from service.matches.profiles import profile_of

# The latest decision on a pair counts. A snooze is no answer, and three decline codes say nothing of the two texts:
# duplicate and already_solved often mean a good fit that came too late, and other may mean anything.
DECIDED = """
select need_id, outcome_id, action from (
    select distinct on (recommendation.id) recommendation.need_id, recommendation.outcome_id, decision.action, decision.code
    from decision join recommendation on recommendation.id = decision.recommendation_id
    where decision.undone_at is null
    order by recommendation.id, decision.id desc
) as latest
where action = 'accept' or (action = 'decline' and code not in ('duplicate', 'already_solved', 'other'))
order by need_id, outcome_id
"""
GRADES = {"accept": 3, "decline": 0}


async def decided_texts(connection: Connection) -> JudgedTexts:
    """Needs and outcomes that somebody decided on, whatever their state now: accepted pairs grade 3, declined ones 0."""
    grades: dict[str, dict[str, int]] = {}
    for row in await connection.fetch(DECIDED):
        grades.setdefault(str(row["need_id"]), {})[str(row["outcome_id"])] = GRADES[row["action"]]
    outcomes = sorted({outcome for of_need in grades.values() for outcome in of_need})
    return JudgedTexts(
        {need: await _passages(connection, Kind.NEED, need) for need in grades},
        {outcome: await _passages(connection, Kind.OUTCOME, outcome) for outcome in outcomes},
        grades,
        is_complete=False,
    )


async def _passages(connection: Connection, kind: Kind, identifier: str) -> Passages:
    listing = await listings.stored(connection, kind, UUID(identifier))
    # A decision's recommendation refers to both listings, so the database keeps them.
    assert listing is not None
    return profile_of(listing, ()).texts
