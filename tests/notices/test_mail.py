"""Messages as they are written, and as a mail server of this machine takes them or does not."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from service import telling
from service.doctor import _mail
from service.kit.backoff import DELAYS
from service.kit.db import Pool
from service.kit.language import Language, Text
from service.notices import mailing
from service.notices.mail import Line, UnusableAddress, compose
from service.notices.model import Category, Mailing
from service.resources import Resources
from service.settings import Settings
from tests.access.helpers import add_member, make_key
from tests.conftest import Keys
from tests.http.test_needs import published, step
from tests.notices.conftest import Postbox, StandingClock

MOMENT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
STATES = "select kind, state, attempts, reply from mail order by id"


def lines(*texts: str, category: Category = Category.LISTING) -> list[Line]:
    return [Line(Text(text, text), category, MOMENT) for text in texts]


def write(
    told: Sequence[Line], kind: Mailing = Mailing.AT_ONCE, to: str = "yi@example.org", language: Language = "zh"
) -> bytes:
    mail_id = UUID(int=7)
    return bytes(compose(mail_id, kind, told, sender="market@example.com", to=to, language=language, moment=MOMENT))


def test_a_message_has_sane_headers_and_both_forms() -> None:
    message = compose(
        UUID(int=7), Mailing.AT_ONCE, lines("需求《甲<b>》已发布"), sender="market@example.com", to="yi@example.org",
        language="zh", moment=MOMENT,
    )  # fmt: skip
    assert message["Message-ID"] == "<00000000-0000-0000-0000-000000000007@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] == "<mailto:market@example.com?subject=unsubscribe>"
    assert message["Subject"] == "[对接 Duijie] 需求《甲<b>》已发布"
    assert message["Date"] == "Wed, 04 Mar 2026 09:00:00 +0000"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    plain, page = (part.get_content() for part in message.iter_parts())
    assert "- 2026-03-04 17:00  需求《甲<b>》已发布" in plain
    assert "《甲&lt;b&gt;》" in page
    assert "<b>" not in page
    assert '<html lang="zh-CN">' in page


def test_account_mail_names_no_way_out_of_it() -> None:
    assert b"List-Unsubscribe" not in write(lines("密钥", category=Category.ACCOUNT))
    assert b"List-Unsubscribe" in write([*lines("密钥", category=Category.ACCOUNT), *lines("需求")], Mailing.DAILY)


def test_a_digest_counts_and_groups_and_says_what_it_leaves_out() -> None:
    told = lines(*(f"第{n}条" for n in range(205)))
    text = compose(
        uuid4(), Mailing.DAILY, told, sender="m@example.com", to="a@example.org", language="zh", moment=MOMENT
    )
    assert text["Subject"] == "[对接 Duijie] 205 条通知（日报）"
    plain = next(text.iter_parts()).get_content()
    assert "第199条" in plain
    assert "第200条" not in plain
    assert "另有 5 条" in plain


@given(st.text(max_size=120))
def test_no_title_makes_a_header(title: str) -> None:
    raw = write(lines(f"需求《{title}\r\nBcc: victim@example.com》已发布"))
    head = raw.partition(b"\r\n\r\n")[0].lower()
    assert b"\nbcc:" not in head
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in (b" ", b"\t")]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize(
    "to",
    [
        "",
        "nobody",
        "@example.org",
        '""@example.org',
        "a @\u200b(@example.org)",
        "王@example.org",
        "a@b@c",
        "a b@example.org",
        "a@",
        "a\n@x.org",
        "a@[b.org",
        "＠@[~^.cn",
    ],
)
def test_an_address_that_cannot_be_written_is_not_tried(to: str) -> None:
    with pytest.raises(UnusableAddress):
        write(lines("甲"), to=to)


@given(st.from_regex(r"\A[^@\s<>,;]{1,20}@[^@\s<>,;]{1,20}\.[^@\s<>,;]{1,5}\Z"))
def test_whatever_is_taken_for_an_address_is_written_or_refused(to: str) -> None:
    """What an organization may enter, by the pattern of its preferences, never stops the mail of others."""
    try:
        raw = write(lines("甲"), to=to)
    except UnusableAddress:
        return
    assert raw.partition(b"\r\n\r\n")[0].count(b"\r\nTo: ") == 1


def test_a_domain_in_chinese_is_written_in_ascii() -> None:
    assert b"yi@xn--fsqu00a.example" in write(lines("甲"), to="yi@例子.example")


@pytest.fixture
async def mailed(
    client: httpx2.AsyncClient,
    keys: Keys,
    resources: Resources,
    mail_settings: Settings,
    owner_url: str,
    clock: StandingClock,
) -> Resources:
    """Resources with a mail server, and an enterprise that wants mail at once."""
    owner = await asyncpg.connect(owner_url)
    await owner.execute(
        "insert into notice_preference (organization_id, language, email, categories) values ($1, 'zh', 'yi@example.org', $2)",
        keys.enterprise.organization_id,
        '{"listing": {"in_app": true, "mail": "at_once"}}',
    )
    await owner.close()
    made = Resources(mail_settings, resources.urls, resources.pool, resources.encoders)
    # What was there before is not what these tests are about.
    async with resources.pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('duijie.roles', 'system', true)")
        await connection.execute("delete from outbox")
    return made


async def test_mail_goes_out_once_to_whom_it_is_for(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    await published(client, keys)
    await telling.all_of_it(mailed, clock)
    await telling.all_of_it(mailed, clock)
    assert postbox.to == [["yi@example.org"]]
    assert postbox.messages[0]["Subject"] == "[对接 Duijie] 需求《枸杞鲜果快速干燥》已发布"
    assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "sent", 1, None)]
    identifier = await pool.fetchval("select id from mail")
    assert postbox.messages[0]["Message-ID"] == f"<{identifier}@example.com>"


async def test_without_a_mail_server_it_is_told_in_the_application_only(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, resources: Resources, pool: Pool, clock: StandingClock
) -> None:
    await published(client, keys)
    await telling.all_of_it(resources, clock)
    assert await pool.fetchval("select count(*) from mail") == 0
    assert await pool.fetchval("select count(*) from notification where in_app and mailing = 'off'") > 0


async def test_a_mail_server_that_is_busy_is_asked_again_for_three_days(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    postbox.data_answer = "451 try again, yi@example.org"
    await published(client, keys)
    await telling.all_of_it(mailed, clock)
    for tries, delay in enumerate(DELAYS, 1):
        assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "pending", tries, "451")]
        await telling.send(mailed, clock)
        assert await pool.fetchval("select attempts from mail") == tries
        clock.move(seconds=delay.total_seconds() * 1.11)
        await telling.send(mailed, clock)
    assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "failed", len(DELAYS) + 1, "451")]


async def test_a_busy_mail_server_takes_it_later_under_the_same_id(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    postbox.recipient_answer = "450 greylisted"
    await published(client, keys)
    await telling.all_of_it(mailed, clock)
    postbox.recipient_answer = "250 OK"
    clock.move(minutes=1)
    await telling.send(mailed, clock)
    identifier = await pool.fetchval("select id from mail")
    assert [message["Message-ID"] for message in postbox.messages] == [f"<{identifier}@example.com>"]


@pytest.mark.parametrize("where", ["recipient_answer", "data_answer"])
async def test_a_refusal_for_good_is_noted_by_its_code(
    client: httpx2.AsyncClient,
    keys: Keys,
    mailed: Resources,
    postbox: Postbox,
    pool: Pool,
    clock: StandingClock,
    where: str,
) -> None:
    setattr(postbox, where, "550 5.1.1 no such mailbox yi@example.org")
    await published(client, keys)
    await telling.all_of_it(mailed, clock)
    assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "bounced", 1, "550")]
    seen = await client.get("/v1/notifications/preferences", headers=keys.headers("enterprise"))
    assert seen.json()["bounced_at"] == "2026-03-04T09:00:00Z"


async def test_one_mail_that_cannot_be_made_does_not_hold_up_the_others(
    client: httpx2.AsyncClient,
    keys: Keys,
    mailed: Resources,
    postbox: Postbox,
    pool: Pool,
    clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await published(client, keys)
    await published(client, keys)
    compose = mailing.compose
    first = True

    def fails_once(*values: Any, **more: Any) -> EmailMessage:
        nonlocal first
        if first:
            first = False
            raise AttributeError("a fault of a library")
        return compose(*values, **more)

    monkeypatch.setattr(mailing, "compose", fails_once)
    await telling.all_of_it(mailed, clock)
    assert len(postbox.messages) == 1
    assert sorted(tuple(row) for row in await pool.fetch(STATES)) == [
        ("at_once", "pending", 1, "AttributeError"),
        ("at_once", "sent", 1, None),
    ]


async def test_a_mail_server_out_of_reach_puts_everything_off(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, pool: Pool, clock: StandingClock
) -> None:
    lost = Resources(mailed.settings.model_copy(update={"smtp_port": 1}), mailed.urls, mailed.pool, mailed.encoders)
    await published(client, keys)
    await telling.all_of_it(lost, clock)
    assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "pending", 1, "SMTPConnectError")]


async def test_an_erased_person_is_not_written_to(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    administrator, own = keys.headers("administrator"), keys.enterprise.organization_id
    member = await add_member(client, administrator, own, "yanshi@example.com")
    await telling.tell(mailed, clock)
    assert await pool.fetchval("select count(*) from mail where person_id is not null") == 1
    gone = await client.delete(f"/v1/people/{member['person_id']}", headers=administrator)
    assert gone.status_code == 204
    await telling.all_of_it(mailed, clock)
    assert ["yanshi@example.com"] not in postbox.to
    assert {tuple(row) for row in await pool.fetch("select state, reply from mail where person_id is not null")} == {
        ("skipped", None)
    }


async def test_a_person_has_mail_at_its_own_address(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock
) -> None:
    administrator, own = keys.headers("administrator"), keys.enterprise.organization_id
    member = await add_member(client, administrator, own, "yanshi@example.com")
    await make_key(client, administrator, own, membership_id=member["id"])
    await telling.all_of_it(mailed, clock)
    assert sorted(to for (to,) in postbox.to) == [
        "yanshi@example.com",
        "yanshi@example.com",
        "yi@example.org",
        "yi@example.org",
    ]


async def test_who_is_suspended_is_mailed_about_its_account_only(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, clock: StandingClock
) -> None:
    need = await published(client, keys)
    address = f"/v1/organizations/{keys.enterprise.organization_id}/suspend"
    answer = await client.post(address, json={"reason": "核实"}, headers=keys.headers("administrator"))
    assert answer.status_code == 200, answer.text
    assert (await step(client, keys, "operator", need, "withdraw")).status_code == 200
    await telling.all_of_it(mailed, clock)
    assert [str(message["Subject"]) for message in postbox.messages] == ["[对接 Duijie] 本单位已被停用，请联系运营方"]


async def test_what_waits_when_its_organization_is_suspended_is_not_mailed(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    await published(client, keys)
    await telling.tell(mailed, clock)
    assert await pool.fetchval("select count(*) from mail where state = 'pending'") == 1
    address = f"/v1/organizations/{keys.enterprise.organization_id}/suspend"
    answer = await client.post(address, json={"reason": "核实"}, headers=keys.headers("administrator"))
    assert answer.status_code == 200, answer.text
    await telling.all_of_it(mailed, clock)
    assert [str(message["Subject"]) for message in postbox.messages] == ["[对接 Duijie] 本单位已被停用，请联系运营方"]
    assert sorted(row["state"] for row in await pool.fetch("select state from mail")) == ["sent", "skipped"]


@pytest.mark.parametrize(("word", "state"), [("s3cret-of-mail", "sent"), ("wrong-secret", "pending")])
async def test_it_logs_in_where_told_to_and_says_no_secret(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock,
    word: str, state: str, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    settings = mailed.settings.model_copy(update={"smtp_user": "market", "smtp_password": SecretStr(word)})
    held = Resources(settings, mailed.urls, mailed.pool, mailed.encoders)
    await published(client, keys)
    await telling.all_of_it(held, clock)
    assert postbox.logins[0] == b"market"
    row = await pool.fetchrow("select state, reply from mail")
    assert row is not None
    assert (row["state"], row["reply"]) == (state, None if state == "sent" else "535")
    printed = capsys.readouterr()
    assert word not in printed.out + printed.err + repr(settings)
    assert "yi@example.org" not in printed.out + printed.err


async def test_starttls_that_is_not_offered_is_no_reason_to_go_on_in_the_clear(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock
) -> None:
    settings = mailed.settings.model_copy(update={"smtp_security": "starttls"})
    await published(client, keys)
    await telling.all_of_it(Resources(settings, mailed.urls, mailed.pool, mailed.encoders), clock)
    assert postbox.messages == []
    assert [row["state"] for row in await pool.fetch(STATES)] == ["pending"]


async def test_a_worker_that_lost_its_lease_notes_nothing(
    client: httpx2.AsyncClient, keys: Keys, mailed: Resources, postbox: Postbox, pool: Pool, clock: StandingClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What it comes back with belongs to whoever holds the lease by now."""
    await published(client, keys)
    await telling.tell(mailed, clock)
    real = mailing._send

    async def slow(*parts: object) -> object:
        monkeypatch.setattr(mailing, "_send", real)
        clock.move(minutes=16)
        await telling.send(mailed, clock)
        return await real(*parts)  # type: ignore[arg-type]

    monkeypatch.setattr(mailing, "_send", slow)
    await telling.send(mailed, clock)
    assert len(postbox.messages) == 2
    assert len({message["Message-ID"] for message in postbox.messages}) == 1
    assert [tuple(row) for row in await pool.fetch(STATES)] == [("at_once", "sent", 1, None)]


async def test_doctor_says_whether_there_is_mail_and_whether_it_works(
    settings: Settings, mail_settings: Settings
) -> None:
    none = await _mail(settings)
    assert none.well
    assert "in the application only" in none.found
    working = await _mail(mail_settings)
    assert working.well
    assert working.found == f"127.0.0.1:{mail_settings.smtp_port}, none"
    broken = await _mail(mail_settings.model_copy(update={"smtp_security": "starttls"}))
    assert not broken.well
    assert str(broken.advice) != ""
