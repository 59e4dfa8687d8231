"""The whole chain over HTTP by five actors and one clock: from a need to a contract that is registered and followed up."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

from tests.chain.walking import (
    AGREED,
    BROKER,
    CONTACTS,
    FIRST,
    NEED,
    OUTCOME,
    SECOND,
    SIDES,
    YES,
    Market,
    accepted,
    ranked,
)
from tests.contracts.helpers import TERMS

BETTER = ["单批干燥时间≤12 h", "含水率≤13%（湿基）"]
CREATED = """
select subject_kind, action, count(*) as times from event
where to_state is not null and from_state is distinct from to_state
group by subject_id, subject_kind, action having count(*) > 1
"""
DOUBLE_NOTICES = """
select count(*) from (
    select 1 from notification group by event_id, organization_id, person_id having count(*) > 1
) as twice
"""


async def test_from_a_need_to_a_contract_that_is_followed_up(market: Market) -> None:
    await refined_and_published(market)
    await found_and_reviewed(market)
    await brought_together(market)
    contract = await signed(market)
    await registered(market, contract)
    await followed_up(market)
    await counted_once(market, contract)


async def refined_and_published(market: Market) -> None:
    """The need by a broker whom an operator chose, with the enterprise's agreement; the outcome by the operator."""
    profile = await market.step(
        "broker", "PUT", "/brokers/me", BROKER, headers={"If-Match": '"0"'}, leaves=["broker/create"]
    )
    need = await market.step("enterprise", "POST", "/needs", NEED, leaves=["need/create"])
    market.ids["need"] = need["id"]
    at, refining = f"/needs/{need['id']}", f"/refinements/{need['id']}"
    await market.refused("stranger", "GET", at, status=404)
    await market.step("enterprise", "POST", f"{at}/submit", leaves=["need/submit"])
    suggested = await market.read("operator", f"/brokers/suggestions?need_id={need['id']}")
    assert suggested["items"][0]["broker_id"] == profile["id"]
    given = {"need_id": need["id"], "broker_id": profile["id"]}
    await market.step("operator", "POST", "/brokers/assignments", given, leaves=["need/assign"])
    await market.step("broker", "POST", f"{at}/refine", leaves=["need/refine"])
    question = {"field": "indicators", "question": "含水率按湿基还是干基计？"}
    asked = await market.step("broker", "POST", f"{refining}/questions", question, leaves=["need/ask"])
    await market.step(
        "enterprise",
        "POST",
        f"{refining}/questions/{asked['questions'][0]['id']}/answer",
        {"answer": "按湿基计。"},
        leaves=["need/answer"],
    )
    await market.step(
        "broker",
        "PUT",
        f"{at}?reason=按企业答复写明基准",
        NEED | {"indicators": BETTER},
        headers=await market.etag("broker", at),
        leaves=["need/change"],
    )
    await market.refused("broker", "POST", f"{at}/publish", status=409)
    seen = await market.read("enterprise", refining)
    (change,) = seen["history"][-1]["changes"]
    assert (change["before"], change["after"], seen["agreed"]) == (NEED["indicators"], BETTER, False)
    await market.step(
        "enterprise", "POST", f"{refining}/agreement", {"revision": seen["revision"]}, leaves=["need/agree"]
    )
    await market.step("broker", "POST", f"{at}/publish", leaves=["need/publish"])
    outcome = await market.step("provider", "POST", "/outcomes", OUTCOME, leaves=["outcome/create"])
    market.ids["outcome"] = outcome["id"]
    for role, action in (("provider", "submit"), ("operator", "verify"), ("provider", "publish")):
        await market.step(role, "POST", f"/outcomes/{outcome['id']}/{action}", leaves=[f"outcome/{action}"])
    await market.look_around()


async def found_and_reviewed(market: Market) -> None:
    """The worker ranks; the broker's two calls open the case."""
    await ranked(market)
    await market.look_around()
    (waiting,) = (await market.read("broker", "/review?from=partner_regions"))["items"]
    # 中卫 and 福州 are partners in 闽宁.
    assert (waiting["recommendation"]["id"], waiting["assigned"], waiting["partnership"]) == (
        market.ids["pair"], True, 2,
    )  # fmt: skip
    await accepted(market)
    assert (await market.read("broker", "/review"))["items"] == []
    assert await market.awaited() == {("need", "invitation"), ("outcome", "invitation")}
    await market.look_around()


async def brought_together(market: Market) -> None:
    """Both consent, then know each other; they talk, meet and settle their terms."""
    at, pair = f"/cases/{market.ids['case']}", f"/recommendations/{market.ids['pair']}"
    market.clock.go(timedelta(hours=3))
    await market.step("enterprise", "POST", f"{at}/answer", YES, leaves=FIRST)
    assert await market.awaited() == {("outcome", "invitation")}
    await market.look_around()
    for role in (*SIDES, "broker"):
        await market.refused(role, "GET", f"{pair}/contacts", status=409)
    await market.refused("enterprise", "POST", f"{at}/consult", status=409)
    await market.refused("broker", "POST", "/contracts", terms(market) | {"case_id": market.ids["case"]}, status=409)
    market.acquainted = True
    await market.step("provider", "POST", f"{at}/answer", YES, leaves=SECOND)
    assert await market.awaited() == {("broker", "consult")}
    for role in SIDES:
        opened = await market.step(role, "GET", f"{pair}/contacts", leaves=["recommendation/open_contacts"])
        assert (opened["need"]["contact_name"], opened["outcome"]["contact_name"]) == (
            NEED["contact_name"], OUTCOME["contact_name"],
        )  # fmt: skip
        case = await market.read(role, at)
        assert case["state"] == "consented"
        assert (case["need"]["organization"]["id"], case["outcome"]["organization"]["id"]) == tuple(
            str(market.keys.members[each].organization_id) for each in SIDES
        )
    await market.step("broker", "POST", f"{at}/consult", leaves=["case/consult"])
    assert await market.awaited() == {("need", "reply")}
    words = {"channel": "shared", "body": "请提供中试记录。"}
    await market.step("enterprise", "POST", f"{at}/messages", words, leaves=["case/message"])
    assert await market.awaited() == {("outcome", "reply")}
    sent = await market.step(
        "provider",
        "POST",
        f"{at}/attachments",
        data={"channel": "shared", "body": "附三批记录"},
        files={"file": ("记录.csv", "批次,含水率\n1,12.8\n".encode(), "text/csv")},
        leaves=["case/message"],
    )
    saved = await market.ask("enterprise", "GET", f"{at}/attachments/{sent['id']}")
    assert "12.8" in saved.content.decode()
    await market.refused("stranger", "GET", f"{at}/attachments/{sent['id']}", status=404)
    begins = market.clock.at + timedelta(days=3)
    meeting = {
        "title": "中试条件交流",
        "place": "银川",
        "starts_at": begins.isoformat(),
        "ends_at": (begins + timedelta(hours=2)).isoformat(),
    }
    await market.step("provider", "POST", f"{at}/meetings", meeting, leaves=["case/call_meeting"])
    case = await market.step("provider", "POST", f"{at}/negotiate", leaves=["case/negotiate"])
    assert [each["name"] for each in case["missing"]] == ["mode"]
    assert await market.awaited() == {("need", "contract"), ("outcome", "contract")}
    case = await market.step(
        "enterprise",
        "PUT",
        f"{at}/terms",
        AGREED,
        headers=await market.etag("enterprise", at),
        leaves=["case/set_terms"],
    )
    assert case["missing"] == []


def terms(market: Market) -> dict[str, Any]:
    """Terms of a contract that begins today. Field, industry and rights are left to the listings."""
    left = {name: value for name, value in TERMS.items() if name not in ("field", "industry", "ip")}
    return left | {"starts_on": str(market.clock.today), "ends_on": str(market.clock.today + timedelta(days=700))}


async def signed(market: Market) -> str:
    """A contract out of the case: the enterprise drafts and confirms by it, the provider confirms, the enterprise signs."""
    body = terms(market) | {"case_id": market.ids["case"]}
    market.clock.go(timedelta(days=4))
    await market.refused("stranger", "POST", "/contracts", body, status=422)
    contract = await market.step("enterprise", "POST", "/contracts", body, leaves=["contract/create"])
    at = f"/contracts/{contract['id']}"
    assert [party["organization_id"] for party in contract["parties"]] == [
        str(market.keys.members[each].organization_id) for each in SIDES
    ]
    assert (contract["terms"]["field"], contract["terms"]["industry"]) == ("goji", "C")
    assert contract["terms"]["ip"]["rights"][0]["number"] == OUTCOME["ip_rights"][0]["number"]
    # 200000 + 600000, less 120000 and 30000.
    assert (contract["sums"]["turnover"], contract["sums"]["technology_value"]) == ("800000.00", "650000.00")
    on = {"signed_on": str(market.clock.today)}
    await market.refused("enterprise", "POST", f"{at}/sign", on, status=409)
    await market.step("provider", "POST", f"{at}/confirm", leaves=["contract/confirm"], headers={"If-Match": '"1"'})
    assert (await market.read("broker", f"/cases/{market.ids['case']}"))["state"] == "negotiating"
    done = await market.step("enterprise", "POST", f"{at}/sign", on, leaves=["contract/sign", "case/contract"])
    assert done["state"] == "signed"
    assert (await market.read("broker", f"/cases/{market.ids['case']}"))["state"] == "contracted"
    assert await market.awaited() == {("broker", "follow")}
    for path in (at, f"{at}/registration", f"/cases/{market.ids['case']}"):
        await market.refused("stranger", "GET", path, status=404)
    return str(contract["id"])


async def registered(market: Market, contract: str) -> None:
    """Filed by the provider, registered with its number, and what subsidies it comes to."""
    at = f"/contracts/{contract}"
    assert (await market.read("provider", f"{at}/registration"))["missing"] == []
    await market.step("provider", "POST", f"{at}/file", leaves=["contract/file"])
    market.clock.go(timedelta(days=5))
    given = {"number": "2026640100000001", "registered_on": str(market.clock.today), "office": "宁夏演示技术合同登记处"}
    await market.refused("authority", "POST", f"{at}/register", given, status=403)
    done = await market.step("operator", "POST", f"{at}/register", given, leaves=["contract/register"])
    assert (done["state"], done["registration"]["number"]) == ("registered", given["number"])
    awards = (await market.read("enterprise", f"{at}/subsidies"))["awards"]
    # 650000 × 0.05 = 32500; 650000 × 0.02 = 13000; there is no intermediary.
    assert {each["rule"]["code"]: each["amount"] for each in awards} == {
        "example_buyer": "32500.00", "example_seller": "13000.00", "example_broker": "0.00",
    }  # fmt: skip


async def followed_up(market: Market) -> None:
    """Asked after three months and answered by both sides; closed as won, and the need fulfilled."""
    at = f"/cases/{market.ids['case']}"
    await market.step("broker", "POST", f"{at}/follow", leaves=["case/follow"])
    assert await market.awaited() == {("broker", "close")}
    planned = (await market.read("enterprise", f"{at}/follow-ups"))["items"]
    assert [(each["side"], each["months"]) for each in planned] == [("need", 3), ("need", 6), ("need", 12)]
    answer = {"used": True, "paid": True, "amount": "120000.50"}
    await market.refused("enterprise", "POST", f"{at}/follow-ups/{planned[0]['id']}", answer, status=409)
    market.clock.go(timedelta(days=92))
    left = await market.house()
    assert left.count("case/ask_follow_up") == 2
    assert {("need", "follow_up"), ("outcome", "follow_up")} <= await market.awaited()
    for role in SIDES:
        own = (await market.read(role, f"{at}/follow-ups"))["items"][0]["id"]
        body = answer if role == "enterprise" else {"used": True, "paid": False}
        await market.step(role, "POST", f"{at}/follow-ups/{own}", body, leaves=["case/answer_follow_up"])
    assert await market.awaited() == {("broker", "close")}
    won = {"closed_as": "won", "code": "in_use"}
    case = await market.step("broker", "POST", f"{at}/close", won, leaves=["case/close"])
    assert (case["state"], case["closed_as"], case["awaiting"]) == ("closed", "won", [])
    assert (await market.read("stranger", f"/needs/{market.ids['need']}"))["state"] == "docking"
    need = await market.step("enterprise", "POST", f"/needs/{market.ids['need']}/fulfil", leaves=["need/fulfil"])
    assert need["state"] == "fulfilled"


async def counted_once(market: Market, contract: str) -> None:
    """The audit chain verifies, nothing was told twice, and every figure has the one chain in it."""
    await market.told()
    await market.holds()
    assert await market.pool.fetch(CREATED) == []
    assert await market.pool.fetchval(DOUBLE_NOTICES) == 0
    assert await market.pool.fetchval("select count(*) from outbox") == 0
    rows = await market.pool.fetch("select organization_id from notification where action = 'register'")
    assert Counter(row["organization_id"] for row in rows) == Counter(
        market.keys.members[role].organization_id for role in (*SIDES, "broker")
    )
    (card,) = (await market.read("operator", "/brokers"))["items"]
    figures = {name: card["figures"][name] for name in ("refined", "reviewed", "introduced", "consented", "contracted")}
    assert figures == {"refined": 1, "reviewed": 1, "introduced": 1, "consented": 1, "contracted": 1}
    assert card["workload"]["taken"] == 0
    for by in ("type", "field", "region", "month"):
        (row,) = (await market.read("authority", f"/contracts/figures?by={by}"))["figures"]
        assert (row["contracts"], row["turnover"], row["technology_value"]) == (1, "800000.00", "650000.00"), by
    paid = (await market.read("broker", f"/cases/{market.ids['case']}/follow-ups"))["figures"]
    assert (paid["answered"], paid["used"], Decimal(paid["paid"]["CNY"])) == (2, 2, Decimal("120000.50"))
    (listed,) = (await market.read("authority", "/contracts"))["items"]
    assert listed["id"] == contract
    # A stranger knows of none of it, and whom to call is in no event.
    for path in (f"/cases/{market.ids['case']}", f"/contracts/{contract}", f"/recommendations/{market.ids['pair']}"):
        await market.refused("stranger", "GET", path, status=404)
    kept = await market.pool.fetchval("select string_agg(data::text, ' ') from event")
    assert not [word for side in SIDES for word in CONTACTS[side].values() if word in kept]
