"""Every no, question, withdrawal, lapse and closing of a case, by an injected clock."""

from datetime import UTC, datetime
from uuid import UUID

import httpx2
import pytest

from service import worker
from service.cases import business_days
from service.cases import service as cases
from service.errors import Conflict
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.resources import Resources
from tests.cases.helpers import BEGIN, YES, Clock, Desk
from tests.conftest import Keys


def day(month: int, day: int, hour: int = 4, year: int = 2026) -> datetime:
    """An instant of a day; 4 o'clock UTC is noon on the market's clock."""
    return datetime(year, month, day, hour, tzinfo=UTC)


async def test_an_invitation_names_both_sides_and_its_term(desk: Desk) -> None:
    shown = await desk.read("enterprise")
    assert shown["state"] == "invited"
    assert [(each["party"], each["what"], each["you"]) for each in shown["awaiting"]] == [
        ("need", "invitation", True), ("outcome", "invitation", False),
    ]  # fmt: skip
    # Five business days after Wednesday 23 September: 24, 28, 29, 30 (25 to 27 is 中秋), then 8 October after 国庆.
    assert {each["until"] for each in shown["awaiting"]} == {"2026-10-08T15:59:59Z"}
    assert (shown["partner"], shown["need_region"], shown["outcome_region"]) == (True, "640500", "350100")
    assert (await desk.ask("stranger", "GET")).status_code == 404
    assert (await desk.ask("authority", "GET")).status_code == 200


async def test_a_no_closes_with_its_code(desk: Desk, pool: Pool) -> None:
    refused = await desk.ask("provider", "POST", "/answer", {"answer": "no"})
    assert (refused.status_code, refused.json()["errors"][0]["rule"]) == (422, "code_with_no")
    shown = await desk.take("provider", "/answer", {"answer": "no", "code": "price_mismatch"})
    assert (shown["state"], shown["closed_as"], shown["code"], shown["awaiting"]) == (
        "closed", "lost", "price_mismatch", [],
    )  # fmt: skip
    assert (await desk.ask("enterprise", "POST", "/answer", YES)).status_code == 409
    late = await desk.client.post(
        f"/v1/recommendations/{desk.recommendation}/consent",
        json={"purpose": "洽谈"},
        headers=desk.keys.headers("enterprise"),
    )
    assert late.status_code == 409
    assert await pool.fetchval("select count(*) from consent") == 0
    assert await desk.events() == [("open", None, "invited"), ("decline", "invited", "closed")]
    rows = await pool.fetch(
        "select organization_id, answered, ended_at from organization_response where kind = 'invitation'"
    )
    assert {row["organization_id"]: row["answered"] for row in rows} == {
        desk.keys.provider.organization_id: True,
        desk.keys.enterprise.organization_id: False,
    }
    assert all(row["ended_at"] == BEGIN for row in rows)


async def test_a_question_rests_the_term_until_the_broker_answers(desk: Desk, moment: Clock) -> None:
    asked = {"answer": "question", "text": "设备是否可租用？"}
    moment.go(day(9, 28))
    await desk.take("enterprise", "/answer", asked)
    assert await desk.awaited() == {("broker", "question"), ("outcome", "invitation")}
    assert (await desk.ask("enterprise", "POST", "/answer", asked)).status_code == 409
    moment.go(day(9, 29))
    await desk.take("broker", "/messages", {"channel": "need", "body": "可以租用。"}, 201)
    shown = await desk.read()
    assert {(each["party"], each["until"][:10]) for each in shown["awaiting"]} == {
        ("outcome", "2026-10-08"), ("need", "2026-10-12"),
    }  # fmt: skip
    assert (await desk.actions())[1:] == ["question", "message"]
    # A yes while the question is open ends the question too.
    await desk.take("enterprise", "/answer", asked)
    await desk.take("enterprise", "/answer", YES)
    assert await desk.awaited() == {("outcome", "invitation")}


async def test_reminders_escalation_and_lapse_come_once_each(desk: Desk, moment: Clock, pool: Pool) -> None:
    """Due on 8 October: reminded two business days before (29 September) and on the day, told the broker on the 9th."""
    await desk.take("enterprise", "/answer", YES)
    await desk.tick(day(9, 28))
    assert await desk.actions() == ["open", "consent"]
    for at in (day(9, 29), day(9, 30), day(10, 8), day(10, 9), day(10, 12), day(10, 15)):
        moment.go(at)
        await desk.tick(at)
    assert (await desk.actions())[2:] == ["remind", "remind", "escalate"]
    (awaited,) = (await desk.read())["awaiting"]
    assert (awaited["overdue"], awaited["escalated"]) == (True, True)
    # Grace of five business days from Friday 9 October: 10 (a Saturday worked for the holiday), 12, 13, 14, 15.
    moment.go(day(10, 16))
    await desk.tick(day(10, 16))
    shown = await desk.read("provider")
    assert (shown["state"], shown["awaiting"], shown["actions"]) == ("lapsed", [], [])
    assert (await desk.events())[-1] == ("lapse", "invited", "lapsed")
    told = await pool.fetchval("select data from event where action = 'escalate'")
    assert (told["party"], told["organization"]) == ("outcome", str(desk.keys.provider.organization_id))
    # The need's consent stands, so that only the outcome's side is invited again.
    assert (await desk.ask("provider", "POST", "/reopen")).status_code == 403
    shown = await desk.take("broker", "/reopen")
    assert (shown["state"], await desk.awaited()) == ("invited", {("outcome", "invitation")})
    assert (await desk.take("provider", "/answer", YES))["state"] == "consented"


async def test_after_an_outage_the_broker_has_the_whole_grace(desk: Desk) -> None:
    await desk.tick(day(12, 1))
    assert (await desk.actions())[1:] == ["escalate", "escalate"]
    await desk.tick(day(12, 8))
    assert (await desk.actions())[3:] == []
    await desk.tick(day(12, 9))
    assert (await desk.actions())[3:] == ["lapse"]


async def test_a_withdrawn_consent_takes_the_case_back(desk: Desk) -> None:
    await desk.agree()
    await desk.take("provider", "/consult")
    path = f"/v1/recommendations/{desk.recommendation}/consent"
    answer = await desk.client.delete(path, headers=desk.keys.headers("provider"))
    assert answer.status_code == 200, answer.text
    assert ((await desk.read())["state"], await desk.awaited()) == ("invited", {("outcome", "invitation")})
    contacts = f"/v1/recommendations/{desk.recommendation}/contacts"
    assert (await desk.client.get(contacts, headers=desk.keys.headers("enterprise"))).status_code == 409
    assert (await desk.read("provider"))["need"]["organization"] is None
    shared = {"channel": "shared", "body": "你好"}
    assert (await desk.ask("enterprise", "POST", "/messages", shared)).status_code == 409
    assert (await desk.take("provider", "/answer", YES))["state"] == "consented"
    assert (await desk.read("provider"))["need"]["organization"]["id"] == str(desk.keys.enterprise.organization_id)


async def test_withdrawing_while_the_other_is_still_awaited(desk: Desk) -> None:
    await desk.take("enterprise", "/answer", YES)
    path = f"/v1/recommendations/{desk.recommendation}/consent"
    assert (await desk.client.delete(path, headers=desk.keys.headers("enterprise"))).status_code == 200
    assert await desk.awaited() == {("need", "invitation"), ("outcome", "invitation")}


async def test_only_who_steers_closes_and_by_a_code_of_its_kind(desk: Desk) -> None:
    lost = {"closed_as": "lost", "code": "no_agreement"}
    for role, status in (("enterprise", 403), ("provider", 403), ("authority", 403), ("stranger", 404)):
        assert (await desk.ask(role, "POST", "/close", lost)).status_code == status, role
    wrong = await desk.ask("broker", "POST", "/close", {"closed_as": "won", "code": "no_agreement"})
    assert (wrong.status_code, wrong.json()["errors"][0]["rule"]) == (422, "code_of_closing")
    assert (await desk.ask("broker", "POST", "/close", {"closed_as": "won", "code": "in_use"})).status_code == 409
    stale = await desk.ask("broker", "POST", "/close", lost, headers={"If-Match": '"9"'})
    assert stale.status_code == 412
    shown = await desk.take("broker", "/close", lost | {"note": "双方对归属未能一致"})
    assert (shown["state"], shown["code"], shown["awaiting"]) == ("closed", "no_agreement", [])
    notes = await desk.ask("broker", "GET", "/messages?channel=broker")
    assert [each["body"] for each in notes.json()["items"]] == ["双方对归属未能一致"]
    assert (await desk.ask("enterprise", "GET", "/messages")).json()["items"] == []


async def test_another_broker_sees_but_does_not_steer(desk: Desk, client: httpx2.AsyncClient, keys: Keys) -> None:
    body = {"label": "x", "roles": ["broker"]}
    path = f"/v1/organizations/{keys.administrator.organization_id}/keys"
    made = await client.post(path, json=body, headers=keys.headers("administrator"))
    other = {"Authorization": f"Bearer {made.json()['key']}"}
    address = f"/v1/cases/{desk.case_id}"
    assert (await client.get(address, headers=other)).status_code == 200
    lost = {"closed_as": "lost", "code": "no_answer"}
    assert (await client.post(f"{address}/close", json=lost, headers=other)).status_code == 403
    await desk.take("operator", "/close", lost)


async def test_an_extension_begins_the_term_anew(desk: Desk, moment: Clock) -> None:
    await desk.tick(day(10, 9))
    moment.go(day(10, 9))
    more = {"party": "need", "days": 3}
    assert (await desk.ask("enterprise", "POST", "/extensions", more)).status_code == 403
    assert (await desk.ask("broker", "POST", "/extensions", {"party": "broker", "days": 3})).status_code == 409
    shown = await desk.take("broker", "/extensions", more)
    until = {each["party"]: (each["until"][:10], each["escalated"]) for each in shown["awaiting"]}
    # 10 October is a Saturday that is worked, then Monday 12 and Tuesday 13.
    assert until == {"need": ("2026-10-13", False), "outcome": ("2026-10-08", True)}


async def test_undo_closes_what_nobody_has_touched(desk: Desk, pool: Pool) -> None:
    pair = UUID(desk.recommendation)
    async with transaction(pool, SYSTEM) as connection:
        assert not await cases.is_touched(connection, pair)
        assert await cases.close_unanswered(connection, SYSTEM, pair)
        assert not await cases.close_unanswered(connection, SYSTEM, pair)
    shown = await desk.read()
    assert (shown["state"], shown["closed_as"], shown["code"]) == ("closed", "undone", "decision_undone")


@pytest.mark.parametrize("answer", [YES, {"answer": "question", "text": "何时可以看样机？"}])
async def test_undo_is_refused_once_a_side_has_answered(desk: Desk, pool: Pool, answer: dict[str, str]) -> None:
    await desk.take("enterprise", "/answer", answer)
    async with transaction(pool, SYSTEM) as connection:
        assert await cases.is_touched(connection, UUID(desk.recommendation))
        with pytest.raises(Conflict):
            await cases.close_unanswered(connection, SYSTEM, UUID(desk.recommendation))


async def test_a_term_into_a_year_without_calendar_is_marked_and_counted_anew(
    desk: Desk, moment: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:

    # As before 2027 was published, also once the library has it.
    monkeypatch.setattr(business_days, "PUBLISHED", frozenset(range(2004, 2027)))
    moment.go(day(12, 30))
    await desk.take("operator", "/extensions", {"party": "need", "days": 4})
    shown = {each["party"]: each for each in (await desk.read())["awaiting"]}
    # Thursday 31 December, then 1, 4 and 5 January, as if no holiday were known.
    assert (shown["need"]["until"][:10], shown["need"]["provisional"]) == ("2027-01-05", True)
    assert shown["outcome"]["provisional"] is False
    # Once the year is published its New Year's holiday is known: the term is counted anew, and ends a day later.
    monkeypatch.setattr(business_days, "PUBLISHED", business_days.PUBLISHED | {2027})
    monkeypatch.setattr(business_days, "is_workday", lambda day: day.weekday() < 5 and (day.month, day.day) != (1, 1))
    await desk.tick(day(12, 30))
    shown = {each["party"]: each for each in (await desk.read())["awaiting"]}
    assert (shown["need"]["until"][:10], shown["need"]["provisional"]) == ("2027-01-06", False)


async def test_the_worker_keeps_the_clock(desk: Desk, resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "now", lambda: day(9, 29))
    await worker.keep_house(resources)
    await worker.keep_house(resources)
    assert (await desk.actions())[1:] == ["remind", "remind"]


async def test_what_is_over_or_signed_cannot_be_left_and_says_why(desk: Desk, pool: Pool) -> None:
    await desk.agree()
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update docking_case set state = 'contracted', contracted_at = now()")
    bound = await desk.ask("provider", "POST", "/leave", {"code": "no_funds"})
    assert (bound.status_code, "/cancel" in bound.json()["detail"]) == (409, True)
    await desk.take("broker", "/close", {"closed_as": "lost", "code": "no_agreement"})
    over = await desk.ask("provider", "POST", "/leave", {"code": "no_funds"}, headers={"Accept-Language": "en"})
    assert (over.status_code, over.json()["detail"]) == (
        409, "The case is closed or lapsed already: there is nothing to leave",
    )  # fmt: skip


@pytest.mark.parametrize("part", ["meetings", "milestones"])
async def test_what_is_no_part_of_the_case_is_not_found(desk: Desk, part: str) -> None:
    await desk.agree()
    changes = {"meetings": {"title": "x", "starts_at": BEGIN.isoformat(), "ends_at": day(10, 30).isoformat()},
               "milestones": {"title": "x", "due_on": "2026-12-01"}}  # fmt: skip
    missing = f"/{part}/01890a5d-ac96-774b-bcce-b302099a8057"
    assert (await desk.ask("broker", "GET", missing)).status_code in (404, 405)
    answer = await desk.ask("broker", "PUT", missing, changes[part], headers={"If-Match": "*"})
    assert answer.status_code == 404, answer.text


async def test_an_operator_closes_without_writing_into_the_brokers_notes(desk: Desk) -> None:
    await desk.agree()
    noted = {"closed_as": "lost", "code": "no_funds", "note": "资金未落实"}
    refused = await desk.ask("operator", "POST", "/close", noted)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "note"), refused.text
    assert (await desk.read())["state"] == "consented"
    shown = await desk.take("operator", "/close", {"closed_as": "lost", "code": "no_funds"})
    assert (shown["state"], shown["code"]) == ("closed", "no_funds")
