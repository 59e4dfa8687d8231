"""What a broker has in hand and what came of it: contracts, statements for a page, and needs that are taken back."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

from service.brokers import service
from service.kit.actor import SYSTEM
from service.kit.clock import today
from service.kit.db import Connection, Pool, transaction
from tests.access.helpers import events_of
from tests.brokers.test_brokers import submitted, write
from tests.review.world import World

CONTRACT = """
insert into contract (id, state, organization_id, recommendation_id, case_id, origin_reason, terms, type, name, currency,
                      turnover, technology_value, signed_on, registered_on, further)
values (uuidv7(), $1, $2, $3, $4, $5, '{}', 'service', 'x', $6, $7, $8, $9, $9, true)
"""
MISSING = "01890a5d-ac96-774b-bcce-b302099a8057"


async def contract(
    world: World, state: str, turnover: int, value: int, *, currency: str = "CNY", **origin: Any
) -> None:
    await world.owner.execute(
        CONTRACT, state, world.keys.enterprise.organization_id, origin.get("pair"), origin.get("case"), origin.get("reason"),
        currency, Decimal(turnover), Decimal(value), origin.get("day", today()),
    )  # fmt: skip


async def figures(world: World, role: str, broker: str) -> dict[str, Any]:
    items = (await world.ask(role, "GET", "/v1/brokers")).json()["items"]
    return dict(next(each["figures"] for each in items if each["id"] == broker))


async def test_contracts_come_from_cases_and_pairs_and_count_once(world: World, second: str) -> None:
    made, other = await write(world), await write(world, second)
    await world.fill({"A": {"a": 0.9, "b": 0.8}, "B": {"a": 0.7, "b": 0.6}})
    for pair in ("A/a", "A/b", "B/a"):
        assert (await world.decide("broker", pair)).status_code == 201
    assert (await world.decide(second, "B/b")).status_code == 201
    cases = dict(await world.owner.fetch("select recommendation_id, id from docking_case"))
    case = {name: cases[pair] for name, pair in world.pairs.items()}
    assert (await figures(world, "operator", made["id"]))["amounts"] == []
    await contract(world, "registered", 100, 80, case=case["A/a"])
    await contract(world, "settled", 10, 8, pair=world.pairs["A/b"])
    await contract(world, "changed", 7, 5, case=case["B/a"], currency="USD")
    # Not registered yet, cancelled, of another broker, entered for a reason of its own, and too long ago.
    await contract(world, "signed", 1, 1, case=case["A/a"], day=today().replace(year=today().year + 1))
    await contract(world, "cancelled", 1, 1, case=case["A/a"])
    await contract(world, "registered", 2, 1, case=case["B/b"])
    await contract(world, "registered", 1, 1, reason="线下签订")
    await contract(world, "registered", 1, 1, case=case["A/a"], day=today().replace(year=today().year - 2))
    found = await figures(world, "operator", made["id"])
    assert (found["contracted"], found["amounts"]) == (3, [
        {"currency": "CNY", "contracts": 2, "turnover": "110.00", "technology_value": "88.00"},
        {"currency": "USD", "contracts": 1, "turnover": "7.00", "technology_value": "5.00"},
    ])  # fmt: skip
    assert (await figures(world, second, other["id"]))["amounts"] == [
        {"currency": "CNY", "contracts": 1, "turnover": "2.00", "technology_value": "1.00"}
    ]
    # How many there are a member may know, and not what they are worth.
    for role in ("enterprise", "provider"):
        shown = await figures(world, role, made["id"])
        assert (shown["contracted"], shown["amounts"]) == (3, None)


async def test_a_round_counts_when_its_text_was_published(world: World) -> None:
    made = await write(world)
    for ending, expected in (("return", 0), ("publish", 1)):
        need = await submitted(world, title=f"枸杞加工之{ending}")
        assert (await world.ask("broker", "POST", f"/v1/needs/{need}/refine")).status_code == 200
        # Whoever publishes it, the work was the broker's.
        assert (await world.ask("operator", "POST", f"/v1/needs/{need}/{ending}")).status_code == 200
        assert (await figures(world, "operator", made["id"]))["refined"] == expected


async def test_a_page_takes_as_many_statements_for_many_brokers_as_for_one(
    world: World, second: str, pool: Pool
) -> None:
    await write(world)
    need = UUID(await submitted(world))

    async def statements(connection: Connection) -> tuple[int, int]:
        seen: list[str] = []
        with connection.query_logger(lambda record: seen.append(record.query)):
            page = await service.list_brokers(connection, SYSTEM, work_field=None, limit=100, cursor=None)
            await service.suggestions(connection, SYSTEM, need, limit=100)
        return len(page.items), len(seen)

    async with transaction(pool, SYSTEM) as connection:
        # The driver asks once for each connection which types answers are of.
        await statements(connection)
        few = await statements(connection)
        await write(world, second)
        await world.owner.execute(
            "insert into broker (organization_id, name)"
            " select id, name from organization where id not in (select organization_id from broker)"
        )
        many = await statements(connection)
    assert (few[0], many[0] > 3, many[1]) == (1, True, few[1])


async def test_a_need_is_taken_back_and_can_be_given_again(world: World, pool: Pool) -> None:
    made = await write(world, capacity=1)
    need = await submitted(world)
    body = {"need_id": need, "broker_id": made["id"]}
    assert (await world.ask("operator", "POST", "/v1/brokers/assignments", body)).status_code == 201
    path = f"/v1/brokers/assignments/{need}"
    for role in ("broker", "enterprise", "authority"):
        assert (await world.ask(role, "DELETE", path)).status_code == 403
    taken = await world.ask("operator", "DELETE", path)
    assert (taken.status_code, taken.json()["broker_id"]) == (200, made["id"])
    assert taken.json()["ended_at"] is not None
    for language, words in (("zh-CN", "该需求当前未指派"), ("en", "The need is assigned to nobody now")):
        again = await world.ask("operator", "DELETE", path, headers={"Accept-Language": language})
        assert (again.status_code, again.json()["detail"]) == (404, words)
    assert (await world.ask("operator", "DELETE", f"/v1/brokers/assignments/{MISSING}")).status_code == 404
    assert [action for action, _, _ in await events_of(pool, need)][-2:] == ["assign", "unassign"]
    assert (await world.ask("operator", "POST", "/v1/brokers/assignments", body)).status_code == 201


async def test_two_who_take_a_need_back_at_once_do_it_once(world: World, pool: Pool) -> None:
    made = await write(world)
    need = await submitted(world)
    await world.ask("operator", "POST", "/v1/brokers/assignments", {"need_id": need, "broker_id": made["id"]})
    path = f"/v1/brokers/assignments/{need}"
    answers = await asyncio.gather(*(world.ask(role, "DELETE", path) for role in ("operator", "administrator") * 3))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404, 404, 404]
    assert await pool.fetchval("select count(*) from event where action = 'unassign'") == 1


async def test_who_acts_as_a_broker_no_longer_is_given_nothing(world: World) -> None:
    made = await write(world)
    need = await submitted(world)
    await world.owner.execute(
        "update api_key set revoked_at = now() where organization_id = $1", world.keys.broker.organization_id
    )
    body = {"need_id": need, "broker_id": made["id"]}
    refused = await world.ask("operator", "POST", "/v1/brokers/assignments", body)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
