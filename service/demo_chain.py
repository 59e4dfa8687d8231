"""What becomes of a few pairs of the demonstration: a decline, cases in different states, a registered contract.

Each example is one transaction and begins only while its pair is still open, so that a killed run leaves nothing half done
and another one nothing twice.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from service.access import service as access
from service.brokers import service as brokers
from service.brokers.schemas import BrokerContent
from service.cases import messages
from service.cases import service as cases
from service.cases.message_schemas import MessageRequest
from service.cases.schemas import AnswerRequest, CaseAction, CaseState, Terms
from service.contracts import service as contracts
from service.contracts import steps
from service.contracts.schemas import ContractContent
from service.contracts.views import ContractAction, StepRequest
from service.demo_keys import KEY_HOLDERS
from service.kit import clock
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.db import Connection, Pool, set_actor, transaction
from service.kit.etag import etag
from service.kit.language import Text
from service.listings import service as listings
from service.listings.schemas import Kind
from service.matches import decisions, lists
from service.matches.schemas import DecisionRequest, RecommendationState
from service.settings import Settings
from service.workflows.tables import CASE

BROKER: Final = BrokerContent(
    name="衡舟演示技术经理人",
    introduction="演示用：承接清洁能源、化工与新材料方向的对接。",
    languages=["zh", "en"],
    capacity=200,
)
DECLINED: Final = ("need-a-05", "outcome-a-13")
INVITED: Final = ("need-a-02", "outcome-a-04")
CONSULTING: Final = ("need-a-14", "outcome-a-29")
REGISTERED: Final = ("need-a-08", "outcome-a-18")
DECLINE: Final = DecisionRequest.model_validate(
    {"action": "decline", "code": "mode_mismatch", "to_provider": "对方要的是防护材料，巡检另有安排。"}
)
ACCEPT: Final = DecisionRequest.model_validate({"action": "accept"})
YES: Final = AnswerRequest(answer="yes", purpose="就实施条件洽谈")
SERVICE: Final = Terms.model_validate(
    {
        "mode": "service",
        "terms": {"service": "连续硝化装置设计与试车", "fee": "1800000", "delivered_on": "2027-12-31", "acceptance": "72 h考核试车"},
    }
)  # fmt: skip
CONTRACT: Final[dict[str, Any]] = {
    "type": "service",
    "name": "含氟芳烃连续硝化装置技术服务",
    "subject": "完成连续硝化装置的工艺设计、安装指导与试车。",
    "field": "modern_chemicals",
    "plan": "六个月完成设计与安装，三个月试车。",
    "place": "宁夏",
    "acceptance": "72 h考核试车达到约定指标。",
    "starts_on": "2026-01-01",
    "ends_on": "2028-12-31",
    "ip": {"results": "by_law", "improvements": "by_law"},
    "confidentiality": {"clause": "双方对工艺参数保密。"},
    "payments": [
        {
            "kind": "instalments",
            "total": "1800000",
            "parts": [
                {"amount": "800000", "due_on": "2028-01-31", "condition": "设计完成"},
                {"amount": "1000000", "due_on": "2028-12-31", "condition": "考核试车合格"},
            ],
        }
    ],
    "deductions": [{"kind": "instruments", "amount": "150000", "reason": "在线分析仪一套"}],
}
NUMBER: Final = "DEMO-640000-0001"


@dataclass(frozen=True, slots=True)
class _Pair:
    """An open pair with those who act on it."""

    id: UUID
    buyer: Actor
    seller: Actor
    broker: Actor
    settings: Settings


async def run(pool: Pool, settings: Settings) -> None:
    """Bring each example to where it belongs; what is there already is left as it is."""
    async with transaction(pool, SYSTEM) as connection:
        broker = await _holder(connection, Role.BROKER)
        await set_actor(connection, broker)
        if (await brokers.read_own(connection, broker)).version == 0:
            await brokers.write_own(connection, broker, '"0"', BROKER)
    for names, tell in ((DECLINED, _decline), (INVITED, _accept), (CONSULTING, _consult), (REGISTERED, _register)):
        async with transaction(pool, SYSTEM) as connection:
            pair = await _open_pair(connection, broker, *names, settings)
            if pair is not None:
                await tell(connection, pair)


async def summary(pool: Pool) -> str:
    """Where the cases stand, in one line: how many in each state, and where to read them."""
    async with transaction(pool, SYSTEM) as connection:
        page = await cases.page(
            connection, SYSTEM, states=None, awaiting=None, partner=None, region=None, limit=100, cursor=None
        )
    counts = Counter(case.state for case in page.items)
    told = [f"{CASE.labels[state]} {counts[state]}" for state in CaseState if counts[state]]
    return f"{Text('对接：' + '，'.join(told), 'cases: ' + ', '.join(told))}    GET /v1/cases, /v1/contracts"


async def _holder(connection: Connection, role: Role) -> Actor:
    organization = await access.find_organization(connection, KEY_HOLDERS[role])
    assert organization is not None
    return _actor(organization.id, role)


def _actor(organization_id: UUID, role: Role) -> Actor:
    return Actor(key_id=None, organization_id=organization_id, roles=frozenset({role}), request_id="demo")


async def _open_pair(
    connection: Connection, broker: Actor, need: str, outcome: str, settings: Settings
) -> _Pair | None:
    """The pair of two listings by their external ids; None where it is decided already or was not ranked."""
    need_id = await listings.find_anywhere(connection, Kind.NEED, need)
    outcome_id = await listings.find_anywhere(connection, Kind.OUTCOME, outcome)
    assert need_id is not None
    assert outcome_id is not None
    page = await lists.ranked_page(connection, SYSTEM, Kind.NEED, need_id, limit=100)
    match = next((each for each in page.items if each.counterpart.id == outcome_id), None)
    if match is None or match.state is not RecommendationState.PROPOSED:
        return None
    buyer = await listings.stored(connection, Kind.NEED, need_id)
    seller = await listings.stored(connection, Kind.OUTCOME, outcome_id)
    assert buyer is not None
    assert seller is not None
    return _Pair(
        match.id,
        _actor(buyer.organization_id, Role.ENTERPRISE),
        _actor(seller.organization_id, Role.PROVIDER),
        broker,
        settings,
    )


async def _decline(connection: Connection, pair: _Pair) -> None:
    await set_actor(connection, pair.broker)
    await decisions.decide(connection, pair.broker, pair.id, DECLINE, None, pair.settings)


async def _accept(connection: Connection, pair: _Pair) -> UUID:
    await set_actor(connection, pair.broker)
    await decisions.decide(connection, pair.broker, pair.id, ACCEPT, None, pair.settings)
    page = await cases.page(
        connection, pair.broker, states=["invited"], awaiting=None, partner=None, region=None, limit=100, cursor=None
    )
    return next(each.id for each in page.items if each.recommendation_id == pair.id)


async def _consult(connection: Connection, pair: _Pair) -> UUID:
    identifier = await _accept(connection, pair)
    for side in (pair.buyer, pair.seller):
        await set_actor(connection, side)
        await cases.answer(connection, side, identifier, YES, pair.settings)
    await set_actor(connection, pair.broker)
    await cases.advance(connection, pair.broker, identifier, CaseAction.CONSULT, None, pair.settings)
    for side, body in ((pair.buyer, "请说明现场实施的步骤和周期。"), (pair.seller, "先做小样验证，再到现场实施。")):
        await set_actor(connection, side)
        case = await cases.read(connection, side, identifier)
        message = MessageRequest.model_validate({"channel": "shared", "body": body})
        await messages.send(connection, side, case, message, pair.settings)
    return identifier


async def _register(connection: Connection, pair: _Pair) -> None:
    operator = await _holder(connection, Role.OPERATOR)
    identifier = await _consult(connection, pair)
    await set_actor(connection, pair.buyer)
    await cases.advance(connection, pair.buyer, identifier, CaseAction.NEGOTIATE, None, pair.settings)
    version = (await cases.read(connection, pair.buyer, identifier)).version
    await cases.set_terms(connection, pair.buyer, identifier, SERVICE, f'"{version}"')
    content = ContractContent.model_validate(CONTRACT | {"case_id": identifier})
    contract = await contracts.create(connection, pair.buyer, content)
    today = clock.today()
    registered = StepRequest(number=NUMBER, registered_on=today, office="演示技术合同登记处")
    for actor, action, body in (
        (pair.seller, ContractAction.CONFIRM, StepRequest()),
        (pair.buyer, ContractAction.SIGN, StepRequest(signed_on=today)),
        (pair.seller, ContractAction.FILE, StepRequest()),
        (operator, ContractAction.REGISTER, registered),
    ):
        await set_actor(connection, actor)
        contract = await steps.act(connection, actor, contract.id, action, body, etag(contract.version), pair.settings)
    await set_actor(connection, pair.broker)
    await cases.advance(connection, pair.broker, identifier, CaseAction.FOLLOW, None, pair.settings)
