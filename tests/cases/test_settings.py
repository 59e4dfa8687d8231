"""Terms are those of the application that answers, whatever the environment of the process says."""

import httpx2

from service.cases import service as cases
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.resources import Resources
from tests.cases.helpers import Clock, opened, with_settings
from tests.conftest import Keys


async def test_terms_are_those_of_the_application(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, moment: Clock
) -> None:
    own = with_settings(
        client, resources, case_invitation_days=1, case_broker_days=2, case_reply_days=3, case_contract_days=4,
        case_grace_days=1, case_reminder_days="0",
    )  # fmt: skip
    desk = await opened(client, keys, own, pool)

    async def until() -> set[str]:
        return {each["until"][:10] for each in (await desk.read())["awaiting"]}

    # From Wednesday 23 September: the 24th; the 25th to the 27th is 中秋, so that 2 days end on Monday, 3 and 4 the days after.
    assert await until() == {"2026-09-24"}
    await desk.agree()
    assert await until() == {"2026-09-28"}
    await desk.take("broker", "/consult")
    assert await until() == {"2026-09-29"}
    await desk.take("enterprise", "/messages", {"channel": "shared", "body": "请说明工期。"}, 201)
    assert await until() == {"2026-09-29"}
    await desk.take("enterprise", "/negotiate")
    assert await until() == {"2026-09-30"}
    # Extended by as many days, it is told and lapses by the application's grace.
    moment.go(moment.at.replace(month=10, day=9))
    async with transaction(pool, SYSTEM) as connection:
        assert await cases.keep_clock(connection, moment.at, own.settings) == 2
    moment.go(moment.at.replace(day=13))
    async with transaction(pool, SYSTEM) as connection:
        assert await cases.keep_clock(connection, moment.at, own.settings) == 1
    assert (await desk.read())["state"] == "lapsed"
