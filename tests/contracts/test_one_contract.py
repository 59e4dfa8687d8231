"""Of a pair one contract is under way at a time, and its case advances with it, whichever way it was entered."""

import asyncio
from typing import Any

import httpx2
import pytest

from service.cases import service as cases
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.resources import Resources
from tests.access.helpers import events_of
from tests.cases.helpers import YES, Desk, opened
from tests.chain.walking import AGREED
from tests.conftest import Keys
from tests.contracts.helpers import TERMS, with_codes

SIGNED = {"signed_on": "2026-01-15"}


@pytest.fixture
async def desk(client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool) -> Desk:
    """A case that both sides agreed to; nobody has begun to talk."""
    await with_codes(pool, keys)
    made = await opened(client, keys, resources, pool)
    await made.agree()
    return made


async def post(desk: Desk, role: str, language: str = "en", **more: Any) -> httpx2.Response:
    headers = desk.keys.headers(role) | {"Accept-Language": language}
    return await desk.client.post("/v1/contracts", json=TERMS | more, headers=headers)


async def entered(desk: Desk, role: str = "broker", **more: Any) -> str:
    answer = await post(desk, role, **more)
    assert answer.status_code == 201, answer.text
    return f"/v1/contracts/{answer.json()['id']}"


async def act(desk: Desk, path: str, action: str, role: str = "broker", **body: Any) -> httpx2.Response:
    return await desk.client.post(f"{path}/{action}", json=body, headers=desk.keys.headers(role))


async def agree_on_terms(desk: Desk) -> None:
    answer = await desk.ask("broker", "PUT", "/terms", AGREED, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


async def lapse(desk: Desk) -> None:
    """The case lapses, as if everybody had been silent for long."""
    async with transaction(desk.pool, SYSTEM) as connection:
        await connection.execute("update docking_case set state = 'lapsed'")
        await connection.execute("update case_wait set ended_at = asked_at, next_at = null where ended_at is null")


async def test_a_pair_with_a_case_under_way_drafts_through_the_case(desk: Desk) -> None:
    for role, language, word in (("enterprise", "en", "in place of"), ("broker", "zh", "换成")):
        refused = await post(desk, role, language, recommendation_id=desk.recommendation)
        assert refused.status_code == 409
        assert f'"case_id": "{desk.case_id}"' in refused.json()["detail"]
        assert word in refused.json()["detail"]
    await entered(desk, case_id=desk.case_id)


async def test_what_both_had_agreed_before_is_signed_without_talking(desk: Desk) -> None:
    path = await entered(desk, case_id=desk.case_id)
    lacking = await act(desk, path, "sign", **SIGNED)
    assert (lacking.status_code, "PUT /v1/cases/{id}/terms" in lacking.json()["detail"]) == (409, True)
    await agree_on_terms(desk)
    assert (await act(desk, path, "sign", **SIGNED)).json()["state"] == "signed"
    assert (await desk.read())["state"] == "contracted"
    assert await desk.awaited() == {("broker", "follow")}


async def test_a_contract_of_the_pair_advances_the_case_that_was_resumed_meanwhile(desk: Desk) -> None:
    await lapse(desk)
    path = await entered(desk, recommendation_id=desk.recommendation)
    await desk.take("broker", "/reopen")
    await agree_on_terms(desk)
    # The case's own draft would stand beside it.
    beside = await post(desk, "enterprise", case_id=desk.case_id)
    assert (beside.status_code, path[-36:] in beside.json()["detail"]) == (409, True)
    assert (await act(desk, path, "sign", **SIGNED)).json()["state"] == "signed"
    assert (await desk.read())["state"] == "contracted"


async def test_another_contract_has_to_be_meant(desk: Desk, pool: Pool) -> None:
    await agree_on_terms(desk)
    first = await entered(desk, case_id=desk.case_id)
    # Nothing is under way that it could be beside, so that the first one is the pair's own whatever is said.
    assert (await desk.client.get(first, headers=desk.keys.headers("broker"))).json()["further"] is False
    draft = await post(desk, "broker", case_id=desk.case_id, further=True)
    assert (draft.status_code, "draft already" in draft.json()["detail"]) == (409, True)
    await act(desk, first, "sign", **SIGNED)
    for language, word in (("en", "If this is another contract"), ("zh", "确为另一份合同")):
        refused = await post(desk, "provider", language, case_id=desk.case_id)
        assert refused.status_code == 409
        assert word in refused.json()["detail"]
        assert first[-36:] in refused.json()["detail"]
    second = await entered(desk, "provider", case_id=desk.case_id, further=True)
    assert (await act(desk, second, "sign", **SIGNED)).json()["further"] is True
    # The case was contracted once.
    assert [action for action in await desk.actions() if action == "contract"] == ["contract"]
    assert (await desk.read())["state"] == "contracted"
    told = await pool.fetch("select data ->> 'further' as further from event where action = 'create' order by id")
    assert [row["further"] for row in told[-2:]] == [None, "true"]


async def test_a_cancelled_contract_makes_place_for_the_next(desk: Desk) -> None:
    await agree_on_terms(desk)
    first = await entered(desk, case_id=desk.case_id)
    await act(desk, first, "sign", **SIGNED)
    await desk.take("broker", "/follow")
    ended = await act(desk, first, "cancel", "operator", reason="双方协议解除", effective_on="2026-02-01")
    assert ended.json()["state"] == "cancelled"
    second = await entered(desk, case_id=desk.case_id)
    assert (await act(desk, second, "sign", **SIGNED)).json()["state"] == "signed"
    assert (await desk.read())["state"] == "following"
    assert await events_of(desk.pool, second[-36:]) == [("create", None, "draft"), ("sign", "draft", "signed")]
    assert (await desk.actions()).count("contract") == 1


async def test_a_further_contract_needs_both_consents_too(desk: Desk) -> None:
    await agree_on_terms(desk)
    first = await entered(desk, case_id=desk.case_id)
    await act(desk, first, "sign", **SIGNED)
    second = await entered(desk, case_id=desk.case_id, further=True)
    consent = f"/v1/recommendations/{desk.recommendation}/consent"
    await desk.client.delete(consent, headers=desk.keys.headers("provider"))
    assert (await act(desk, second, "sign", **SIGNED)).status_code == 409
    await act(desk, second, "cancel", "operator", reason="同意已撤回")
    third = await post(desk, "broker", case_id=desk.case_id, further=True)
    assert (third.status_code, "withdrawn its consent" in third.json()["detail"]) == (409, True)


async def test_a_closed_case_names_the_way_out(desk: Desk) -> None:
    path = await entered(desk, case_id=desk.case_id)
    await desk.take("broker", "/close", {"closed_as": "lost", "code": "no_agreement"})
    for answer in (await act(desk, path, "sign", **SIGNED), await post(desk, "broker", case_id=desk.case_id)):
        assert answer.status_code == 409
        assert "recommendation_id" in answer.json()["detail"]
    # Its draft is taken back first; then the pair has a contract of its own.
    await act(desk, path, "cancel", "operator", reason="对接已结束")
    alone = await entered(desk, recommendation_id=desk.recommendation)
    assert (await act(desk, alone, "sign", **SIGNED)).json()["state"] == "signed"
    assert (await desk.read())["state"] == "closed"


@pytest.mark.parametrize("ended", [False, True])
async def test_of_two_entered_at_once_one_is_first(desk: Desk, *, ended: bool) -> None:
    if ended:
        await lapse(desk)
    origin = {"recommendation_id": desk.recommendation} if ended else {"case_id": desk.case_id}
    answers = await asyncio.gather(
        *(post(desk, role, **origin, further=role == "broker") for role in ("enterprise", "provider", "broker"))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409]
    assert await desk.pool.fetchval("select count(*) from contract") == 1


async def test_a_pair_drafted_while_its_case_is_opened_again_is_one_or_the_other(desk: Desk) -> None:
    """Whoever is first is told to the other: the draft stands beside no draft of the case."""
    await lapse(desk)
    drafted, reopened = await asyncio.gather(
        post(desk, "enterprise", recommendation_id=desk.recommendation), desk.ask("broker", "POST", "/reopen")
    )
    assert reopened.status_code == 200
    assert drafted.status_code in (201, 409)
    through = await post(desk, "provider", case_id=desk.case_id)
    assert sorted((drafted.status_code, through.status_code)) == [201, 409]


async def test_consents_given_anew_let_the_old_draft_be_signed_at_once(desk: Desk) -> None:
    await agree_on_terms(desk)
    await desk.take("broker", "/consult")
    path = await entered(desk, case_id=desk.case_id)
    consent = f"/v1/recommendations/{desk.recommendation}/consent"
    await desk.client.delete(consent, headers=desk.keys.headers("provider"))
    refused = await act(desk, path, "sign", **SIGNED)
    assert (refused.status_code, "withdrawn" in refused.json()["detail"]) == (409, True)
    await desk.take("provider", "/answer", YES)
    assert (await act(desk, path, "sign", **SIGNED)).json()["state"] == "signed"
    assert (await desk.read())["state"] == "contracted"


async def test_the_case_is_held_while_its_contract_is_signed(desk: Desk, pool: Pool) -> None:
    """A side that withdraws at the same moment is first or second: never is something signed in a case that goes on talking."""
    await agree_on_terms(desk)
    path = await entered(desk, case_id=desk.case_id)
    consent = f"/v1/recommendations/{desk.recommendation}/consent"
    signed, withdrawn = await asyncio.gather(
        act(desk, path, "sign", **SIGNED), desk.client.delete(consent, headers=desk.keys.headers("provider"))
    )
    assert withdrawn.status_code == 200
    async with transaction(pool, SYSTEM) as connection:
        case = await cases.latest(connection, next(iter(await pool.fetch("select id from recommendation")))["id"])
    assert case is not None
    assert (signed.status_code, case.state) in ((200, "contracted"), (409, "invited"))


async def test_a_changed_draft_takes_from_the_listings_what_it_leaves_open_as_a_new_one_does(desk: Desk) -> None:
    body = {name: value for name, value in TERMS.items() if name not in ("field", "industry", "ip")}
    async with transaction(desk.pool, SYSTEM) as connection:
        await connection.execute("update listing set field = 'goji', industry = 'C'")
    broker = desk.keys.headers("broker")
    made = await desk.client.post("/v1/contracts", json=body | {"case_id": desk.case_id}, headers=broker)
    assert (made.json()["terms"]["field"], made.json()["terms"]["industry"]) == ("goji", "C")
    path, tag = f"/v1/contracts/{made.json()['id']}", {"If-Match": made.headers["ETag"]}
    changed = await desk.client.put(path, json=body | {"case_id": desk.case_id, "place": "银川"}, headers=broker | tag)
    assert changed.status_code == 200, changed.text
    assert changed.json()["terms"] == made.json()["terms"] | {"place": "银川"}
