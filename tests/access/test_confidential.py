"""A word in every guarded field of a confidential need and outcome, looked for in every answer of every route."""

import io
import itertools
import re
import zipfile
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from service import worker
from service.app import create_app
from service.kit.db import Pool
from service.kit.tiers import guarded
from service.needs.schemas import NeedAction, NeedContent
from service.outcomes.schemas import OutcomeAction, OutcomeContent
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys

WORD, FIGURE = "zqxcanary", "7.7731"
NEED = {
    "title": "枸杞鲜果脱水难题",
    "confidential": True,
    "abstract": "求枸杞鲜果的低温脱水方法，能耗要低。",
    "field": "goji",
}
OUTCOME = {
    "title": "枸杞低温脱水样机",
    "confidential": True,
    "abstract": "低温脱水样机，能耗低，用于枸杞鲜果。",
    "field": "goji",
}
CONTACT = {"contact_name": f"{WORD}某", "contact_phone": "0951-7773100", "contact_email": f"{WORD}@example.com"}
STRANGERS = ("stranger", "other_provider")
LISTS = {"indicators", "awards"}


def filled(model: type[Any]) -> dict[str, Any]:
    """Every guarded field of a kind, each with the word and the figure in it."""
    made: dict[str, Any] = {}
    for name in guarded(model):
        text = f"{WORD} {name}，含水率≤{FIGURE}%"
        if name == "ip_rights":
            made[name] = [{"kind": "trade_secret", "number": f"{WORD}1", "title": text}]
        else:
            made[name] = [text] if name in LISTS else text
    return made


@dataclass(frozen=True, slots=True)
class World:
    """A confidential need and outcome, published and ranked, and their pair."""

    need: str
    outcome: str
    pair: str


async def take(client: httpx2.AsyncClient, headers: dict[str, str], path: str, *actions: str) -> None:
    for action in actions:
        answer = await client.post(f"{path}/{action}", headers=headers)
        assert answer.status_code == 200, answer.text


async def made(client: httpx2.AsyncClient, keys: Keys, resources: Resources, need: Any, outcome: Any) -> World:
    """Both published, ranked, and found for each other."""
    identifiers = []
    for kind, role, content in (("needs", "enterprise", need), ("outcomes", "provider", outcome)):
        headers = keys.headers(role) | {"Idempotency-Key": "one-key"}
        answer = await client.post(f"/v1/{kind}", json=content, headers=headers)
        assert answer.status_code == 201, answer.text
        identifiers.append(answer.json()["id"])
    await take(client, keys.headers("operator"), f"/v1/needs/{identifiers[0]}", "submit", "publish")
    await take(client, keys.headers("operator"), f"/v1/outcomes/{identifiers[1]}", "submit", "verify", "publish")
    await worker.drain(resources, concurrency=2)
    matches = await client.get(f"/v1/needs/{identifiers[0]}/matches", headers=keys.headers("broker"))
    return World(identifiers[0], identifiers[1], matches.json()["items"][0]["id"])


@pytest.fixture
async def world(client: httpx2.AsyncClient, keys: Keys, resources: Resources) -> World:
    need, outcome = NEED | CONTACT | filled(NeedContent), OUTCOME | CONTACT | filled(OutcomeContent)
    return await made(client, keys, resources, need, outcome)


def says(answer: httpx2.Response) -> bool:
    """Whether a guarded word or figure is in an answer, workbooks unpacked."""
    content = answer.content
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"".join(book.read(name) for name in book.namelist())
    text = content.decode("utf-8", "replace").lower()
    return WORD in text or FIGURE in text


QUERIES = {
    "/v1/needs": ("", f"?text={WORD}", "?text=含水率", "?text=zq", "?field=goji"),
    "/v1/outcomes": ("", f"?text={WORD}", "?text=含水率", "?text=zq", "?field=goji"),
    "/v1/exports": tuple(f"?kind={kind}&format={form}" for kind in ("needs", "outcomes") for form in ("csv", "xlsx", "jsonl")),
    "/v1/imports/template.xlsx": ("?kind=needs", "?kind=outcomes"),
}  # fmt: skip
STATES = "?state=proposed&state=accepted&state=declined&state=snoozed&state=superseded"
BODIES: dict[str, list[Any]] = {
    "/v1/match": [
        {"looking_for": kind, "text": text, "limit": 50}
        for kind in ("needs", "outcomes") for text in (NEED["abstract"], f"{WORD} 含水率≤{FIGURE}%"[:9])
    ],
    "/v1/needs/hints": [NEED | {"description": NEED["abstract"]}],
    "/v1/outcomes/hints": [OUTCOME | {"description": OUTCOME["abstract"]}],
}  # fmt: skip


def requests(settings: Settings, world: World) -> list[tuple[str, str, Any]]:
    """Method, address and body of every GET and POST of the document, aimed at the world's objects."""
    found: list[tuple[str, str, Any]] = []
    named = {"need_id": [world.need], "outcome_id": [world.outcome], "recommendation_id": [world.pair]}
    for path, item in create_app(settings).openapi()["paths"].items():
        names = re.findall(r"\{(\w+)\}", path)
        actions = [*NeedAction, *OutcomeAction]
        values = [actions if name == "action" else named.get(name, [world.need, world.pair]) for name in names]
        for chosen in itertools.product(*values):
            address = path
            for name, value in zip(names, chosen, strict=True):
                address = address.replace(f"{{{name}}}", value)
            if "get" in item:
                queries = QUERIES.get(path, ("", STATES) if path.endswith("/matches") else ("",))
                found += [("GET", address + query, None) for query in queries]
            if "post" in item:
                found += [("POST", address, body) for body in BODIES.get(path, [{}])]
    return found


async def leaks(
    client: httpx2.AsyncClient, keys: Keys, roles: tuple[str, ...], asked: list[tuple[str, str, Any]]
) -> list[tuple[str, str, str]]:
    found = []
    for role in roles:
        for method, address, body in asked:
            headers = keys.headers(role) | {"Idempotency-Key": "one-key"}
            if says(await client.request(method, address, headers=headers, json=body)):
                found.append((role, method, address))
    return found


async def test_nothing_guarded_is_in_any_answer(
    client: httpx2.AsyncClient, keys: Keys, world: World, settings: Settings, pool: Pool
) -> None:
    asked = requests(settings, world)
    assert len(asked) > 60
    assert await leaks(client, keys, STRANGERS, asked) == []
    # Each side sees its own, and nothing of the other's: what it is shown of that one names the other one's address.
    own = {"provider": ("outcome", world.outcome), "enterprise": ("need", world.need)}
    for role, (kind, identifier) in own.items():
        others = [(method, address, body) for method, address, body in asked if identifier not in address]
        others = [each for each in others if each[1].split("?")[0] != "/v1/exports" or f"kind={kind}s" not in each[1]]
        assert (
            await leaks(client, keys, (role,), [each for each in others if "/v1/people/me/export" not in each[1]]) == []
        )
        matches = await client.get(f"/v1/{kind}s/{identifier}/matches", headers=keys.headers(role))
        assert matches.json()["items"]
        assert not says(matches)
        assert says(await client.get(f"/v1/{kind}s/{identifier}", headers=keys.headers(role)))
        assert says(await client.get(f"/v1/{kind}s/{identifier}/revisions", headers=keys.headers(role)))
        assert says(await client.get(f"/v1/exports?kind={kind}s&format=xlsx", headers=keys.headers(role)))
    assert says(await client.get(f"/v1/needs/{world.need}", headers=keys.headers("broker")))
    # The abstract is what strangers read instead.
    shown = (await client.get(f"/v1/needs/{world.need}", headers=keys.headers("stranger"))).json()
    assert (shown["abstract"], shown["description"], shown["indicators"]) == (NEED["abstract"], "", [])
    listed = (await client.get("/v1/needs?text=低温脱水", headers=keys.headers("stranger"))).json()["items"]
    assert [each["excerpt"] for each in listed] == [NEED["abstract"]]


TABLES = """
select schemaname || '.' || tablename as name from pg_tables
where tablename like 'match%' or tablename in ('recommendation', 'listing_matching', 'event')
"""


async def test_nothing_guarded_is_in_the_index(world: World, pool: Pool) -> None:
    tables = [row["name"] for row in await pool.fetch(TABLES)]
    filled_tables = 0
    for table in tables:
        filled_tables += bool(await pool.fetchval(f"select exists (select from {table})"))
        found = await pool.fetchval(
            f"select count(*) from {table} as t where lower(t::text) like any (array['%{WORD}%', '%{FIGURE}%'])"
        )
        assert found == 0, table
    assert len(tables) >= 6
    assert filled_tables >= 5
    assert await pool.fetchval("select count(*) from listing where grams && array['zq', 'qx', '7.']") == 0
    assert await pool.fetchval("select count(*) from listing where grams @> array['脱水']") == 2


async def test_the_counterpart_of_an_accepted_pair_reads_the_detail(
    client: httpx2.AsyncClient, keys: Keys, world: World
) -> None:
    path = f"/v1/needs/{world.need}"
    assert not says(await client.get(path, headers=keys.headers("provider")))
    accepted = await client.post(
        f"/v1/recommendations/{world.pair}/decisions", json={"action": "accept"}, headers=keys.headers("broker")
    )
    assert accepted.status_code == 201, accepted.text
    shown = (await client.get(path, headers=keys.headers("provider"))).json()
    assert {name: shown[name] for name in guarded(NeedContent)} == filled(NeedContent)
    assert shown["organization"] is None
    assert shown["contact_name"] is None
    assert shown["external_id"] is None
    assert says(await client.get(f"/v1/outcomes/{world.outcome}", headers=keys.headers("enterprise")))
    assert says(await client.get("/v1/exports?kind=needs&format=csv", headers=keys.headers("provider")))
    for role in STRANGERS:
        assert not says(await client.get(path, headers=keys.headers(role)))
        assert (await client.get(f"/v1/recommendations/{world.pair}", headers=keys.headers(role))).status_code == 404
    # Whose own listing has left the market is nobody's counterpart any more.
    await take(client, keys.headers("provider"), f"/v1/outcomes/{world.outcome}", "withdraw")
    assert not says(await client.get(path, headers=keys.headers("provider")))


@pytest.mark.parametrize("decision", [{"action": "accept"}, {"action": "decline", "code": "too_early"}, None])
async def test_what_becomes_confidential_is_quoted_no_more(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, decision: dict[str, str] | None
) -> None:
    text = f"{WORD} 枸杞鲜果低温脱水，含水率≤{FIGURE}%"
    need = {"title": NEED["title"], "description": text, "indicators": [f"含水率≤{FIGURE}%"]}
    world = await made(client, keys, resources, need, {"title": "枸杞低温脱水样机", "description": text})
    if decision is not None:
        path = f"/v1/recommendations/{world.pair}/decisions"
        assert (await client.post(path, json=decision, headers=keys.headers("broker"))).status_code == 201
    quotes = "select count(*) from recommendation where explanation::text like '%含水率%'"
    indexed = f"select count(*) from matching.match_passage as t where t::text like '%{WORD}%'"
    assert await pool.fetchval(quotes) == 1
    for kind, role, identifier, content in (
        ("needs", "enterprise", world.need, NEED | need),
        ("outcomes", "provider", world.outcome, OUTCOME | {"description": text}),
    ):
        # Published ones are changed by reviewers; what is theirs to change, an owner may mark itself.
        headers = keys.headers("broker") | {"If-Match": "*"}
        changed = await client.put(f"/v1/{kind}/{identifier}", json=content, headers=headers)
        assert changed.status_code == 200, (role, changed.text)
        assert await pool.fetchval(quotes) == 0
    assert await pool.fetchval(indexed) == 0
    events = await pool.fetchval("select string_agg(data::text, ' ') from event where action = 'change'")
    assert WORD not in events
    assert FIGURE not in events
    await worker.drain(resources, concurrency=2)
    assert await pool.fetchval(quotes) == 0
    assert await pool.fetchval(indexed) == 0
    matches = await client.get(f"/v1/outcomes/{world.outcome}/matches", headers=keys.headers("provider"))
    assert [each["counterpart"]["excerpt"] for each in matches.json()["items"]] == [NEED["abstract"]]


@pytest.mark.parametrize(("kind", "role"), [("needs", "enterprise"), ("outcomes", "provider")])
async def test_a_confidential_listing_is_not_submitted_without_an_abstract(
    client: httpx2.AsyncClient, keys: Keys, kind: str, role: str
) -> None:
    headers = keys.headers(role)
    content = {"title": "保密的难题", "confidential": True}
    draft = (await client.post(f"/v1/{kind}", json=content, headers=headers)).json()
    path = f"/v1/{kind}/{draft['id']}"
    refused = await client.post(f"{path}/submit", headers=headers)
    assert refused.status_code == 422
    assert [(each["field"], each["rule"]) for each in refused.json()["errors"]] == [
        ("abstract", "abstract_of_confidential")
    ]
    whole = content | {"abstract": "一段公开的话。"}
    assert (await client.put(path, json=whole, headers=headers | {"If-Match": "*"})).status_code == 200
    await take(client, headers, path, "submit")
    emptied = await client.put(path, json=content, headers=headers | {"If-Match": "*"})
    assert (emptied.status_code, emptied.json()["errors"][0]["field"]) == (422, "abstract")


async def test_a_file_brings_and_takes_abstracts(client: httpx2.AsyncClient, keys: Keys) -> None:
    rows = "需求名称,需求内容,保密,公开摘要\n保密难题一,详细内容,是,公开的一段\n保密难题二,详细内容,是,\n"
    answer = await client.post(
        "/v1/imports?kind=needs&state=submitted",
        files={"file": ("a.csv", rows.encode())},
        headers=keys.headers("enterprise"),
    )
    report = answer.json()
    assert (report["created"], report["refused"]) == (1, 1), report
    assert [(each["column"], each["rule"]) for each in report["problems"]] == [("abstract", "abstract_of_confidential")]
    taken = await client.get("/v1/exports?kind=needs&format=csv&lang=zh", headers=keys.headers("enterprise"))
    assert "公开的一段" in taken.text
    assert "公开摘要" in taken.text.splitlines()[0]
