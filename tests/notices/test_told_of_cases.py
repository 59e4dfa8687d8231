"""Cases, contracts and refinement over HTTP: who is told, in which words, and who is not."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from service import telling
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.resources import Resources
from service.settings import Settings
from tests.cases.helpers import BEGIN, YES, Clock, Desk, opened
from tests.cases.made import another_broker, consulting_case
from tests.conftest import Keys
from tests.contracts.helpers import brought_to, enter, with_codes
from tests.contracts.helpers import step as contract_step
from tests.http.test_needs import post, step
from tests.notices.conftest import Receiver, StandingClock

TOLD = "select organization_id, for_role, text_zh from notification where subject_kind = $1 and action = $2 order by id"


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of cases."""
    return Clock(monkeypatch)


@pytest.fixture
async def desk(client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, moment: Clock) -> Desk:
    """A case that has just been opened."""
    return await opened(client, keys, resources, pool)


class Ear:
    """What was told so far, by the names of those who were told."""

    def __init__(self, keys: Keys, resources: Resources, pool: Pool, clock: StandingClock) -> None:
        self.resources, self.pool, self.clock = resources, pool, clock
        self.names = {member.organization_id: name for name, member in keys.members.items()}

    async def of(self, action: str, kind: str = "case") -> list[tuple[str, str]]:
        """Whom every event of a kind was told to, in which words."""
        self.clock.move(minutes=1)
        await telling.tell(self.resources, self.clock)
        rows = await self.pool.fetch(TOLD, kind, action)
        return [(self.names[row["organization_id"]], row["text_zh"]) for row in rows]

    async def whom(self, action: str, kind: str = "case") -> list[str]:
        """Whom alone."""
        return [name for name, _ in await self.of(action, kind)]


@pytest.fixture
def ear(keys: Keys, resources: Resources, pool: Pool) -> Ear:
    """By a clock that is past everything that a case does."""
    return Ear(keys, resources, pool, StandingClock(BEGIN + timedelta(days=400)))


async def test_an_accepted_pair_invites_both_sides_and_names_nobody(desk: Desk, ear: Ear, pool: Pool) -> None:
    assert await ear.of("open") == [
        ("enterprise", "需求《枸杞鲜果快速干燥》与成果《枸杞真空脉动干燥装备》收到对接邀请，请答复"),
        ("provider", "成果《枸杞真空脉动干燥装备》与需求《枸杞鲜果快速干燥》收到对接邀请，请答复"),
    ]
    assert await ear.of("accept", "recommendation") == []
    await desk.agree()
    assert await ear.whom("consent") == ["provider", "broker", "enterprise", "broker"]
    assert (await ear.of("consent"))[2][1].endswith("双方均同意对接，身份互见")
    assert await ear.of("consent", "recommendation") == []
    await desk.take("broker", "/consult")
    assert await ear.whom("consult") == ["enterprise", "provider"]
    texts = await pool.fetchval("select string_agg(text_zh || text_en, ' ') from notification")
    for member in desk.keys.members.values():
        assert await pool.fetchval("select name from organization where id = $1", member.organization_id) not in texts
    for word in ("演示甲", "演示乙", "0951", YES["purpose"]):
        assert word not in texts


async def test_a_title_that_left_the_market_is_not_told_across(desk: Desk, ear: Ear, pool: Pool) -> None:
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update listing set state = 'withdrawn' where id = $1", UUID(desk.need))
    told = dict(await ear.of("open"))
    assert "枸杞鲜果快速干燥" in told["enterprise"]
    assert "枸杞鲜果快速干燥" not in told["provider"]
    assert "（未公开）" in told["provider"]


async def test_reminder_and_escalation_reach_who_is_awaited_and_the_broker(desk: Desk, ear: Ear, moment: Clock) -> None:
    await desk.take("enterprise", "/answer", YES)
    # The term ends on 8 October, after the holidays; the enterprise has answered, the provider has not.
    assert (await desk.read())["awaiting"][0]["until"][:10] == "2026-10-08"
    await desk.tick(BEGIN + timedelta(days=8))
    (reminder,) = set(await ear.of("remind"))
    assert reminder == (
        "provider", "《枸杞真空脉动干燥装备》与《枸杞鲜果快速干燥》的对接：等待贵方办理，期限至 2026-10-08 23:59"
    )  # fmt: skip
    assert await ear.of("escalate") == []
    await desk.tick(BEGIN + timedelta(days=16))
    assert await ear.of("escalate") == [
        ("broker", "《枸杞鲜果快速干燥》与《枸杞真空脉动干燥装备》的对接：逾期未办，请跟进")
    ]
    assert set(await ear.whom("remind")) == {"provider"}
    await desk.tick(BEGIN + timedelta(days=40))
    assert await ear.whom("lapse") == ["enterprise", "provider", "broker"]


async def test_what_the_broker_leaves_goes_to_operators(desk: Desk, ear: Ear, moment: Clock) -> None:
    await desk.agree()
    await desk.tick(BEGIN + timedelta(days=60))
    assert await ear.whom("escalate") == ["operator"]
    assert set(await ear.whom("remind")) <= {"broker"}


async def test_what_is_said_in_one_sides_channel_is_not_told_to_the_other(desk: Desk, ear: Ear) -> None:
    await desk.take("enterprise", "/messages", {"channel": "need", "body": "底价是多少？"}, 201)
    assert await ear.whom("message") == ["broker"]
    await desk.take("broker", "/messages", {"channel": "outcome", "body": "请补充检测报告。"}, 201)
    assert await ear.whom("message") == ["broker", "provider"]
    await desk.take("broker", "/messages", {"channel": "broker", "body": "对方犹豫。"}, 201)
    assert await ear.whom("message") == ["broker", "provider"]
    await desk.agree()
    await desk.take("provider", "/messages", {"channel": "shared", "body": "您好。"}, 201)
    assert (await ear.whom("message"))[2:] == ["enterprise", "broker"]
    assert (await ear.of("message"))[2][1] == "《枸杞鲜果快速干燥》与《枸杞真空脉动干燥装备》的对接：有新消息"


async def test_a_question_goes_to_the_broker_and_a_no_across(desk: Desk, ear: Ear) -> None:
    await desk.take("provider", "/answer", {"answer": "question", "text": "谁来出资？"})
    assert await ear.whom("question") == ["broker"]
    await desk.take("provider", "/answer", {"answer": "no", "code": "other", "text": "没有人手"})
    assert await ear.whom("decline") == ["enterprise", "broker"]
    assert "没有人手" not in str(await ear.of("decline"))


async def test_a_case_that_changes_hands_is_told_to_both_brokers_and_both_sides(desk: Desk, ear: Ear) -> None:
    another = await another_broker(desk.client, desk.keys)
    await desk.take("administrator", "/broker", {"broker_id": another, "reason": "leaves"})
    told = await ear.of("hand_over")
    # The new broker is one of the operator's house.
    assert [name for name, _ in told] == ["enterprise", "provider", "operator", "broker"]
    assert [text.partition("：")[2] for _, text in told[2:]] == ["已移交贵方承办", "已移交他人承办"]
    assert "leaves" not in str(told)


async def test_a_contract_is_told_by_its_title_to_both_parties(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, ear: Ear
) -> None:
    await with_codes(pool, keys)
    contract = await brought_to(client, keys, "signed")
    title = "枸杞真空脉动干燥装备技术开发"
    assert (await contract_step(client, keys, "broker", contract, "file")).status_code == 200
    assert await ear.of("file", "contract") == [
        ("enterprise", f"技术合同《{title}》已申报认定登记"),
        ("provider", f"技术合同《{title}》已申报认定登记"),
        ("operator", f"技术合同《{title}》已申报认定登记，等待办理"),
    ]
    body = {"number": "2026640100000009", "registered_on": "2026-03-01", "office": "宁夏演示技术合同登记处"}
    assert (await contract_step(client, keys, "operator", contract, "register", **body)).status_code == 200
    assert await ear.of("register", "contract") == [
        ("enterprise", f"技术合同《{title}》已认定登记"),
        ("provider", f"技术合同《{title}》已认定登记"),
    ]


async def test_a_contract_of_a_case_is_told_to_its_broker_too_and_once(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, ear: Ear
) -> None:
    await with_codes(pool, keys)
    case = await consulting_case(client, keys, resources)
    terms = {"service": "检测", "fee": "1", "delivered_on": "2099-01-01", "acceptance": "报告"}
    answer = await client.put(
        f"/v1/cases/{case}/terms",
        json={"mode": "service", "terms": terms},
        headers=keys.headers("provider") | {"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text
    assert await ear.whom("set_terms") == ["enterprise", "broker"]
    contract = await enter(client, keys, "enterprise", case_id=case, origin_reason=None, parties=[])
    assert await ear.whom("create", "contract") == ["provider", "broker"]
    signed = await contract_step(client, keys, "operator", contract, "sign", signed_on="2026-01-15")
    assert signed.status_code == 200, signed.text
    assert await ear.whom("sign", "contract") == ["enterprise", "provider", "broker"]
    assert await ear.of("contract") == []


async def test_a_need_in_refinement_is_asked_answered_and_agreed_to(
    client: httpx2.AsyncClient, keys: Keys, ear: Ear
) -> None:
    need = await post(client, keys)
    assert (await step(client, keys, "enterprise", need, "submit")).status_code == 200
    assert (await step(client, keys, "broker", need, "refine")).status_code == 200
    at = f"/v1/refinements/{need['id']}"
    asked = await client.post(f"{at}/questions", json={"question": "含水率？"}, headers=keys.headers("operator"))
    assert asked.status_code == 201, asked.text
    assert await ear.of("ask", "need") == [("enterprise", "需求《枸杞鲜果快速干燥》有一个问题等待贵方回答")]
    question = asked.json()["questions"][0]["id"]
    answer = await client.post(
        f"{at}/questions/{question}/answer", json={"answer": "不高于 13%"}, headers=keys.headers("enterprise")
    )
    assert answer.status_code == 200, answer.text
    # Whoever asked is told of the answer, whoever refines of the agreement.
    assert await ear.whom("answer", "need") == ["operator"]
    stored = (await client.get(f"/v1/needs/{need['id']}", headers=keys.headers("broker"))).json()
    changed = await client.put(
        f"/v1/needs/{need['id']}",
        json={"title": "枸杞鲜果低温快速干燥", "description": stored["description"]},
        headers=keys.headers("broker") | {"If-Match": f'"{stored["version"]}"'},
        params={"reason": "更清楚"},
    )
    assert changed.status_code == 200, changed.text
    assert await ear.of("change", "need") == [("enterprise", "需求《枸杞鲜果低温快速干燥》内容已由他人修改，请查看")]
    body = {"revision": changed.json()["version"]}
    agreed = await client.post(f"{at}/agreement", json=body, headers=keys.headers("enterprise"))
    assert agreed.status_code == 201, agreed.text
    assert await ear.whom("agree", "need") == ["broker"]


async def test_an_endpoint_of_the_outcomes_side_is_called_for_case_and_contract(
    open_client: httpx2.AsyncClient, keys: Keys, resources: Resources, private: Settings, pool: Pool, receiver: Receiver
) -> None:
    client, held = open_client, Resources(private, resources.urls, resources.pool, resources.encoders)
    await with_codes(pool, keys)
    hook = {"url": receiver.url, "types": ["case.open", "case.message", "case.contract", "contract.sign"]}
    answer = await client.post("/v1/webhooks", json=hook, headers=keys.headers("provider"))
    assert answer.status_code == 201, answer.text
    case = await consulting_case(client, keys, resources)
    said = await client.post(
        f"/v1/cases/{case}/messages",
        json={"channel": "need", "body": "底价是多少？"},
        headers=keys.headers("enterprise"),
    )
    assert said.status_code == 201, said.text
    await client.put(
        f"/v1/cases/{case}/terms",
        json={
            "mode": "service",
            "terms": {"service": "检测", "fee": "1", "delivered_on": "2099-01-01", "acceptance": "报告"},
        },
        headers=keys.headers("enterprise") | {"If-Match": "*"},
    )
    contract = await enter(client, keys, "broker", case_id=case, origin_reason=None, parties=[])
    signed = await contract_step(client, keys, "broker", contract, "sign", signed_on="2026-01-15")
    assert signed.status_code == 200, signed.text
    await telling.all_of_it(held)
    bodies: list[dict[str, Any]] = [json.loads(call.body) for call in receiver.calls]
    got = {body["type"]: body["data"]["subject"]["id"] for body in bodies}
    # What the enterprise said to the broker is not among them.
    assert got == {"case.open": case, "case.contract": case, "contract.sign": contract["id"]}
    assert not [word for word in ("演示", "底价", "枸杞", "检测") if word in str(bodies)]
