"""From the return of a listing over its answer to the ranking: what counts as an answer, what as silence, and what as neither."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from matching.index import organizations
from matching.index.organizations import Counted
from matching.types import AnswerHistory
from service import worker
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.clock import now
from service.kit.db import Pool, transaction
from service.listings import service as listings
from service.listings.schemas import Kind
from service.resources import Resources
from service.responses import repository
from service.responses import service as responses
from tests.conftest import Keys
from tests.matches.test_worker import drain, matches, publish

DAY = timedelta(days=1)
COUNTED = "select answered, overdue, median_hours from match_organization where organization = $1"
NEED, OUTCOME = "枸杞鲜果快速干燥装备", "枸杞真空脉动干燥装备"


async def step(client: httpx2.AsyncClient, keys: Keys, role: str, outcome: str, action: str) -> dict[str, Any]:
    answer = await client.post(f"/v1/outcomes/{outcome}/{action}", headers=keys.headers(role))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def submitted(client: httpx2.AsyncClient, keys: Keys, title: str = OUTCOME) -> str:
    """An outcome of the provider that waits for review."""
    made = await client.post("/v1/outcomes", json={"title": title}, headers=keys.headers("provider"))
    identifier: str = made.json()["id"]
    await step(client, keys, "provider", identifier, "submit")
    return identifier


async def ask_and_answer(client: httpx2.AsyncClient, keys: Keys, outcome: str, times: int) -> None:
    """Return a submitted outcome and submit it again, so many times."""
    for _ in range(times):
        await step(client, keys, "operator", outcome, "return")
        await step(client, keys, "provider", outcome, "submit")


async def counted(pool: Pool, organization: UUID) -> AnswerHistory | None:
    """What the ranking knows of an organization."""
    row = await pool.fetchrow(COUNTED, organization)
    return organizations.history_of(row) if row else None


async def answer_took(pool: Pool, *days: float) -> None:
    """Move the answers that there are, oldest first, so that they took so many days."""
    rows = await pool.fetch("select id from organization_response where answered order by id")
    async with transaction(pool, SYSTEM) as connection:
        for row, each in zip(rows, days, strict=True):
            await connection.execute(
                "update organization_response set ended_at = asked_at + $2::interval where id = $1",
                row["id"],
                each * DAY,
            )


async def count_at(pool: Pool, at: datetime) -> int:
    """Housekeeping at a moment."""
    async with transaction(pool, SYSTEM) as connection:
        return await responses.count_due(connection, at)


def responsiveness(match: dict[str, Any]) -> dict[str, Any]:
    """The signal's part in an explained match."""
    (found,) = [part for part in match["explanation"]["signals"] if part["signal"] == "responsiveness"]
    return found


async def test_three_answers_of_the_provider_stand_in_the_explanation_of_its_outcome(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    need = await publish(client, keys, "needs", NEED)
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 3)
    for role, action in (("operator", "verify"), ("broker", "publish")):
        await step(client, keys, role, outcome, action)
    await drain(resources)
    (match,) = await matches(client, keys, need)
    part = responsiveness(match)
    assert (part["raw"], part["weight"], part["part"]) == (1.0, 0.3, 0.15)
    assert part["evidence"] == [{"code": "prompt_answers", "values": ["0", "3", "0"]}]
    assert "answered within a day at the median (3 times)" in match["reason"]
    rows = await pool.fetch("select organization_id, kind, subject_id, answered from organization_response")
    assert [tuple(row) for row in rows] == [(keys.provider.organization_id, "revision", UUID(outcome), True)] * 3


async def test_two_answers_say_nothing_and_the_third_ranks_published_outcomes_anew(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    need = await publish(client, keys, "needs", NEED)
    await publish(client, keys, "outcomes", OUTCOME)
    other = await submitted(client, keys, "葡萄酒低温发酵菌株")
    await ask_and_answer(client, keys, other, 2)
    await drain(resources)
    (before,) = await matches(client, keys, need)
    silent = responsiveness(before)
    assert (silent["raw"], silent["part"], silent["evidence"]) == (None, 0.0, [])
    history = await counted(pool, keys.provider.organization_id)
    assert history is not None
    assert (history.answered, history.overdue) == (2, 0)
    await ask_and_answer(client, keys, other, 1)
    # The outcome's list is asked for, and no need's: its list holds the same pair.
    assert await pool.fetchval("select count(*) from pgqueuer where entrypoint = 'rank'") == 1
    await drain(resources)
    (after,) = await matches(client, keys, need)
    assert responsiveness(after)["raw"] == 1.0
    # 0.3 times 1 - 0.5.
    assert after["explanation"]["score"] == pytest.approx(before["explanation"]["score"] + 0.15, abs=2e-4)


async def test_nothing_is_said_of_the_provider_behind_an_organization_that_posts_for_others(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    need = await publish(client, keys, "needs", NEED)
    made = await client.post("/v1/outcomes", json={"title": OUTCOME}, headers=keys.headers("broker"))
    outcome = made.json()["id"]
    steps = [("broker", "submit"), *[("operator", "return"), ("broker", "submit")] * 3]
    for role, action in (*steps, ("operator", "verify"), ("broker", "publish")):
        await step(client, keys, role, outcome, action)
    history = await counted(pool, keys.broker.organization_id)
    assert history is not None
    assert history.answered == 3
    await drain(resources)
    (match,) = await matches(client, keys, need)
    assert responsiveness(match)["raw"] is None


async def test_an_ad_hoc_text_finds_outcomes_with_their_providers_history(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    await publish(client, keys, "outcomes", OUTCOME)
    other = await submitted(client, keys, "葡萄酒低温发酵菌株")
    await ask_and_answer(client, keys, other, 3)
    await answer_took(pool, 5, 6, 40)
    await count_at(pool, now() + DAY + DAY)
    await drain(resources)
    asked = {"looking_for": "outcomes", "text": NEED}
    headers = keys.headers("broker") | {"Accept-Language": "zh-CN"}
    (item,) = (await client.post("/v1/match", json=asked, headers=headers)).json()["items"]
    # Six days are five after the first: 0.5 ** (5 / 4).
    assert responsiveness(item)["raw"] == pytest.approx(0.5 ** (5 / 4), abs=1e-4)
    assert "对退回修改的答复中位时间 6 天（3 次）" in item["reason"]


async def test_who_is_submitted_for_by_staff_has_not_answered(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcome = await submitted(client, keys)
    for role in ("operator", "broker"):
        await step(client, keys, "operator", outcome, "return")
        await step(client, keys, role, outcome, "submit")
    rows = await pool.fetch("select ended_at is null as open, answered from organization_response")
    assert [tuple(row) for row in rows] == [(False, False)] * 2
    assert await counted(pool, keys.provider.organization_id) is None
    # Nothing is left to come back to.
    assert await pool.fetchval("select count(*) from match_organization") == 0


async def test_a_withdrawal_ends_the_question_without_an_answer(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcome = await submitted(client, keys)
    await step(client, keys, "operator", outcome, "return")
    assert await pool.fetchval("select count(*) from match_organization") == 1
    for action in ("withdraw", "reopen", "submit"):
        await step(client, keys, "provider", outcome, action)
    rows = await pool.fetch("select ended_at is null as open, answered from organization_response")
    assert [tuple(row) for row in rows] == [(False, False)]
    assert await pool.fetchval("select count(*) from match_organization") == 0


async def test_a_first_submission_and_a_withdrawal_answer_nothing(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcome = await submitted(client, keys)
    await step(client, keys, "provider", outcome, "withdraw")
    assert await pool.fetchval("select count(*) from organization_response") == 0


async def test_a_need_that_is_returned_asks_its_enterprise(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    need = (await client.post("/v1/needs", json={"title": NEED}, headers=keys.headers("enterprise"))).json()["id"]
    for role, action in (("enterprise", "submit"), ("broker", "return"), ("enterprise", "submit")):
        answer = await client.post(f"/v1/needs/{need}/{action}", headers=keys.headers(role))
        assert answer.status_code == 200
    history = await counted(pool, keys.enterprise.organization_id)
    assert history is not None
    assert (history.answered, history.overdue) == (1, 0)


async def test_who_returns_a_listing_of_the_own_organization_asks_nobody(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    need = (await client.post("/v1/needs", json={"title": NEED}, headers=keys.headers("broker"))).json()["id"]
    for action in ("submit", "return", "submit"):
        answer = await client.post(f"/v1/needs/{need}/{action}", headers=keys.headers("broker"))
        assert answer.status_code == 200
    assert await pool.fetchval("select count(*) from organization_response") == 0


async def test_a_refused_step_asks_and_answers_nothing(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    outcome = await submitted(client, keys)
    refused = await client.post(f"/v1/outcomes/{outcome}/return", headers=keys.headers("broker"))
    assert refused.status_code == 403
    assert await pool.fetchval("select count(*) from organization_response") == 0


async def test_the_median_is_counted_anew_at_each_answer(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 2)
    await answer_took(pool, 4, 8)
    await ask_and_answer(client, keys, outcome, 1)
    # At once, four days, eight days.
    assert await counted(pool, keys.provider.organization_id) == AnswerHistory(3, 0, 96)


async def test_silence_counts_with_its_length_once_it_is_overdue(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcomes = [await submitted(client, keys, f"{OUTCOME} {number}") for number in range(4)]
    await ask_and_answer(client, keys, outcomes[0], 1)
    await answer_took(pool, 2)
    for outcome in outcomes[1:]:
        await step(client, keys, "operator", outcome, "return")
    provider, asked = keys.provider.organization_id, now()
    assert await counted(pool, provider) == AnswerHistory(1, 0, 48)
    # Counted less than a day ago: not yet again.
    assert await count_at(pool, asked + DAY - timedelta(hours=1)) == 0
    assert await count_at(pool, asked + 13 * DAY) == 1
    assert await counted(pool, provider) == AnswerHistory(1, 0, 48)
    assert await count_at(pool, asked + 20 * DAY) == 1
    overdue = await counted(pool, provider)
    assert overdue is not None
    # Of 2, 20, 20 and 20 days.
    assert (overdue.answered, overdue.overdue) == (1, 3)
    assert overdue.median_hours == pytest.approx(20 * 24, abs=0.1)
    assert await count_at(pool, asked + 30 * DAY) == 1
    older = await counted(pool, provider)
    assert older is not None
    assert older.median_hours == pytest.approx(30 * 24, abs=0.1)


async def test_silence_that_was_overdue_stays_so_when_staff_submit_or_the_listing_is_withdrawn(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcomes = [await submitted(client, keys, f"{OUTCOME} {number}") for number in range(2)]
    for outcome in outcomes:
        await step(client, keys, "operator", outcome, "return")
    at, provider = now() + 20 * DAY, keys.provider.organization_id
    staff = Actor(None, keys.operator.organization_id, frozenset({Role.OPERATOR}))
    owner = Actor(None, provider, frozenset({Role.PROVIDER}))
    for actor, outcome, action in ((staff, outcomes[0], "submit"), (owner, outcomes[1], "withdraw")):
        async with transaction(pool, actor) as connection:
            await listings.act(connection, actor, Kind.OUTCOME, UUID(outcome), action, at=at)
    await count_at(pool, at + 100 * DAY)
    silent = await counted(pool, provider)
    assert silent is not None
    assert (silent.answered, silent.overdue) == (0, 2)
    assert silent.median_hours == pytest.approx(20 * 24, abs=0.1)


async def test_questions_are_forgotten_after_two_years(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 3)
    assert await counted(pool, keys.provider.organization_id) is not None
    assert await count_at(pool, now() + 731 * DAY) == 1
    assert await pool.fetchval("select count(*) from match_organization") == 0
    # The questions themselves stay.
    assert await pool.fetchval("select count(*) from organization_response") == 3


async def test_housekeeping_counts_what_is_due(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 1)
    await answer_took(pool, 3)
    await pool.execute("update match_organization set counted_at = $1", datetime(2026, 1, 1, tzinfo=UTC))
    await worker.keep_house(resources)
    assert await counted(pool, keys.provider.organization_id) == AnswerHistory(1, 0, 72)


async def test_two_answers_at_once_are_both_counted(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    outcomes = [await submitted(client, keys, f"{OUTCOME} {number}") for number in range(4)]
    for outcome in outcomes:
        await step(client, keys, "operator", outcome, "return")
    await asyncio.gather(*(step(client, keys, "provider", outcome, "submit") for outcome in outcomes))
    history = await counted(pool, keys.provider.organization_id)
    assert history is not None
    assert history.answered == 4


async def test_an_organization_that_is_counted_elsewhere_is_left_to_that(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 1)
    async with transaction(pool, SYSTEM) as elsewhere:
        await repository.lock(elsewhere, keys.provider.organization_id)
        assert await count_at(pool, now() + 2 * DAY) == 0
    assert await count_at(pool, now() + 2 * DAY) == 1


async def test_what_was_asked_cannot_be_rewritten(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    outcome = await submitted(client, keys)
    await ask_and_answer(client, keys, outcome, 1)
    for statement in (
        "delete from organization_response",
        "update organization_response set asked_at = now()",
    ):
        with pytest.raises(Exception, match="permission denied"):
            await pool.execute(statement)


async def test_recording_returns_what_stood_there_before(pool: Pool, keys: Keys) -> None:
    provider, at = keys.provider.organization_id, now()
    first, second = AnswerHistory(3, 0, 24), AnswerHistory(3, 1, 36)
    async with transaction(pool, SYSTEM) as connection:
        seen = [
            await organizations.record(connection, Counted(provider, history, questions), at)
            for history, questions in ((first, 3), (second, 4), (None, 1), (first, 3), (None, 0), (None, 0))
        ]
    assert seen == [None, first, second, None, first, None]
