"""Cases in the states that tests of other rooms need, made over HTTP and by the clock of the worker."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2

from service.cases import service as cases
from service.kit.actor import SYSTEM
from service.kit.clock import now
from service.kit.db import transaction
from service.resources import Resources
from tests.access.helpers import make_key
from tests.access.test_confidential import take
from tests.cases.helpers import YES
from tests.conftest import Keys, Member

BEGINS, ENDS = "2099-01-01T09:00:00+08:00", "2099-01-01T10:00:00+08:00"
INSERT_PAIR = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
values ($1, $2, 0.5, 0.5, 'fair', '{"signals": [], "indicators": []}', 'x') returning id
"""


@dataclass(frozen=True, slots=True)
class Followed:
    """A case that is followed up, and a question of the need's side that waits for its answer."""

    case_id: str
    follow_up_id: str


async def _ask(
    client: httpx2.AsyncClient, keys: Keys, role: str, path: str, json: Any = None, **more: str
) -> dict[str, Any]:
    method = "PUT" if path.endswith("/terms") else "POST"
    answer = await client.request(method, path, json=json, headers=keys.headers(role) | more)
    assert answer.status_code in (200, 201), answer.text
    return dict(answer.json())


async def another_broker(client: httpx2.AsyncClient, keys: Keys, role: str = "another", **profile: Any) -> str:
    """The profile of a second broker, of the operator's organization; asks under the role from then on."""
    own = keys.operator.organization_id
    made = await make_key(client, keys.headers("administrator"), own, roles=["broker"], scopes=["read", "write"])
    keys.members[role] = Member("broker", own, made["key"])
    content = {"name": "另一位技术经理人"} | profile
    answer = await client.put("/v1/brokers/me", json=content, headers=keys.headers(role) | {"If-Match": '"0"'})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def proposed_pair(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> str:
    """The id of a recommendation of a need and an outcome of its own, both published."""
    need = await _ask(client, keys, "enterprise", "/v1/needs", {"title": "演示需求", "description": "求装备。"})
    outcome = await _ask(client, keys, "provider", "/v1/outcomes", {"title": "演示成果", "description": "装备。"})
    operator = keys.headers("operator")
    await take(client, operator, f"/v1/needs/{need['id']}", "submit", "publish")
    await take(client, operator, f"/v1/outcomes/{outcome['id']}", "submit", "verify", "publish")
    async with transaction(resources.pool, SYSTEM) as connection:
        return str(await connection.fetchval(INSERT_PAIR, UUID(need["id"]), UUID(outcome["id"])))


async def invited_case(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> str:
    """The id of a case that has just been opened, of a need and an outcome of its own."""
    pair = await proposed_pair(client, keys, resources)
    await _ask(client, keys, "broker", f"/v1/recommendations/{pair}/decisions", {"action": "accept"})
    (case,) = [
        each
        for each in (await client.get("/v1/cases", headers=keys.headers("broker"))).json()["items"]
        if each["recommendation_id"] == pair
    ]
    return str(case["id"])


async def consulting_case(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> str:
    """The id of a case whose sides talk."""
    path = f"/v1/cases/{await invited_case(client, keys, resources)}"
    for role in ("enterprise", "provider"):
        await _ask(client, keys, role, f"{path}/answer", YES)
    await _ask(client, keys, "broker", f"{path}/consult")
    return path.rpartition("/")[2]


async def followed_case(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> Followed:
    """A case whose first follow-up is asked already."""
    identifier = await consulting_case(client, keys, resources)
    path = f"/v1/cases/{identifier}"
    terms = {"service": "检测", "fee": "1", "delivered_on": "2099-01-01", "acceptance": "报告"}
    await _ask(client, keys, "enterprise", f"{path}/terms", {"mode": "service", "terms": terms}, **{"If-Match": "*"})
    async with transaction(resources.pool, SYSTEM) as connection:
        await cases.mark_contracted(connection, SYSTEM, UUID(identifier), resources.settings)
        await connection.execute(
            "update docking_case set contracted_at = $2 where id = $1", UUID(identifier), now() - timedelta(days=100)
        )
    await _ask(client, keys, "broker", f"{path}/follow")
    asked = await client.get(f"{path}/follow-ups", headers=keys.headers("enterprise"))
    return Followed(identifier, str(asked.json()["items"][0]["id"]))


async def lapsed_case(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> str:
    """The id of a case that nobody answered."""
    identifier = await invited_case(client, keys, resources)
    for days in (100, 200):
        async with transaction(resources.pool, SYSTEM) as connection:
            # Only this one: the clock of other cases stands still.
            others = "update case_wait set next_at = null where case_id <> $1"
            await connection.execute(others, UUID(identifier))
            await cases.keep_clock(connection, now() + timedelta(days=days), resources.settings)
    return identifier
