"""A request for each acting POST of the review queue and of brokers, sent under an Idempotency-Key."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from service import worker
from service.resources import Resources
from tests.conftest import Keys
from tests.http.test_needs import post, published, step

Ask = Callable[[str], Awaitable[httpx2.Response]]


async def review_exercises(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, ask: Callable[..., Ask]
) -> dict[str, Ask]:
    """Two more needs beside the outcome that is published already: one pair to undo, one to decide on, the rest to lease."""
    broker = keys.headers("broker")
    pairs = []
    for title in ("枸杞鲜果清洗分级", "枸杞浆果保鲜"):
        need = await published(client, keys, title=title)
        await worker.drain(resources, concurrency=2)
        matches = await client.get(f"/v1/needs/{need['id']}/matches", headers=broker)
        pairs.append(matches.json()["items"][0]["id"])
    await published(client, keys, title="枸杞原浆灌装")
    await worker.drain(resources, concurrency=2)
    made = await client.post(f"/v1/recommendations/{pairs[0]}/decisions", json={"action": "accept"}, headers=broker)
    assert made.status_code == 201, made.text
    submitted = await post(client, keys, title="枸杞渣综合利用")
    await step(client, keys, "enterprise", submitted, "submit")
    profile = await client.put("/v1/brokers/me", json={"name": "演示技术经理人"}, headers=broker | {"If-Match": '"0"'})
    assert profile.status_code == 200, profile.text
    batch: dict[str, Any] = {"decisions": [{"recommendation_id": pairs[1], "action": "accept"}]}
    return {
        "/v1/recommendations/{recommendation_id}/decisions/undo": ask(
            "broker", f"/v1/recommendations/{pairs[0]}/decisions/undo"
        ),
        "/v1/review/decisions": ask("broker", "/v1/review/decisions", json=batch),
        "/v1/review/leases": ask("broker", "/v1/review/leases", json={"limit": 1}),
        "/v1/brokers/assignments": ask(
            "operator", "/v1/brokers/assignments", json={"need_id": submitted["id"], "broker_id": profile.json()["id"]}
        ),
    }
