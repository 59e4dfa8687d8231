"""One Idempotency-Key, one effect, one answer: for every POST that creates or acts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from service import telling, worker
from service.access import dependencies
from service.access.service import digest_of
from service.app import create_app
from service.exchange import runs
from service.kit import idempotency
from service.kit.actor import Actor, Role
from service.kit.clock import now
from service.kit.db import Pool, transaction
from service.resources import Resources
from service.settings import Settings
from tests.access.helpers import add_member, make_key
from tests.cases.made import BEGINS, ENDS, another_broker, followed_case, invited_case, lapsed_case
from tests.conftest import Keys
from tests.contracts import helpers as contracts
from tests.contracts.helpers import with_codes
from tests.http.review_exercises import review_exercises
from tests.http.test_needs import NEED, post, published, step

# A POST that only asks needs no key; a new one has to be named here.
READING = {"/v1/match", "/v1/needs/hints", "/v1/outcomes/hints"}
OUTCOME = {"title": "枸杞真空脉动干燥装备", "description": "单批干燥时间 10 h，含水率 12%。", "field": "goji"}
PERSON = {"name": "演示人员", "email": "yanshi@example.com"}
ORGANIZATION = {"external_id": "org-new", "name": "演示新单位", "kind": "enterprise"}


async def _post(client: httpx2.AsyncClient, keys: Keys, role: str, path: str, key: str, **body: Any) -> httpx2.Response:
    return await client.post(path, headers=keys.headers(role) | {"Idempotency-Key": key}, **body)


@pytest.fixture
async def need_id(client: httpx2.AsyncClient, keys: Keys) -> str:
    return str((await post(client, keys))["id"])


async def _outcome_id(client: httpx2.AsyncClient, keys: Keys) -> str:
    answer = await client.post("/v1/outcomes", json=OUTCOME, headers=keys.headers("provider"))
    return str(answer.json()["id"])


async def _pair_id(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> str:
    need = await published(client, keys)
    outcome = await _outcome_id(client, keys)
    for action in ("submit", "verify", "publish"):
        answer = await client.post(f"/v1/outcomes/{outcome}/{action}", headers=keys.headers("operator"))
        assert answer.status_code == 200, answer.text
    await worker.drain(resources, concurrency=2)
    matches = await client.get(f"/v1/needs/{need['id']}/matches", headers=keys.headers("broker"))
    return str(matches.json()["items"][0]["id"])


Ask = Callable[[str], Awaitable[httpx2.Response]]


async def _exercises(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> dict[str, Ask]:
    """For each acting POST of the OpenAPI document a request that it takes, sent under a key."""
    need, outcome = str((await post(client, keys))["id"]), await _outcome_id(client, keys)
    pair = await _pair_id(client, keys, resources)
    file = {"file": ("a.csv", "需求名称\n导入的需求\n".encode())}
    own, administrator = keys.enterprise.organization_id, keys.headers("administrator")
    member = await add_member(client, administrator, own, "chengyuan@example.com")
    spare = await make_key(client, administrator, own)

    submitted = await post(client, keys)
    await step(client, keys, "enterprise", submitted, "submit")
    refined = f"/v1/refinements/{submitted['id']}"
    question = {"question": "单批处理量是多少？"}
    answer = await client.post(f"{refined}/questions", json=question, headers=keys.headers("broker"))
    (asked,) = answer.json()["questions"]
    await with_codes(resources.pool, keys)
    entered = await contracts.enter(client, keys)
    signed = f"/v1/contracts/{(await contracts.brought_to(client, keys, 'signed'))['id']}"
    hook = {"url": "https://erp.example.com/duijie"}
    added = (await client.post("/v1/webhooks", json=hook, headers=keys.headers("enterprise"))).json()["id"]
    await telling.tell(resources)
    notified = await client.get("/v1/notifications", headers=keys.headers("enterprise"))
    notification = notified.json()["items"][0]["id"]

    def ask(role: str, path: str, **body: Any) -> Ask:
        return lambda key: _post(client, keys, role, path, key, **body)

    return {
        "/v1/organizations": ask("operator", "/v1/organizations", json=ORGANIZATION),
        "/v1/organizations/{organization_id}/keys": ask(
            "enterprise", f"/v1/organizations/{own}/keys", json={"label": "second", "roles": ["enterprise"]}
        ),
        "/v1/organizations/{organization_id}/{action}": ask(
            "operator", f"/v1/organizations/{keys.stranger.organization_id}/suspend", json={"reason": "资料待核实"}
        ),
        "/v1/organizations/{organization_id}/members": ask(
            "operator", f"/v1/organizations/{own}/members", json={"person": PERSON, "roles": ["enterprise"]}
        ),
        "/v1/people": ask("operator", "/v1/people", json=PERSON | {"email": "lingyiren@example.com"}),
        "/v1/people/{person_id}/identities": ask(
            "administrator",
            f"/v1/people/{member['person_id']}/identities",
            json={"issuer": "https://login.example.com", "subject": "yanshi"},
        ),
        "/v1/keys/{key_id}/rotate": ask("administrator", f"/v1/keys/{spare['id']}/rotate", json={}),
        "/v1/needs": ask("enterprise", "/v1/needs", json=NEED),
        "/v1/needs/{need_id}/{action}": ask("enterprise", f"/v1/needs/{need}/submit"),
        "/v1/outcomes": ask("provider", "/v1/outcomes", json=OUTCOME),
        "/v1/outcomes/{outcome_id}/{action}": ask("provider", f"/v1/outcomes/{outcome}/submit"),
        "/v1/recommendations/{recommendation_id}/decisions": ask(
            "broker", f"/v1/recommendations/{pair}/decisions", json={"action": "accept"}
        ),
        "/v1/recommendations/{recommendation_id}/consent": ask(
            "enterprise", f"/v1/recommendations/{pair}/consent", json={"purpose": "就中试洽谈"}
        ),
        "/v1/refinements/{listing_id}/questions": ask(
            "broker", f"{refined}/questions", json={"question": "湿基还是干基？"}
        ),
        "/v1/refinements/{listing_id}/questions/{question_id}/answer": ask(
            "enterprise", f"{refined}/questions/{asked['id']}/answer", json={"answer": "湿基。"}
        ),
        "/v1/refinements/{listing_id}/agreement": ask("enterprise", f"{refined}/agreement", json={"revision": 1}),
        "/v1/contracts": ask("broker", "/v1/contracts", json=contracts.content(keys)),
        "/v1/contracts/{contract_id}/{action}": ask(
            "broker", f"/v1/contracts/{entered['id']}/sign", json={"signed_on": "2026-01-15"}
        ),
        "/v1/contracts/{contract_id}/changes": ask("broker", f"{signed}/changes", json=contracts.CHANGE),
        "/v1/contracts/{contract_id}/receipts": ask("provider", f"{signed}/receipts", json=contracts.RECEIPT),
        "/v1/subsidy-rules": ask("operator", "/v1/subsidy-rules", json=contracts.RULE),
        "/v1/notifications/read": ask("enterprise", "/v1/notifications/read"),
        "/v1/notifications/{notification_id}/read": ask("enterprise", f"/v1/notifications/{notification}/read"),
        "/v1/webhooks": ask("enterprise", "/v1/webhooks", json=hook),
        "/v1/webhooks/{webhook_id}/rotate": ask("enterprise", f"/v1/webhooks/{added}/rotate"),
        "/v1/webhooks/{webhook_id}/test": ask("enterprise", f"/v1/webhooks/{added}/test"),
        "/v1/webhooks/{webhook_id}/replay": ask(
            "enterprise", f"/v1/webhooks/{added}/replay", json={"since": "2026-01-01T00:00:00Z"}
        ),
        "/v1/imports": ask("enterprise", "/v1/imports?kind=needs", files=file),
        **await review_exercises(client, keys, resources, ask),
        **await _case_exercises(client, keys, resources, ask),
    }


async def _case_exercises(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, ask: Callable[..., Ask]
) -> dict[str, Ask]:
    """The same for cases: one that is followed up, and one more that is only invited."""
    answered = await followed_case(client, keys, resources)
    invited, followed = f"/v1/cases/{await invited_case(client, keys, resources)}", f"/v1/cases/{answered.case_id}"
    file, meeting = {"file": ("a.txt", b"content")}, {"title": "x", "starts_at": BEGINS, "ends_at": ENDS}
    pair = {"from_region": "350000", "to_region": "640000", "program": "minning"}
    at = "/v1/cases/{case_id}"
    return {
        f"{at}/messages": ask("enterprise", f"{followed}/messages", json={"channel": "shared", "body": "你好"}),
        f"{at}/attachments": ask("enterprise", f"{followed}/attachments", files=file, data={"channel": "need"}),
        f"{at}/read": ask("broker", f"{followed}/read", json={"number": 1}),
        f"{at}/meetings": ask("enterprise", f"{followed}/meetings", json=meeting),
        f"{at}/milestones": ask("provider", f"{followed}/milestones", json={"title": "x", "due_on": "2099-01-01"}),
        f"{at}/follow-ups/{{follow_up_id}}": ask(
            "enterprise", f"{followed}/follow-ups/{answered.follow_up_id}", json={"used": True, "paid": False}
        ),
        f"{at}/extensions": ask("broker", f"{invited}/extensions", json={"party": "need", "days": 9}),
        f"{at}/answer": ask("enterprise", f"{invited}/answer", json={"answer": "question", "text": "何时可看样机？"}),
        f"{at}/{{action}}": ask("broker", f"/v1/cases/{await lapsed_case(client, keys, resources)}/reopen"),
        f"{at}/broker": ask(
            "broker",
            f"/v1/cases/{await invited_case(client, keys, resources)}/broker",
            json={"broker_id": await another_broker(client, keys)},
        ),
        f"{at}/leave": ask(
            "provider", f"/v1/cases/{await invited_case(client, keys, resources)}/leave", json={"code": "no_funds"}
        ),
        f"{at}/close": ask("broker", f"{invited}/close", json={"closed_as": "lost", "code": "no_answer"}),
        "/v1/partner-operators": ask(
            "operator", "/v1/partner-operators", json=pair | {"organization_id": str(keys.stranger.organization_id)}
        ),
    }


def test_every_acting_post_declares_the_header(settings: Settings) -> None:
    posts = {path: item["post"] for path, item in create_app(settings).openapi()["paths"].items() if "post" in item}
    assert {path for path, post in posts.items() if post.get("x-duijie-reads")} == READING
    for path, operation in posts.items():
        names = [parameter["name"] for parameter in operation.get("parameters", [])]
        assert names.count("Idempotency-Key") == (path not in READING), path


def test_what_is_secret_in_an_answer_is_declared_shown_once(settings: Settings) -> None:
    schemas = create_app(settings).openapi()["components"]["schemas"]
    secrets = {
        (name, field)
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
        if field in {"key", "token", "secret", "password"} and not told.get("x-shown-once")
    }
    assert secrets == set()


async def test_every_acting_post_repeats_its_answer(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, settings: Settings
) -> None:
    exercises = await _exercises(client, keys, resources)
    paths = create_app(settings).openapi()["paths"]
    assert set(exercises) == {path for path, item in paths.items() if "post" in item} - READING, "exercise the new POST"
    for number, (path, ask) in enumerate(exercises.items()):
        first = await ask(f"key-{number}")
        assert first.status_code in (200, 201), (path, first.text)
        assert "Idempotency-Replayed" not in first.headers
        before = await _counts(pool)
        again = await ask(f"key-{number}")
        assert again.headers["Idempotency-Replayed"] == "true", path
        assert again.status_code == first.status_code
        for name in ("ETag", "Location", "Content-Type"):
            assert again.headers.get(name) == first.headers.get(name), (path, name)
        expected = first.json() | {name: None for name in ("key", "secret") if name in first.json()}
        assert again.json() == expected, path
        assert await _counts(pool) == before, path


async def _counts(pool: Pool) -> list[int]:
    tables = (
        "organization",
        "api_key",
        "listing",
        "event",
        "decision",
        "import_run",
        "listing_revision",
        "person",
        "membership",
        "consent",
        "listing_question",
        "listing_agreement",
        "contract",
        "contract_change",
        "contract_receipt",
        "subsidy_rule",
        "webhook",
        "webhook_delivery",
        "docking_case",
        "case_wait",
        "case_message",
        "case_attachment",
        "case_meeting",
        "case_milestone",
        "partner_operator",
    )
    return [await pool.fetchval(f"select count(*) from {table}") for table in tables]


async def test_fifty_at_once_have_one_effect_and_one_answer(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, need_id: str
) -> None:
    """Creating, and a step whose work begins before its transaction."""
    before = await pool.fetchval("select count(*) from listing")
    made = await asyncio.gather(
        *(_post(client, keys, "enterprise", "/v1/needs", "fifty", json=NEED) for _ in range(50))
    )
    assert {answer.status_code for answer in made} == {201}
    assert len({answer.content for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
    assert await pool.fetchval("select count(*) from listing") == before + 1
    path = f"/v1/needs/{need_id}/withdraw"
    taken = await asyncio.gather(*(_post(client, keys, "enterprise", path, "fifty-steps") for _ in range(50)))
    assert {answer.status_code for answer in taken} == {200}
    assert len({answer.content for answer in taken}) == 1
    events = "select count(*) from event where action = 'withdraw'"
    assert await pool.fetchval(events) == 1


async def test_equal_imports_at_once_run_once(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    file = {"file": ("a.csv", "需求名称\n导入的需求\n".encode())}
    answers = await asyncio.gather(
        *(_post(client, keys, "enterprise", "/v1/imports?kind=needs", "file", files=file) for _ in range(5))
    )
    # An import is not waited for: who comes meanwhile is told so, or that too many run, and gets the answer later.
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    later = await _post(client, keys, "enterprise", "/v1/imports?kind=needs", "file", files=file)
    assert (later.status_code, later.headers["Idempotency-Replayed"]) == (200, "true")
    assert await pool.fetchval("select count(*) from import_run") == 1


@pytest.mark.parametrize(
    ("path", "json"),
    [
        ("/v1/needs", NEED | {"title": "另一个标题"}),
        ("/v1/needs?organization_id=00000000-0000-0000-0000-000000000000", NEED),
        ("/v1/outcomes", NEED),
    ],
)
async def test_a_key_stands_for_one_request(
    client: httpx2.AsyncClient, keys: Keys, path: str, json: dict[str, Any]
) -> None:
    assert (await _post(client, keys, "operator", "/v1/needs", "one", json=NEED)).status_code == 201
    other = await _post(client, keys, "operator", path, "one", json=json)
    assert other.status_code == 422
    assert other.json()["code"] in {"idempotency_key_reused", "invalid"}
    if path != "/v1/outcomes":
        assert other.json()["code"] == "idempotency_key_reused"


async def test_another_file_under_the_same_key_is_refused(client: httpx2.AsyncClient, keys: Keys) -> None:
    path = "/v1/imports?kind=needs"
    for content, status in (("需求名称\n甲需求\n", 200), ("需求名称\n乙需求\n", 422)):
        answer = await _post(client, keys, "enterprise", path, "f", files={"file": ("a.csv", content.encode())})
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "密钥", '"open', "a\tb", '""', "two words"])
async def test_a_malformed_key_is_refused_by_name(client: httpx2.AsyncClient, keys: Keys, key: str) -> None:
    headers = keys.headers("enterprise") | {"Idempotency-Key": key.encode()}
    answer = await client.post("/v1/needs", json=NEED, headers=headers)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["Idempotency-Key"]


async def test_quoted_and_bare_are_the_same_key(client: httpx2.AsyncClient, keys: Keys) -> None:
    longest = "k" * 255
    first = await _post(client, keys, "enterprise", "/v1/needs", longest, json=NEED)
    again = await _post(client, keys, "enterprise", "/v1/needs", f'"{longest}"', json=NEED)
    assert (first.status_code, again.content) == (201, first.content)


async def test_two_callers_may_use_one_key(client: httpx2.AsyncClient, keys: Keys) -> None:
    """Also two API keys of one organization."""
    own = keys.enterprise.organization_id
    second = await client.post(
        f"/v1/organizations/{own}/keys",
        json={"label": "second", "roles": ["enterprise"]},
        headers=keys.headers("enterprise"),
    )
    made = set()
    for bearer in (keys.enterprise.key, second.json()["key"], keys.stranger.key):
        headers = {"Authorization": f"Bearer {bearer}", "Idempotency-Key": "same"}
        answer = await client.post("/v1/needs", json=NEED, headers=headers)
        assert "Idempotency-Replayed" not in answer.headers
        made.add(answer.json()["id"])
    assert len(made) == 3


async def test_a_key_that_is_shown_once_is_stored_nowhere(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    own = keys.enterprise.organization_id
    body = {"label": "second", "roles": ["enterprise"]}
    made = (await _post(client, keys, "enterprise", f"/v1/organizations/{own}/keys", "once", json=body)).json()
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select set_config('duijie.roles', 'system', true)")
        stored = await connection.fetchval("select convert_from(body, 'UTF8') from idempotency_key")
    assert made["key"].startswith("dj_")
    assert made["id"] in stored
    assert "dj_" not in stored
    assert await pool.fetchval("select count(*) from api_key where digest = $1", digest_of(made["key"])) == 1


async def test_no_other_caller_reads_a_stored_answer(client: httpx2.AsyncClient, keys: Keys, pool: Pool) -> None:
    await _post(client, keys, "enterprise", "/v1/needs", "mine", json=NEED)
    key_id = await pool.fetchval("select id from api_key where digest = $1", digest_of(keys.enterprise.key))
    for caller, seen in ((str(key_id), 1), ("", 0), ("00000000-0000-0000-0000-000000000000", 0)):
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "select set_config('duijie.key', $1, true), set_config('duijie.roles', 'enterprise', true)", caller
            )
            assert await connection.fetchval("select count(*) from idempotency_key") == seen


@asynccontextmanager
async def _restarted(settings: Settings, resources: Resources) -> AsyncIterator[httpx2.AsyncClient]:
    app = create_app(settings)
    app.state.resources = resources
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://duijie.test") as made:
        yield made


async def test_the_answer_outlives_the_process(
    client: httpx2.AsyncClient, keys: Keys, settings: Settings, resources: Resources
) -> None:
    first = await _post(client, keys, "enterprise", "/v1/needs", "kept", json=NEED)
    async with _restarted(settings, resources) as other:
        again = await _post(other, keys, "enterprise", "/v1/needs", "kept", json=NEED)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


async def test_after_a_day_the_key_is_free_again_and_swept(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await _post(client, keys, "enterprise", "/v1/needs", "daily", json=NEED)
    begun = now()
    monkeypatch.setattr(dependencies, "now", lambda: begun + timedelta(hours=23, minutes=59))
    assert (await _post(client, keys, "enterprise", "/v1/needs", "daily", json=NEED)).content == first.content
    monkeypatch.setattr(dependencies, "now", lambda: begun + timedelta(hours=24, minutes=1))
    second = await _post(client, keys, "enterprise", "/v1/needs", "daily", json=NEED)
    assert second.status_code == 201
    assert second.json()["id"] != first.json()["id"]
    await _post(client, keys, "enterprise", "/v1/needs", "other", json=NEED)
    left = []
    for hours in (47, 49):
        monkeypatch.setattr(worker, "now", lambda hours=hours: begun + timedelta(hours=hours))
        monkeypatch.setattr(worker, "SWEEP_LIMIT", 1)
        await worker.keep_house(resources)
        async with resources.pool.acquire() as connection, connection.transaction():
            await connection.execute("select set_config('duijie.roles', 'system', true)")
            left.append(await connection.fetchval("select count(*) from idempotency_key"))
    assert left == [2, 0]


async def test_a_key_without_an_answer_yet_is_under_way(keys: Keys, pool: Pool) -> None:
    key = await pool.fetchrow("select id, organization_id from api_key limit 1")
    actor = Actor(key["id"], key["organization_id"], frozenset({Role.OPERATOR}))
    asked = idempotency.Asked("k", "POST", "/v1/needs", bytes(32))
    async with transaction(pool, actor) as connection:
        await idempotency.claim(connection, key["id"], asked, now())
        with pytest.raises(idempotency.UnderWay):
            await idempotency.replay(connection, key["id"], asked, now())


async def test_a_refused_request_is_not_kept(client: httpx2.AsyncClient, keys: Keys, need_id: str, pool: Pool) -> None:
    path = f"/v1/needs/{need_id}/publish"
    early = await _post(client, keys, "broker", path, "again")
    assert early.status_code == 409
    assert (await step(client, keys, "enterprise", {"id": need_id}, "submit")).status_code == 200
    later = await _post(client, keys, "broker", path, "again")
    assert (later.status_code, later.json()["state"]) == (200, "published")


async def test_effect_and_answer_are_kept_together_or_not_at_all(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("the answer cannot be stored")

    before = await _counts(pool)
    monkeypatch.setattr(idempotency, "keep", broken)
    with pytest.raises(RuntimeError):
        await _post(client, keys, "enterprise", "/v1/needs", "broken", json=NEED)
    assert await _counts(pool) == before
    monkeypatch.undo()
    assert (await _post(client, keys, "enterprise", "/v1/needs", "broken", json=NEED)).status_code == 201


async def test_an_import_that_broke_off_is_finished_by_its_retry(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = {"file": ("a.csv", "需求名称\n甲需求\n乙需求\n".encode())}
    store, calls = runs._import_batch, 0

    async def breaks_off(*parts: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("the process ends here")
        await store(*parts)

    monkeypatch.setattr(runs, "BATCH", 1)
    monkeypatch.setattr(runs, "_import_batch", breaks_off)
    with pytest.raises(RuntimeError):
        await _post(client, keys, "enterprise", "/v1/imports?kind=needs", "f", files=file)
    assert await pool.fetchval("select count(*) from listing") == 1
    report = await _post(client, keys, "enterprise", "/v1/imports?kind=needs", "f", files=file)
    assert (report.json()["created"], report.json()["unchanged"]) == (1, 1)
