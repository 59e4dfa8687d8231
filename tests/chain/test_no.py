"""Every no on the way, over the whole chain and by one clock: wrong actors, steps out of turn, refusals, lapses and returns."""

from datetime import timedelta
from typing import Any

import pytest

from tests.access.helpers import make_key
from tests.chain.test_whole import DOUBLE_NOTICES, terms
from tests.chain.walking import (
    AGREED,
    BROKER,
    FIRST,
    NEED,
    OUTCOME,
    SECOND,
    SIDES,
    YES,
    Market,
    accepted,
    agreed,
    published,
)
from tests.conftest import Member

STALE = {"If-Match": '"99"'}
READ = {"If-Match": "*"}
NOBODY = "00000000-0000-7000-8000-000000000000"
REASON = {"reason": "缺少附件二"}


async def second_broker(market: Market) -> str:
    """The role name of a broker of another organization."""
    house = market.keys.members["administrator"].organization_id
    made = await make_key(market.client, market.keys.headers("administrator"), house, roles=["broker"])
    market.keys.members["second"] = Member("broker", house, made["key"])
    return "second"


async def negotiating(market: Market) -> str:
    """A case whose sides negotiate, and have not settled their terms; its address."""
    await published(market)
    await accepted(market)
    await agreed(market)
    at = f"/cases/{market.ids['case']}"
    for role, action in (("broker", "consult"), ("enterprise", "negotiate")):
        await market.step(role, "POST", f"{at}/{action}", leaves=[f"case/{action}"])
    return at


async def settle(market: Market) -> None:
    """Both sides' terms are there."""
    at = f"/cases/{market.ids['case']}"
    await market.step(
        "provider", "PUT", f"{at}/terms", AGREED, headers=await market.etag("provider", at), leaves=["case/set_terms"]
    )


async def drafted(market: Market, **changes: Any) -> str:
    """A draft out of the case that the provider has confirmed; its address."""
    body = terms(market) | {"case_id": market.ids["case"]} | changes
    made = await market.step("enterprise", "POST", "/contracts", body, leaves=["contract/create"])
    at = f"/contracts/{made['id']}"
    await market.step("provider", "POST", f"{at}/confirm", leaves=["contract/confirm"], headers=READ)
    return at


async def sign(market: Market, at: str) -> None:
    """The enterprise signs what the provider confirmed."""
    on = {"signed_on": str(market.clock.today)}
    await market.step("enterprise", "POST", f"{at}/sign", on, leaves=["contract/sign", "case/contract"])


async def figures(market: Market) -> tuple[int, int]:
    """Contracts as the authority counts them, and as they are counted for the broker."""
    found = (await market.read("authority", "/contracts/figures?by=type"))["figures"]
    (card,) = (await market.read("operator", "/brokers"))["items"]
    return sum(row["contracts"] for row in found), card["figures"]["contracted"]


async def test_a_need_is_refined_by_nobody_else_and_published_as_agreed(market: Market) -> None:
    profile = await market.step(
        "broker", "PUT", "/brokers/me", BROKER, headers={"If-Match": '"0"'}, leaves=["broker/create"]
    )
    need = await market.step("enterprise", "POST", "/needs", NEED, leaves=["need/create"])
    market.ids["need"] = need["id"]
    at, refining = f"/needs/{need['id']}", f"/refinements/{need['id']}"
    given = {"need_id": need["id"], "broker_id": profile["id"]}
    await market.refused("operator", "POST", "/brokers/assignments", given, status=409)
    for role, status in (("stranger", 404), ("provider", 404), ("enterprise", 403), ("broker", 409)):
        await market.refused(role, "POST", f"{at}/refine", status=status)
    await market.refused("enterprise", "POST", f"{at}/submit", headers=STALE, status=412)
    await market.step("enterprise", "POST", f"{at}/submit", leaves=["need/submit"])
    for role in ("broker", "enterprise"):
        await market.refused(role, "POST", "/brokers/assignments", given, status=403)
    await market.refused("operator", "POST", "/brokers/assignments", given | {"broker_id": NOBODY}, status=404)
    await market.step("operator", "POST", "/brokers/assignments", given, leaves=["need/assign"])
    await market.step("broker", "POST", f"{at}/refine", leaves=["need/refine"])
    await market.refused("enterprise", "POST", f"{refining}/questions", {"question": "多少？"}, status=403)
    await market.refused("broker", "PUT", at, NEED, status=428)
    await market.refused("broker", "PUT", at, NEED, headers=STALE, status=412)
    changed = NEED | {"title": "枸杞鲜果低温干燥装备"}
    await market.step("broker", "PUT", at, changed, headers=await market.etag("broker", at), leaves=["need/change"])
    revision = (await market.read("enterprise", refining))["revision"]
    await market.refused("broker", "POST", f"{refining}/agreement", {"revision": revision}, status=403)
    await market.refused("enterprise", "POST", f"{refining}/agreement", {"revision": revision - 1}, status=409)
    for role, status in (("broker", 409), ("enterprise", 403), ("provider", 404)):
        await market.refused(role, "POST", f"{at}/publish", status=status)
    agreed_to = {"revision": revision}
    await market.step("enterprise", "POST", f"{refining}/agreement", agreed_to, leaves=["need/agree"])
    await market.step("broker", "POST", f"{at}/publish", leaves=["need/publish"])
    await market.refused("broker", "POST", f"{at}/publish", status=409)
    outcome = await market.step("provider", "POST", "/outcomes", OUTCOME, leaves=["outcome/create"])
    there = f"/outcomes/{outcome['id']}"
    await market.step("provider", "POST", f"{there}/submit", leaves=["outcome/submit"])
    await market.refused("provider", "POST", f"{there}/verify", status=403)
    await market.refused("provider", "POST", f"{there}/publish", status=409)
    await market.holds()


async def test_a_pair_is_decided_on_once_and_by_whom_it_is_leased(market: Market) -> None:
    await published(market)
    second = await second_broker(market)
    pair = market.ids["pair"]
    path, accept = f"/recommendations/{pair}/decisions", {"action": "accept"}
    for role in SIDES:
        await market.refused(role, "GET", "/review", status=403)
        await market.refused(role, "POST", f"/recommendations/{pair}/consent", {"purpose": "洽谈"}, status=404)
    await market.refused("operator", "POST", "/review/leases", {}, status=403)
    await market.step("broker", "POST", "/review/leases", {"limit": 1}, leaves=[])
    batch = {"decisions": [accept | {"recommendation_id": pair}]}
    for role, status in ((second, 409), ("enterprise", 403), ("operator", 403)):
        await market.refused(role, "POST", "/review/decisions", batch, status=status)
    await market.refused("broker", "POST", path, accept, headers=STALE, status=412)
    stale = {"decisions": [batch["decisions"][0] | {"version": 99}]}
    await market.refused("broker", "POST", "/review/decisions", stale, status=409)
    await market.refused("broker", "POST", path, {"action": "decline"}, status=422)
    # A lease that has ended is nobody's: the other broker is first.
    market.clock.go(timedelta(minutes=31))
    await market.step(second, "POST", path, accept, leaves=["recommendation/accept", "case/open"])
    await market.refused("broker", "POST", "/review/decisions", batch, status=409)
    (case,) = (await market.read(second, "/cases"))["items"]
    market.ids["case"] = case["id"]
    lost = {"closed_as": "lost", "code": "no_answer"}
    # The case is the second broker's: the first one sees it, and does not steer it.
    await market.refused("broker", "POST", f"/cases/{case['id']}/close", lost, status=403)
    await market.look_around()
    await market.holds()


@pytest.mark.parametrize("who", SIDES)
async def test_a_side_says_no(market: Market, who: str) -> None:
    await published(market)
    await accepted(market)
    at, other = f"/cases/{market.ids['case']}", "provider" if who == "enterprise" else "enterprise"
    await market.step(other, "POST", f"{at}/answer", YES, leaves=FIRST)
    for role, status in (("stranger", 404), ("broker", 403), ("operator", 403), ("authority", 403)):
        await market.refused(role, "POST", f"{at}/answer", YES, status=status)
    await market.refused(who, "POST", f"{at}/answer", {"answer": "no"}, status=422)
    no = {"answer": "no", "code": "price_mismatch", "text": "预算不足"}
    case = await market.step(who, "POST", f"{at}/answer", no, leaves=["case/decline"])
    assert (case["state"], case["closed_as"], case["code"], case["awaiting"]) == (
        "closed",
        "lost",
        "price_mismatch",
        [],
    )
    await market.look_around()
    for role in SIDES:
        await market.refused(role, "POST", f"{at}/answer", YES, status=409)
        await market.refused(role, "GET", f"/recommendations/{market.ids['pair']}/contacts", status=409)
        await market.refused(role, "POST", f"{at}/messages", {"channel": "shared", "body": "你好"}, status=409)
        for origin in ({"case_id": market.ids["case"]}, {"recommendation_id": market.ids["pair"]}):
            await market.refused(role, "POST", "/contracts", terms(market) | origin, status=409)
    await market.refused("broker", "POST", f"{at}/reopen", status=409)
    # Whoever says no late is told that it is over, and the clock has nothing to remind of.
    market.clock.go(timedelta(days=60))
    assert "case/remind" not in await market.house()
    await market.holds()


@pytest.mark.parametrize("who", SIDES)
async def test_a_side_leaves(market: Market, who: str) -> None:
    at, other = await negotiating(market), "provider" if who == "enterprise" else "enterprise"
    why = {"code": "no_agreement", "text": "付款方式谈不拢"}
    for role, status in (("stranger", 404), ("broker", 403), ("operator", 403), ("authority", 403)):
        await market.refused(role, "POST", f"{at}/leave", why, status=status)
    for wrong in ({}, {"code": "other"}, {"code": "in_use"}):
        await market.refused(who, "POST", f"{at}/leave", wrong, status=422)
    await market.refused(who, "POST", f"{at}/leave", why, headers=STALE, status=412)
    left = ["case/leave", "need/undock", "recommendation/withdraw_consent"]
    case = await market.step(who, "POST", f"{at}/leave", why, leaves=left)
    assert (case["state"], case["closed_as"], case["code"], case["awaiting"]) == ("closed", "lost", "no_agreement", [])
    # What was opened closes with it, and why stays between the side and the broker.
    for role in (*SIDES, "broker"):
        await market.refused(role, "GET", f"/recommendations/{market.ids['pair']}/contacts", status=409)
        await market.refused(who, "POST", f"{at}/leave", why, status=409)
    for role, reads in ((who, 1), ("broker", 1), (other, 0)):
        assert len((await market.read(role, f"{at}/messages"))["items"]) == reads
    assert (await market.read("provider", at))["need"]["organization"] is None
    await market.told()
    told = await market.pool.fetch(
        "select organization_id, text_en from notification where action in ('leave', 'withdraw_consent', 'undock')"
    )
    assert {row["organization_id"] for row in told} == {
        market.keys.members[role].organization_id for role in (other, "broker")
    }
    assert len(told) == 2
    assert all("left, and the case is over" in row["text_en"] for row in told)
    await market.holds()


async def test_who_has_signed_does_not_leave_by_itself(market: Market) -> None:
    at = await negotiating(market)
    await settle(market)
    await sign(market, await drafted(market))
    for role in SIDES:
        bound = await market.refused(role, "POST", f"{at}/leave", {"code": "no_funds"}, status=409)
        assert "/cancel" in bound["detail"]


async def test_an_invited_side_leaves_too_and_has_answered_by_it(market: Market) -> None:
    await published(market)
    await accepted(market)
    at = f"/cases/{market.ids['case']}"
    await market.step("enterprise", "POST", f"{at}/answer", YES, leaves=FIRST)
    left = ["case/leave", "recommendation/withdraw_consent"]
    await market.step("enterprise", "POST", f"{at}/leave", {"code": "already_solved"}, leaves=left)
    await market.refused("provider", "POST", f"{at}/answer", YES, status=409)
    rows = await market.pool.fetch(
        "select organization_id, answered from organization_response where kind = 'invitation'"
    )
    organization = {role: market.keys.members[role].organization_id for role in SIDES}
    assert {row["organization_id"]: row["answered"] for row in rows} == {
        organization["enterprise"]: True,
        organization["provider"]: False,
    }
    await market.holds()


async def test_a_withdrawn_consent_closes_what_it_opened(market: Market) -> None:
    at = await negotiating(market)
    await settle(market)
    contract = await drafted(market)
    pair = f"/recommendations/{market.ids['pair']}"
    await market.step("enterprise", "GET", f"{pair}/contacts", leaves=["recommendation/open_contacts"])
    await market.step(
        "provider",
        "DELETE",
        f"{pair}/consent",
        leaves=["recommendation/withdraw_consent", "case/withdraw_consent", "need/undock"],
    )
    assert await market.awaited() == {("outcome", "invitation")}
    for role in (*SIDES, "broker"):
        await market.refused(role, "GET", f"{pair}/contacts", status=409)
    # Signed by a party or by a broker who has the paper: a contract comes from a case in which both want to.
    on = {"signed_on": str(market.clock.today)}
    for role in ("enterprise", "broker"):
        await market.refused(role, "POST", f"{contract}/sign", on, status=409)
    await market.refused("enterprise", "POST", f"{at}/messages", {"channel": "shared", "body": "你好"}, status=409)
    assert (await market.read("provider", at))["need"]["organization"] is None
    # Consented anew, it goes on where the terms were left.
    await market.step("provider", "POST", f"{at}/answer", YES, leaves=SECOND)
    await market.step("broker", "POST", f"{at}/consult", leaves=["case/consult"])
    await sign(market, contract)
    # A contract stands, whatever is withdrawn afterwards.
    await market.step(
        "provider",
        "DELETE",
        f"{pair}/consent",
        leaves=["recommendation/withdraw_consent", "case/withdraw_consent"],
    )
    assert (await market.read("broker", at))["state"] == "contracted"
    await market.holds()


async def test_silence_is_reminded_of_escalated_and_lapses_and_is_opened_again(market: Market) -> None:
    await published(market)
    await accepted(market)
    at = f"/cases/{market.ids['case']}"
    await market.step("enterprise", "POST", f"{at}/answer", YES, leaves=FIRST)
    left: list[str] = []
    states = []
    # Day by day; an invitation has a term of five business days and the broker five of grace.
    for _ in range(40):
        market.clock.go(timedelta(days=1))
        left += [each for each in await market.house() if each.startswith("case/")]
        states.append((await market.read("broker", at))["state"])
        if states[-1] == "lapsed":
            break
    assert left == ["case/remind", "case/remind", "case/escalate", "case/lapse"]
    await market.look_around()
    await market.refused("provider", "POST", f"{at}/answer", YES, status=409)
    for role, status in (("enterprise", 403), ("provider", 403), ("stranger", 404), ("authority", 403)):
        await market.refused(role, "POST", f"{at}/reopen", status=status)
    await market.refused("broker", "POST", f"{at}/reopen", headers=STALE, status=412)
    await market.step("broker", "POST", f"{at}/reopen", leaves=["case/reopen"])
    # The enterprise's consent stands.
    assert await market.awaited() == {("outcome", "invitation")}
    market.acquainted = True
    await market.step("provider", "POST", f"{at}/answer", YES, leaves=SECOND)
    # Each told once: the reminders to the provider, the escalation to the broker.
    await market.told()
    assert await market.pool.fetchval(DOUBLE_NOTICES) == 0
    rows = await market.pool.fetch(
        "select action, organization_id from notification where action in ('remind', 'escalate') order by event_id"
    )
    organization = {role: market.keys.members[role].organization_id for role in ("provider", "broker")}
    assert [(row["action"], row["organization_id"]) for row in rows] == [
        ("remind", organization["provider"]),
        ("remind", organization["provider"]),
        ("escalate", organization["broker"]),
    ]
    await market.holds()


async def test_an_acceptance_is_undone_in_time_and_not_too_late(market: Market) -> None:
    await published(market)
    await accepted(market)
    undo, first = f"/recommendations/{market.ids['pair']}/decisions/undo", market.ids["case"]
    for role, status in (("operator", 403), ("authority", 403)):
        await market.refused(role, "POST", undo, status=status)
    await market.refused("broker", "POST", undo, headers=STALE, status=412)
    market.clock.go(timedelta(minutes=9))
    await market.step("broker", "POST", undo, leaves=["case/undo", "recommendation/undo"])
    closed = await market.read("broker", f"/cases/{first}")
    assert (closed["state"], closed["closed_as"], closed["awaiting"]) == ("closed", "undone", [])
    await market.refused("enterprise", "POST", f"/cases/{first}/answer", YES, status=409)
    await market.look_around()
    # Back in the queue, it is accepted again: another case, and the one active of the pair.
    await accepted(market)
    assert market.ids["case"] != first
    market.clock.go(timedelta(minutes=20))
    await market.refused("broker", "POST", undo, status=409)
    await agreed(market)
    await market.refused("broker", "POST", undo, status=409)
    active = "select count(*) from docking_case where state not in ('closed', 'lapsed')"
    assert await market.pool.fetchval(active) == 1
    await market.holds()


async def test_a_contract_waits_for_what_its_mode_needs_and_for_its_turn(market: Market) -> None:
    at = await negotiating(market)
    body = terms(market) | {"case_id": market.ids["case"]}
    for role, status in (("stranger", 422), ("authority", 403)):
        await market.refused(role, "POST", "/contracts", body, status=status)
    await market.refused("enterprise", "POST", "/contracts", terms(market), status=422)
    await market.refused("enterprise", "POST", "/contracts", body | {"origin_reason": "补录"}, status=422)
    await market.refused("broker", "POST", "/contracts", body | {"case_id": NOBODY}, status=422)
    contract = await drafted(market)
    # As of a pair, of a case there is one draft at a time, whatever is meant.
    again = await market.refused("broker", "POST", "/contracts", body, status=409)
    assert "If this is another contract" in again["detail"]
    again = await market.refused("broker", "POST", "/contracts", body | {"further": True}, status=409)
    assert "draft already" in again["detail"]
    on = {"signed_on": str(market.clock.today)}
    for role, status in (("stranger", 404), ("authority", 403)):
        await market.refused(role, "POST", f"{contract}/sign", on, status=status)
    lacking = await market.refused("enterprise", "POST", f"{contract}/sign", on, status=409)
    assert "mode of cooperation" in lacking["detail"]
    assert (await market.read("broker", contract))["state"] == "draft"
    await market.refused("enterprise", "PUT", f"{at}/terms", AGREED, status=428)
    await market.refused("enterprise", "PUT", f"{at}/terms", AGREED, headers=STALE, status=412)
    await market.refused("stranger", "PUT", f"{at}/terms", AGREED, headers={"If-Match": "*"}, status=404)
    most = AGREED | {"terms": {name: value for name, value in AGREED["terms"].items() if name != "acceptance"}}
    tag = await market.etag("provider", at)
    await market.step("provider", "PUT", f"{at}/terms", most, headers=tag, leaves=["case/set_terms"])
    lacking = await market.refused("enterprise", "POST", f"{contract}/sign", on, status=409)
    assert "how it is accepted" in lacking["detail"]
    await settle(market)
    tomorrow = {"signed_on": str(market.clock.today + timedelta(days=1))}
    await market.refused("enterprise", "POST", f"{contract}/sign", tomorrow, status=422)
    await market.refused("enterprise", "POST", f"{contract}/sign", on, headers=STALE, status=412)
    for action in ("file", "register", "settle"):
        given = (
            {"number": "2026-0001", "registered_on": on["signed_on"], "office": "登记处"}
            if action == "register"
            else None
        )
        await market.refused("administrator", "POST", f"{contract}/{action}", given, status=409)
    for action, status in (("follow", 409), ("reopen", 409)):
        await market.refused("broker", "POST", f"{at}/{action}", status=status)
    await market.refused("broker", "POST", f"{at}/close", {"closed_as": "won", "code": "in_use"}, status=409)
    await sign(market, contract)
    await market.refused("enterprise", "POST", f"{contract}/sign", on, status=409)
    # The case has its contract: no second one comes from it unless it is meant.
    await market.refused("enterprise", "POST", "/contracts", body, status=409)
    await market.refused("enterprise", "POST", f"{at}/follow", status=403)
    await market.holds()


async def test_a_rejected_registration_is_filed_again_and_a_cancelled_contract_counts_no_more(market: Market) -> None:
    await market.step("broker", "PUT", "/brokers/me", BROKER, headers={"If-Match": '"0"'}, leaves=["broker/create"])
    at = await negotiating(market)
    await settle(market)
    contract = await drafted(market)
    await sign(market, contract)
    market.clock.go(timedelta(days=2))
    await market.step("provider", "POST", f"{contract}/file", leaves=["contract/file"])
    for role in (*SIDES, "broker", "authority"):
        await market.refused(role, "POST", f"{contract}/reject", REASON, status=403)
    await market.refused("operator", "POST", f"{contract}/reject", status=422)
    done = await market.step("operator", "POST", f"{contract}/reject", REASON, leaves=["contract/reject"])
    assert (done["state"], done["registration"]["reason"]) == ("rejected", REASON["reason"])
    assert await figures(market) == (0, 0)
    number = {"number": "2026640100000009", "registered_on": str(market.clock.today), "office": "宁夏演示登记处"}
    await market.refused("operator", "POST", f"{contract}/register", number, status=409)
    await market.step("enterprise", "POST", f"{contract}/file", leaves=["contract/file"])
    await market.step("operator", "POST", f"{contract}/register", number, leaves=["contract/register"])
    assert await figures(market) == (1, 1)
    filings = await market.read("provider", f"{contract}/filings")
    assert [each["decision"] for each in filings] == ["rejected", "registered"]
    why = {"reason": "双方协议解除", "effective_on": str(market.clock.today)}
    for role, status in (("broker", 403), ("authority", 403), ("stranger", 404)):
        await market.refused(role, "POST", f"{contract}/cancel", why, status=status)
    await market.refused("enterprise", "POST", f"{contract}/cancel", {"reason": "解除"}, status=422)
    await market.step("enterprise", "POST", f"{contract}/cancel", why, leaves=["contract/cancel"])
    assert await figures(market) == (0, 0)
    ended = {"closed_as": "lost", "code": "contract_ended"}
    await market.refused("enterprise", "POST", f"{at}/close", ended, status=403)
    case = await market.step("broker", "POST", f"{at}/close", ended, leaves=["case/close", "need/undock"])
    assert (case["state"], case["code"], case["awaiting"]) == ("closed", "contract_ended", [])
    await market.holds()


async def test_a_contract_of_the_pair_is_that_of_its_case(market: Market) -> None:
    """Entered by the pair, it is bound by the case all the same: by its consents, by its terms, and it ends the talks."""
    at = await negotiating(market)
    body = terms(market) | {"recommendation_id": market.ids["pair"]}
    past = await market.refused("enterprise", "POST", "/contracts", body, status=409)
    assert market.ids["case"] in past["detail"]
    # Nobody moves, and the case lapses; both still consent, so that the pair may have a contract of its own.
    for _ in range(2):
        market.clock.go(timedelta(days=90))
        await market.house()
    assert (await market.read("broker", at))["state"] == "lapsed"
    pair, on = f"/recommendations/{market.ids['pair']}", {"signed_on": str(market.clock.today)}
    made = await market.step("enterprise", "POST", "/contracts", body, leaves=["contract/create"])
    contract = f"/contracts/{made['id']}"
    await market.step("provider", "POST", f"{contract}/confirm", leaves=["contract/confirm"], headers=READ)
    await market.step("broker", "POST", f"{at}/reopen", leaves=["case/resume", "need/dock"])
    lacking = await market.refused("enterprise", "POST", f"{contract}/sign", on, status=409)
    assert "mode of cooperation" in lacking["detail"]
    await settle(market)
    withdrawn = ["recommendation/withdraw_consent", "case/withdraw_consent", "need/undock"]
    await market.step("provider", "DELETE", f"{pair}/consent", leaves=withdrawn)
    for role in ("enterprise", "broker"):
        await market.refused(role, "POST", f"{contract}/sign", on, status=409)
    await market.step("provider", "POST", f"{at}/answer", YES, leaves=SECOND)
    await sign(market, contract)
    assert (await market.read("broker", at))["state"] == "contracted"
    await market.holds()
