"""What an event keeps of a change: every changed field, and no contact in clear."""

from typing import Any

import httpx2
import orjson
from hypothesis import given
from hypothesis import strategies as st

from service.events.changes import LONGEST, changes
from service.kit.db import Pool
from tests.conftest import Keys

values = (
    st.none() | st.integers(-9, 9) | st.text("枸杞 01a", max_size=8) | st.lists(st.text("枸a", max_size=3), max_size=3)
)
NAMES = st.sampled_from(["title", "maturity", "contact_name", "contact_phone", "modes"])


@given(before=st.dictionaries(NAMES, values), after=st.dictionaries(NAMES, values))
def test_a_field_is_there_if_and_only_if_it_changed(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert set(changes(before, after)) == {name for name in after if after[name] != before.get(name)}


@given(length=st.integers(1, 3 * LONGEST))
def test_a_long_text_stands_as_its_digest(length: int) -> None:
    kept = changes({"description": None}, {"description": "需" * length})["description"]["after"]
    assert kept == "需" * length if length <= LONGEST else kept["characters"] == length
    assert len(orjson.dumps(kept)) <= 3 * LONGEST + 2


async def last_data(pool: Pool, action: str) -> dict[str, Any]:
    found: dict[str, Any] = await pool.fetchval(
        "select data from event where action = $1 order by id desc limit 1", action
    )
    return found


async def test_a_changed_need_keeps_before_and_after_and_masks_contacts(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    headers = keys.headers("enterprise")
    first = {"title": "枸杞烘干", "contact_name": "王小明", "contact_phone": "13812345678", "budget_max": "800000"}
    made = await client.post("/v1/needs", json=first, headers=headers)
    second = {
        "title": "枸杞低温烘干",
        "description": "请致电 13987654321 联系",
        "contact_name": "王小明",
        "contact_phone": "13912345678",
        "contact_email": "wang@example.test",
        "budget_max": 800000.0,
    }
    address = f"/v1/needs/{made.json()['id']}"
    changed = await client.put(address, json=second, headers=headers | {"If-Match": made.headers["ETag"]})
    assert changed.status_code == 200
    data = await last_data(pool, "change")
    assert (data["version"], data["changes"]) == (
        2,
        {
            "title": {"before": "枸杞烘干", "after": "枸杞低温烘干"},
            "description": {"before": "", "after": "请致电  联系"},
            "contact_phone": {"before": "138****5678", "after": "139****5678"},
            "contact_email": {"before": None, "after": "w***@example.test"},
        },
    )
    everything = str(await pool.fetch("select data::text from event"))
    assert not any(secret in everything for secret in ("王小明", "13812345678", "13912345678", "wang@", "13987654321"))


async def test_a_changed_organization_keeps_before_and_after(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool
) -> None:
    headers = keys.headers("enterprise") | {"If-Match": '"1"'}
    content = {
        "name": "测试演示单位 enterprise",
        "kind": "enterprise",
        "website": "https://www.example.test/",
        "region": "640100",
    }
    address = f"/v1/organizations/{keys.enterprise.organization_id}"
    assert (await client.put(address, json=content, headers=headers)).status_code == 200
    assert (await last_data(pool, "change"))["changes"] == {
        "external_id": {"before": "org-enterprise", "after": None},
        "website": {"before": None, "after": "https://www.example.test/"},
    }
