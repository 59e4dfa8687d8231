"""A digest for each day or week, with everything in it once."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import telling
from service.kit.clock import MARKET_ZONE
from service.kit.db import Pool
from service.notices import mailing
from service.notices.digests import make_digests, period_end
from service.notices.model import DIGESTS, Mailing
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys
from tests.http.test_needs import published
from tests.notices.conftest import Postbox, StandingClock

moments = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1)).map(lambda naive: naive.replace(tzinfo=UTC))


@given(moments, st.sampled_from(DIGESTS))
def test_a_period_ends_at_eight_and_no_longer_ago_than_it_lasts(moment: datetime, kind: Mailing) -> None:
    end = period_end(kind, moment)
    local = end.astimezone(MARKET_ZONE)
    assert (local.hour, local.minute) == (8, 0)
    assert timedelta(0) <= moment - end < timedelta(days=7 if kind is Mailing.WEEKLY else 1)
    assert kind is Mailing.DAILY or local.weekday() == 0
    assert period_end(kind, end) == end


@pytest.fixture
async def mailed(
    keys: Keys, resources: Resources, mail_settings: Settings, owner_url: str, client: httpx2.AsyncClient
) -> Resources:
    """An enterprise with a daily digest of its listings; an operator with a weekly one of what waits for review."""
    owner = await asyncpg.connect(owner_url)
    for member, categories in (
        (keys.enterprise, "{}"),
        (keys.operator, '{"review": {"in_app": false, "mail": "weekly"}}'),
    ):
        await owner.execute(
            "insert into notice_preference (organization_id, language, email, categories) values ($1, 'zh', $2, $3)",
            member.organization_id, f"{member.role}@example.org", categories,
        )  # fmt: skip
    await owner.execute("delete from outbox")
    await owner.close()
    return Resources(mail_settings, resources.urls, resources.pool, resources.encoders)


async def test_a_day_is_told_in_one_mail_after_it_has_ended(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock
) -> None:
    for title in ("甲需求", "乙需求"):
        await published(client, keys, title=title)
    await telling.all_of_it(mailed, clock)
    clock.move(hours=14)
    await telling.all_of_it(mailed, clock)
    assert postbox.messages == []
    clock.move(hours=1)
    await telling.all_of_it(mailed, clock)
    await telling.all_of_it(mailed, clock)
    assert postbox.to == [["enterprise@example.org"]]
    assert str(postbox.messages[0]["Subject"]) == "[对接 Duijie] 2 条通知（日报）"
    plain = postbox.messages[0].get_body(("plain",))
    assert plain is not None
    assert "需求《甲需求》已发布" in plain.get_content()
    # Wednesday's review is told on Monday, and not shown in the application.
    clock.move(days=4)
    await telling.all_of_it(mailed, clock)
    assert postbox.to[1:] == [["operator@example.org"]]
    assert str(postbox.messages[1]["Subject"]) == "[对接 Duijie] 2 条通知（周报）"
    shown = await client.get("/v1/notifications?category=review", headers=keys.headers("operator"))
    assert shown.json()["items"] == []


async def test_several_workers_make_one_digest_and_send_it_once(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock, pool: Pool
) -> None:
    await published(client, keys)
    await telling.tell(mailed, clock)
    clock.move(days=1)
    made = await asyncio.gather(*(make_digests(mailed.pool, clock) for _ in range(4)))
    assert sum(made) == 1
    await asyncio.gather(*(telling.send(mailed, clock) for _ in range(4)))
    assert len(postbox.messages) == 1
    assert await pool.fetchval("select count(*) from mail") == 1


async def test_what_comes_after_the_end_is_in_the_next_one(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock
) -> None:
    for title in ("甲需求", "乙需求"):
        await published(client, keys, title=title)
        await telling.all_of_it(mailed, clock)
        clock.move(days=1)
    await telling.all_of_it(mailed, clock)
    assert [str(message["Subject"]) for message in postbox.messages] == ["[对接 Duijie] 1 条通知（日报）"] * 2


async def test_a_worker_that_dies_before_sending_is_followed_by_another(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    await published(client, keys)
    await telling.tell(mailed, clock)
    clock.move(days=1)

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as dying:
        dying.setattr(mailing, "_send", dies)
        with pytest.raises(asyncio.CancelledError):
            await telling.send(mailed, clock)
    await telling.send(mailed, clock)
    assert postbox.messages == []
    clock.move(minutes=16)
    await telling.send(mailed, clock)
    await telling.send(mailed, clock)
    assert len(postbox.messages) == 1
