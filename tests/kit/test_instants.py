"""Instants at the ends of what a calendar counts in, in every request that names one."""

from datetime import UTC, datetime
from uuid import uuid4

import httpx2
import pytest
from pydantic import TypeAdapter, ValidationError

from service.kit.instants import Instant
from tests.conftest import Keys

READ = TypeAdapter(Instant)
# The driver takes the first and the last for minus and plus infinity; in another zone the others lie beyond the calendar.
ENDS = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T16:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59-14:00",
)


@pytest.mark.parametrize("instant", ["1900-01-01T00:00:00+14:00", "2999-12-31T23:59:59-14:00"])
def test_the_years_of_people_are_taken(instant: str) -> None:
    assert READ.validate_python(instant).astimezone(UTC) == datetime.fromisoformat(instant).astimezone(UTC)


@pytest.mark.parametrize("instant", ENDS)
def test_the_ends_of_the_calendar_are_not(instant: str) -> None:
    with pytest.raises(ValidationError) as refused:
        READ.validate_python(instant)
    assert refused.value.errors()[0]["type"] == "instant_range"


@pytest.mark.parametrize("instant", ENDS)
async def test_every_request_that_names_one_says_so(client: httpx2.AsyncClient, keys: Keys, instant: str) -> None:
    organization, nobody = keys.provider.organization_id, uuid4()
    member = {"person": {"name": "演示人员", "email": "yi@example.org"}, "roles": ["provider"], "valid_until": instant}
    for role, path, body, field in (
        (
            "administrator",
            f"/v1/organizations/{organization}/keys",
            {"label": "k", "roles": ["provider"]},
            "expires_at",
        ),
        ("administrator", f"/v1/organizations/{organization}/members", member, "valid_until"),
        ("broker", f"/v1/recommendations/{nobody}/decisions", {"action": "snooze"}, "snoozed_until"),
        ("enterprise", f"/v1/webhooks/{nobody}/replay", {}, "since"),
        (
            "enterprise",
            f"/v1/cases/{nobody}/meetings",
            {"title": "会议", "starts_at": "2027-01-01T00:00:00Z"},
            "ends_at",
        ),
    ):
        answer = await client.post(path, json=body | {field: instant}, headers=keys.headers(role))
        assert answer.status_code == 422, (path, answer.text)
        assert [(each["field"], each["rule"]) for each in answer.json()["errors"]] == [(field, "instant_range")]
