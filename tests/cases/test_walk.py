"""One case from acceptance to its closing as won and its last follow-up, over HTTP and by an injected clock."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import httpx2
import pytest
from icalendar import Calendar

from service.cases import service as cases
from service.errors import OutOfTurn
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.settings import get_settings
from tests.cases.helpers import YES, Clock, Desk
from tests.conftest import Keys

TERMS = {
    "task": "枸杞低温干燥样机",
    "fee": "800000",
    "delivered_on": "2027-06-30",
    "acceptance": "含水率≤13%",
    "ownership": "共有",
}


async def contract(desk: Desk, pool: Pool) -> None:
    """As the room of contracts does when one is signed."""
    async with transaction(pool, SYSTEM) as connection:
        await cases.mark_contracted(connection, SYSTEM, UUID(desk.case_id), get_settings())


async def settle(desk: Desk) -> None:
    """Both settle the terms of a commissioned development."""
    version = (await desk.read())["version"]
    answer = await desk.ask(
        "enterprise",
        "PUT",
        "/terms",
        {"mode": "commissioned_rd", "terms": TERMS},
        headers={"If-Match": f'"{version}"'},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["missing"] == []


async def test_from_acceptance_to_the_last_follow_up(desk: Desk, moment: Clock, pool: Pool) -> None:
    # Before both consents the provider knows nobody behind the need.
    assert (await desk.read("provider"))["need"]["organization"] is None
    await desk.take("enterprise", "/answer", YES)
    assert (await desk.read("provider"))["need"]["organization"] is None
    shown = await desk.take("provider", "/answer", YES)
    assert (shown["state"], shown["need"]["organization"]["id"]) == (
        "consented", str(desk.keys.enterprise.organization_id),
    )  # fmt: skip
    assert await desk.awaited() == {("broker", "consult")}
    assert (await desk.read())["awaiting"][0]["you"] is True

    shown = await desk.take("broker", "/consult")
    assert (shown["state"], await desk.awaited()) == ("consulting", {("need", "reply")})
    await desk.take("enterprise", "/messages", {"channel": "shared", "body": "请提供中试记录。"}, 201)
    assert await desk.awaited() == {("outcome", "reply")}
    await desk.take("provider", "/messages", {"channel": "shared", "body": "附上三批记录。"}, 201)
    assert await desk.awaited() == {("need", "reply")}
    # A second word out of turn changes nobody's turn.
    await desk.take("provider", "/messages", {"channel": "shared", "body": "另有一批在测。"}, 201)
    assert await desk.awaited() == {("need", "reply")}

    called = await desk.take(
        "provider",
        "/meetings",
        {
            "title": "中试条件交流",
            "place": "银川；贺兰山路",
            "agenda": "含水率，能耗\n报价",
            "starts_at": "2026-10-12T14:00:00+08:00",
            "ends_at": "2026-10-12T16:00:00+08:00",
        },
        201,
    )
    file = await desk.ask("enterprise", "GET", f"/meetings/{called['id']}/calendar.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    (entry,) = Calendar.from_ical(file.content).walk("VEVENT")
    assert entry["uid"] == f"{called['id']}@duijie"
    assert entry.decoded("dtstart") == datetime(2026, 10, 12, 6, tzinfo=UTC)
    assert (str(entry["location"]), str(entry["description"])) == ("银川；贺兰山路", "含水率，能耗\n报价")
    milestone = await desk.take("enterprise", "/milestones", {"title": "提交样机", "due_on": "2027-03-31"}, 201)
    done = await desk.ask(
        "provider",
        "PUT",
        f"/milestones/{milestone['id']}",
        {"title": "提交样机", "due_on": "2027-03-31", "done_on": "2027-03-20"},
        headers={"If-Match": '"1"'},
    )
    assert (done.status_code, done.json()["version"]) == (200, 2)

    shown = await desk.take("provider", "/negotiate")
    assert await desk.awaited() == {("need", "contract"), ("outcome", "contract")}
    assert [each["name"] for each in shown["missing"]] == ["mode"]
    await settle(desk)
    await contract(desk, pool)
    assert ((await desk.read())["state"], await desk.awaited()) == ("contracted", {("broker", "follow")})
    assert (await desk.ask("enterprise", "POST", "/follow")).status_code == 403
    await desk.take("broker", "/follow")
    assert await desk.awaited() == {("broker", "close")}
    follow_ups = (await desk.ask("enterprise", "GET", "/follow-ups")).json()
    assert [(each["side"], each["months"], each["asked_at"][:10]) for each in follow_ups["items"]] == [
        ("need", 3, "2026-12-23"), ("need", 6, "2027-03-23"), ("need", 12, "2027-09-23"),
    ]  # fmt: skip
    first = follow_ups["items"][0]["id"]
    body = {"used": True, "paid": True, "amount": "120000.50"}
    assert (await desk.ask("enterprise", "POST", f"/follow-ups/{first}", body)).status_code == 409

    shown = await desk.take("broker", "/close", {"closed_as": "won", "code": "in_use"})
    assert (shown["state"], shown["closed_as"]) == ("closed", "won")
    moment.go(datetime(2026, 12, 24, 2, tzinfo=UTC))
    await desk.tick(moment.at)
    # Asked after the closing too.
    assert await desk.awaited("enterprise") == {("need", "follow_up")}
    assert await desk.awaited() == {("need", "follow_up"), ("outcome", "follow_up")}
    assert (await desk.ask("provider", "POST", f"/follow-ups/{first}", body)).status_code == 404
    assert (await desk.ask("broker", "POST", f"/follow-ups/{first}", body)).status_code == 403
    await desk.take("enterprise", f"/follow-ups/{first}", body)
    assert (await desk.ask("enterprise", "POST", f"/follow-ups/{first}", body)).status_code == 409
    # What is overdue is reminded three times, a fortnight apart, and then left.
    for days in (20, 34, 48, 62, 76):
        await desk.tick(moment.at + timedelta(days=days))
    told = await desk.actions()
    assert (told.count("ask_follow_up"), told.count("remind_follow_up")) == (2, 3)
    moment.go(datetime(2027, 9, 24, 2, tzinfo=UTC))
    await desk.tick(moment.at)
    last = (await desk.ask("enterprise", "GET", "/follow-ups")).json()["items"][2]["id"]
    await desk.take("enterprise", f"/follow-ups/{last}", {"used": True, "paid": True, "amount": "0.75"})
    figures = (await desk.ask("broker", "GET", "/follow-ups")).json()["figures"]
    assert figures == {"asked": 6, "answered": 2, "used": 2, "paid": {"CNY": str(Decimal("120001.25"))}}
    assert (await desk.events())[:6] == [
        ("open", None, "invited"),
        ("consent", "invited", "invited"),
        ("consent", "invited", "consented"),
        ("consult", "consented", "consulting"),
        ("message", "consulting", "consulting"),
        ("message", "consulting", "consulting"),
    ]


async def test_what_a_mode_needs_is_named_before_the_contract(desk: Desk, pool: Pool) -> None:
    await desk.agree()
    await desk.take("broker", "/consult")
    path, terms = "/terms", {"mode": "equity", "terms": {"share": "120", "colour": "red", "company": " "}}
    assert (await desk.ask("provider", "PUT", path, terms)).status_code == 428
    version = f'"{(await desk.read())["version"]}"'
    wrong = await desk.ask("provider", "PUT", path, terms, headers={"If-Match": version})
    assert {(each["field"], each["rule"]) for each in wrong.json()["errors"]} == {
        ("terms.share", "percent"), ("terms.colour", "unknown"), ("terms.company", "text"),
    }  # fmt: skip
    terms["terms"] = {"share": "12.5", "valuation": 3000000}
    kept = await desk.ask("provider", "PUT", path, terms, headers={"If-Match": version})
    assert kept.json()["terms"] == {"share": "12.50", "valuation": "3000000.00"}
    assert [each["name"] for each in kept.json()["missing"]] == ["object", "company", "valued_on"]
    with pytest.raises(OutOfTurn, match="day of the valuation"):
        await contract(desk, pool)
    assert (await desk.read())["state"] == "consulting"


async def test_response_times_are_published_from_enough_answers(desk: Desk, moment: Clock, pool: Pool) -> None:
    provider = desk.keys.provider.organization_id
    address = f"/v1/organizations/{provider}/response"
    moment.go(timedelta(hours=6))
    await desk.take("provider", "/answer", YES)
    few = (await desk.client.get(address, headers=desk.keys.headers("stranger"))).json()
    assert (few["enough"], few["answered"], few["median_hours"]) == (False, None, None)
    insert = """
    insert into organization_response (organization_id, kind, subject_id, asked_at, ended_at, answered)
    values ($1, 'invitation', uuidv7(), $2::timestamptz, $2::timestamptz + $3::interval, true)
    """
    async with transaction(pool, SYSTEM) as connection:
        for hours in (1, 2, 48, 72):
            await connection.execute(insert, provider, moment.at, timedelta(hours=hours))
    enough = (await desk.client.get(address, headers=desk.keys.headers("stranger"))).json()
    # Of 1, 2, 6, 48 and 72 hours.
    assert (enough["enough"], enough["answered"], enough["median_hours"]) == (True, 5, 6.0)


async def test_a_partner_operator_sees_the_cases_of_its_pair(desk: Desk) -> None:
    """The need lies in 宁夏中卫, the outcome in 福州: 闽宁."""
    assert (await desk.ask("stranger", "GET")).status_code == 404
    keys, client = desk.keys, desk.client
    pair = {"from_region": "350000", "to_region": "640000", "program": "minning"}
    body = pair | {"organization_id": str(keys.stranger.organization_id)}
    for role, status in (("enterprise", 403), ("broker", 403), ("authority", 403)):
        assert (await client.post("/v1/partner-operators", json=body, headers=keys.headers(role))).status_code == status
    wrong = await client.post(
        "/v1/partner-operators", json=body | {"program": "nothing"}, headers=keys.headers("operator")
    )
    assert wrong.status_code == 422
    made = await client.post("/v1/partner-operators", json=body, headers=keys.headers("operator"))
    assert made.status_code == 201, made.text
    again = await client.post("/v1/partner-operators", json=body, headers=keys.headers("operator"))
    assert again.status_code == 409
    await desk.agree()
    listed = (await client.get("/v1/cases?partner=true&region=350000", headers=keys.headers("stranger"))).json()[
        "items"
    ]
    assert [each["id"] for each in listed] == [desk.case_id]
    shown = listed[0]
    assert (shown["partner_pairs"], shown["terms"], shown["actions"]) == (["350000:640000:minning"], {}, [])
    # It sees that they meet, not what they say, and the need stays anonymous to it.
    assert shown["need"]["organization"] is None
    assert (await desk.ask("stranger", "GET", "/messages")).status_code == 403
    assert (await desk.ask("stranger", "POST", "/answer", YES)).status_code == 403
    assert (await desk.ask("stranger", "POST", "/consult")).status_code == 403
    for query in ("partner=false", "region=110000", "awaiting=me", "state=lapsed"):
        found = await client.get(f"/v1/cases?{query}", headers=keys.headers("stranger"))
        assert found.json()["items"] == [], query
    ended = await client.delete(f"/v1/partner-operators/{made.json()['id']}", headers=keys.headers("operator"))
    assert ended.status_code == 200
    assert (await desk.ask("stranger", "GET")).status_code == 404


async def test_who_is_awaited_finds_its_cases(desk: Desk) -> None:
    async def found(role: str, query: str) -> int:
        answer = await desk.client.get(f"/v1/cases?{query}", headers=desk.keys.headers(role))
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    assert [await found(role, "awaiting=me") for role in ("enterprise", "provider", "broker")] == [1, 1, 0]
    await desk.agree()
    assert [await found(role, "awaiting=me") for role in ("enterprise", "provider", "broker")] == [0, 0, 1]
    assert [await found("broker", f"awaiting={party}") for party in ("need", "outcome", "broker")] == [0, 0, 1]
    assert await found("operator", "state=consented&state=invited") == 1
    assert await found("other_provider", "limit=1") == 0


async def test_everybody_is_told_what_to_do_next(desk: Desk) -> None:
    async def may(role: str) -> list[str]:
        return list((await desk.read(role))["actions"])

    assert await may("enterprise") == ["answer", "leave"]
    assert (await may("broker"), await may("authority")) == (["close"], [])
    await desk.take("enterprise", "/answer", YES)
    assert (await may("enterprise"), await may("provider")) == (["leave"], ["answer", "leave"])
    # A side that asked may still answer.
    await desk.take("provider", "/answer", {"answer": "question", "text": "设备可租用吗？"})
    assert await may("provider") == ["answer", "leave"]
    no = await desk.ask("enterprise", "POST", "/answer", {"answer": "no", "code": "no_funds"})
    assert (no.status_code, "/leave" in no.json()["detail"]) == (409, True)
    await desk.take("provider", "/answer", YES)
    assert (await may("provider"), await may("broker")) == (["consult", "leave"], ["consult", "close"])
    # The administrator acts for the market and is no side.
    assert await may("administrator") == ["consult", "close"]
    across = await desk.ask("enterprise", "POST", "/messages", {"channel": "outcome", "body": "你好"})
    assert (across.status_code, "in need" in across.json()["detail"]) == (403, True)


async def test_who_accepts_is_told_the_case(desk: Desk, client: httpx2.AsyncClient, keys: Keys) -> None:
    for role in ("enterprise", "broker"):
        pair = await client.get(f"/v1/recommendations/{desk.recommendation}", headers=keys.headers(role))
        assert pair.json()["case_id"] == desk.case_id
    undone = await client.post(
        f"/v1/recommendations/{desk.recommendation}/decisions/undo", headers=keys.headers("broker")
    )
    assert undone.status_code == 200, undone.text
    before = await client.get(f"/v1/recommendations/{desk.recommendation}", headers=keys.headers("broker"))
    assert before.json()["case_id"] is None
    body = {"decisions": [{"recommendation_id": desk.recommendation, "action": "accept"}]}
    answer = await client.post("/v1/review/decisions", json=body, headers=keys.headers("broker"))
    made = answer.json()["items"][0]["decision"]["case_id"]
    found = await client.get(f"/v1/cases/{made}", headers=keys.headers("broker"))
    assert (found.json()["state"], found.json()["recommendation_id"]) == ("invited", desk.recommendation)


async def test_what_is_due_by_a_day_is_listed(desk: Desk, client: httpx2.AsyncClient, keys: Keys) -> None:
    """Invited on 23 September, both sides have until 8 October; the broker is not awaited."""

    async def found(role: str, query: str) -> int:
        answer = await client.get(f"/v1/cases?{query}", headers=keys.headers(role))
        assert answer.status_code == 200, answer.text
        return len(answer.json()["items"])

    for role, query, count in (
        ("enterprise", "due=2026-10-08", 1), ("enterprise", "due=2026-10-07", 0), ("enterprise", "awaiting=me&due=2026-10-08", 1),
        ("broker", "awaiting=me&due=9999-12-31", 0), ("broker", "awaiting=need&due=2026-10-08", 1), ("broker", "due=0001-01-01", 0),
        ("stranger", "due=2026-10-08", 0),
    ):  # fmt: skip
        assert await found(role, query) == count, (role, query)
