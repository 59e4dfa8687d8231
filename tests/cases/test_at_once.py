"""What comes at the same moment: both answers, a yes and a no, words of both sides, two clocks."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from service.cases import service as cases
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.settings import get_settings
from tests.cases.helpers import YES, Desk, accept


async def test_two_yes_at_once_make_one_consented_case(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.ask(role, "POST", "/answer", YES) for role in ("enterprise", "provider")))
    assert [answer.status_code for answer in answers] == [200, 200]
    assert await desk.events() == [
        ("open", None, "invited"), ("consent", "invited", "invited"), ("consent", "invited", "consented"),
    ]  # fmt: skip
    assert await desk.awaited() == {("broker", "consult")}


async def test_a_yes_and_a_no_at_once_leave_no_open_case(desk: Desk) -> None:
    no = {"answer": "no", "code": "too_early"}
    answers = await asyncio.gather(
        desk.ask("enterprise", "POST", "/answer", YES), desk.ask("provider", "POST", "/answer", no)
    )
    assert answers[1].status_code == 200
    # The yes came first, or was told that the case is over.
    assert answers[0].status_code in (200, 409)
    shown = await desk.read()
    assert (shown["state"], shown["awaiting"]) == ("closed", [])


async def test_words_at_once_have_a_number_each(desk: Desk) -> None:
    await desk.agree()
    sent = await asyncio.gather(
        *(
            desk.ask(role, "POST", "/messages", {"channel": "shared", "body": f"{role} {number}"})
            for role in ("enterprise", "provider", "broker")
            for number in range(4)
        )
    )
    assert sorted(answer.json()["number"] for answer in sent) == list(range(1, 13))
    assert (await desk.actions()).count("message") == 12


async def test_two_clocks_at_once_remind_once(desk: Desk, pool: Pool) -> None:
    at = datetime(2026, 9, 29, 4, tzinfo=UTC)

    async def keep() -> int:
        async with transaction(pool, SYSTEM) as connection:
            return await cases.keep_clock(connection, at, get_settings())

    assert sum(await asyncio.gather(*(keep() for _ in range(5)))) == 2
    assert (await desk.actions()).count("remind") == 2


async def test_one_organization_on_both_sides_names_its_side_and_takes_turns(desk: Desk, pool: Pool) -> None:
    own = desk.keys.enterprise.organization_id
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update listing set organization_id = $1 where id = $2", own, UUID(desk.outcome))
        await cases.close_unanswered(connection, SYSTEM, UUID(desk.recommendation))
        await connection.execute(
            "update recommendation set state = 'proposed' where id = $1", UUID(desk.recommendation)
        )
    await accept(desk.client, desk.keys, desk.recommendation)
    (case,) = (await desk.client.get("/v1/cases?state=invited", headers=desk.keys.headers("broker"))).json()["items"]
    both = replace(desk, case_id=case["id"])
    assert (await both.read("enterprise"))["your_sides"] == ["need", "outcome"]
    unnamed = await both.ask("enterprise", "POST", "/answer", YES)
    assert (unnamed.status_code, unnamed.json()["errors"][0]["field"]) == (422, "side")
    for side in ("need", "outcome"):
        await both.take("enterprise", "/answer", YES | {"side": side})
    await both.take("enterprise", "/consult")
    for turn in ("outcome", "need", "outcome"):
        await both.take("enterprise", "/messages", {"channel": "shared", "body": "内部协调"}, 201)
        assert await both.awaited() == {(turn, "reply")}
