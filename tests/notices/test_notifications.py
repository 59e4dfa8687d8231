"""Reading what one was told, marking it, and choosing how to be told."""

from typing import Any

import httpx2
import pytest

from service import telling
from service.resources import Resources
from tests.access.helpers import add_member, make_key
from tests.conftest import Keys
from tests.http.test_needs import post, published, step
from tests.notices.conftest import StandingClock

PATH = "/v1/notifications"


@pytest.fixture
async def told(client: httpx2.AsyncClient, keys: Keys, resources: Resources, clock: StandingClock) -> dict[str, Any]:
    """A need that was published and withdrawn by staff."""
    need = await published(client, keys)
    assert (await step(client, keys, "operator", need, "withdraw")).status_code == 200
    await telling.tell(resources, clock)
    return need


async def listed(client: httpx2.AsyncClient, headers: dict[str, str], query: str = "") -> list[dict[str, Any]]:
    answer = await client.get(f"{PATH}{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_newest_first_in_ones_language_and_page_by_page(
    client: httpx2.AsyncClient, keys: Keys, told: dict[str, Any]
) -> None:
    headers = keys.headers("enterprise") | {"Accept-Language": "en"}
    mine = await listed(client, headers, "?category=listing")
    assert [item["action"] for item in mine] == ["withdraw", "publish"]
    assert mine[0]["message"] == "Your need “枸杞鲜果快速干燥” was withdrawn"
    assert (mine[0]["subject_id"], mine[0]["read_at"], mine[0]["personal"]) == (told["id"], None, False)
    chinese = await listed(client, headers | {"Accept-Language": "zh"}, "?category=listing")
    assert chinese[0]["message"] == "需求《枸杞鲜果快速干燥》已撤回"
    seen, cursor = [], ""
    while cursor is not None:
        page = (await client.get(f"{PATH}?limit=1{cursor and '&cursor=' + cursor}", headers=headers)).json()
        seen += page["items"]
        cursor = page["next"]
    assert [item["id"] for item in seen] == [item["id"] for item in await listed(client, headers)]


async def test_one_is_marked_then_all(client: httpx2.AsyncClient, keys: Keys, told: dict[str, Any]) -> None:
    headers = keys.headers("enterprise")
    mine = await listed(client, headers)
    counts = (await client.get(f"{PATH}/counts", headers=headers)).json()
    assert counts == {"total": len(mine), "by_category": {"listing": 2, "account": 1}}
    first = await client.post(f"{PATH}/{mine[0]['id']}/read", headers=headers)
    again = await client.post(f"{PATH}/{mine[0]['id']}/read", headers=headers)
    assert first.json()["read_at"] is not None
    assert again.json() == first.json()
    assert mine[0]["id"] not in [item["id"] for item in await listed(client, headers, "?unread=true")]
    assert (await client.post(f"{PATH}/read", json={"up_to": mine[-1]["id"]}, headers=headers)).json() == {"marked": 1}
    assert (await client.post(f"{PATH}/read", json={"category": "case"}, headers=headers)).json() == {"marked": 0}
    assert (await client.post(f"{PATH}/read", headers=headers)).json() == {"marked": len(mine) - 2}
    assert (await client.get(f"{PATH}/counts", headers=headers)).json() == {"total": 0, "by_category": {}}


async def test_nobody_reads_or_marks_anothers(client: httpx2.AsyncClient, keys: Keys, told: dict[str, Any]) -> None:
    mine = await listed(client, keys.headers("enterprise"))
    for role in ("stranger", "provider", "operator", "administrator"):
        theirs = await listed(client, keys.headers(role))
        assert not {item["id"] for item in mine} & {item["id"] for item in theirs}
        answer = await client.post(f"{PATH}/{mine[0]['id']}/read", headers=keys.headers(role))
        assert answer.status_code == 404


async def test_what_is_for_operators_only_they_read(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, clock: StandingClock
) -> None:
    """An enterprise's key of the same organization does not."""
    need = await post(client, keys)
    assert (await step(client, keys, "enterprise", need, "submit")).status_code == 200
    await telling.tell(resources, clock)
    administrator, market = keys.headers("administrator"), keys.operator.organization_id
    plain = (await make_key(client, administrator, market))["headers"]
    assert [item["category"] for item in await listed(client, keys.headers("operator"), "?category=review")] == [
        "review"
    ]
    assert await listed(client, plain, "?category=review") == []


async def test_a_person_is_told_of_its_account_wherever_it_acts(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, clock: StandingClock
) -> None:
    administrator, own = keys.headers("administrator"), keys.enterprise.organization_id
    member = await add_member(client, administrator, own, "yanshi@example.com")
    mine = (await make_key(client, administrator, own, membership_id=member["id"]))["headers"]
    await telling.tell(resources, clock)
    personal = [item for item in await listed(client, mine) if item["personal"]]
    assert [(item["subject_kind"], item["action"]) for item in personal] == [
        ("api_key", "create"),
        ("membership", "create"),
    ]
    machine = await listed(client, keys.headers("enterprise"))
    assert not [item for item in machine if item["personal"]]
    assert [item for item in machine if item["subject_kind"] == "membership"]


async def test_preferences_have_defaults_and_are_chosen(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, clock: StandingClock
) -> None:
    path, headers = f"{PATH}/preferences", keys.headers("enterprise")
    first = await client.get(path, headers=headers)
    assert first.headers["ETag"] == '"1"'
    body = first.json()
    assert (body["whose"], body["email"], body["language"], body["mail_configured"]) == (
        "organization",
        None,
        "en",
        False,
    )
    assert body["categories"]["listing"] == {"in_app": True, "mail": "daily"}
    assert set(body["categories"]) == {"listing", "match", "case", "contract", "review", "account"}
    chosen = {
        "language": "zh",
        "email": "tongzhi@example.com",
        "categories": {"listing": {"in_app": True, "mail": "weekly"}},
    }
    changed = await client.put(path, json=chosen, headers=headers | {"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    again = await client.put(path, json={}, headers=headers | {"If-Match": '"2"'})
    assert again.json()["email"] is None
    assert again.json()["categories"]["listing"]["mail"] == "daily"
    stale = await client.put(path, json={}, headers=headers | {"If-Match": '"2"'})
    assert stale.status_code == 412
    # Whoever turned mail to another address is not the only one to know.
    await telling.tell(resources, clock)
    told = await listed(client, headers, "?category=account")
    assert [item["action"] for item in told if item["subject_kind"] == "organization"] == ["change_notices"] * 2


async def test_mail_is_turned_elsewhere_by_who_administers_the_organization_alone(
    client: httpx2.AsyncClient, keys: Keys
) -> None:
    """A key that was taken over reads and writes; of what is done with it the organization goes on being told."""
    path, own, admin = f"{PATH}/preferences", keys.enterprise.organization_id, keys.headers("enterprise")
    usual = (await make_key(client, keys.headers("administrator"), own, scopes=["read", "write"]))["headers"]

    async def choose(headers: dict[str, str], version: int, **content: Any) -> httpx2.Response:
        body = {"language": "zh"} | content
        return await client.put(path, json=body, headers=headers | {"If-Match": f'"{version}"'})

    assert (await choose(usual, 1, email="first@example.org")).status_code == 200
    for other in ("thief@example.org", None):
        refused = await choose(usual, 2, email=other)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing"), refused.text
    kept = await choose(usual, 2, email="first@example.org", categories={"case": {"in_app": True, "mail": "off"}})
    assert kept.status_code == 200
    assert (await choose(admin, 3, email="second@example.org")).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"categories": {"account": {"in_app": False, "mail": "at_once"}}}, "categories.account"),
        ({"categories": {"account": {"in_app": True, "mail": "off"}}}, "categories.account"),
        ({"categories": {"listing": {"in_app": True, "mail": "hourly"}}}, "categories.listing.mail"),
        ({"categories": {"everything": {"in_app": True, "mail": "off"}}}, "categories.everything.[key]"),
        ({"email": "two@example.com, three@example.com"}, "email"),
        ({"email": "a@example.com\r\nBcc: b@example.com"}, "email"),
        ({"email": "nobody"}, "email"),
        ({"language": "fr"}, "language"),
    ],
)
async def test_preferences_that_break_a_rule_are_refused_by_field(
    client: httpx2.AsyncClient, keys: Keys, body: dict[str, Any], field: str
) -> None:
    headers = keys.headers("enterprise") | {"If-Match": '"1"'}
    answer = await client.put(f"{PATH}/preferences", json=body, headers=headers)
    assert answer.status_code == 422, answer.text
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_a_person_chooses_for_itself_and_a_machine_does_not(client: httpx2.AsyncClient, keys: Keys) -> None:
    path = f"{PATH}/preferences?of=person"
    administrator, own = keys.headers("administrator"), keys.enterprise.organization_id
    member = await add_member(client, administrator, own, "yanshi@example.com")
    mine = (await make_key(client, administrator, own, membership_id=member["id"]))["headers"] | {"If-Match": '"1"'}
    assert (await client.get(path, headers=keys.headers("enterprise"))).status_code == 404
    assert (
        await client.put(path, json={}, headers=keys.headers("enterprise") | {"If-Match": '"1"'})
    ).status_code == 404
    refused = await client.put(path, json={"email": "else@example.com"}, headers=mine)
    assert [error["field"] for error in refused.json()["errors"]] == ["email"]
    changed = await client.put(path, json={"language": "en"}, headers=mine)
    assert (changed.status_code, changed.json()["whose"]) == (200, "person")
    assert (await client.get(f"{PATH}/preferences", headers=mine)).json()["version"] == 1
