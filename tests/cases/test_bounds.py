"""What a side may add to a case without end is bounded, since it is read whole."""

from typing import Any

import pytest

from service.cases import meetings
from service.matches import consents
from tests.cases.helpers import YES, Desk

MEETING = {"title": "会议", "starts_at": "2026-10-12T14:00:00+08:00", "ends_at": "2026-10-12T15:00:00+08:00"}
MILESTONE = {"title": "样机", "due_on": "2027-03-31"}


@pytest.mark.parametrize(("what", "body"), [("/meetings", MEETING), ("/milestones", MILESTONE)])
async def test_a_case_has_so_many_meetings_and_milestones(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str, body: dict[str, Any]
) -> None:
    monkeypatch.setattr(meetings, "MOST", 2)
    await desk.agree()
    made = [await desk.take("enterprise", what, body, 201) for _ in range(2)]
    refused = await desk.ask("provider", "POST", what, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_turn")
    headers = {"If-Match": f'"{made[0]["version"]}"'}
    changed = await desk.ask("provider", "PUT", f"{what}/{made[0]['id']}", body | {"title": "另一项"}, headers=headers)
    assert changed.status_code == 200, changed.text


async def test_a_side_consents_and_withdraws_so_often(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time the other side is told of it, by mail too."""
    monkeypatch.setattr(consents, "MOST_OF_A_SIDE", 2)
    path, headers = f"/v1/recommendations/{desk.recommendation}/consent", desk.keys.headers("enterprise")
    for _ in range(2):
        await desk.take("enterprise", "/answer", YES)
        assert (await desk.client.delete(path, headers=headers)).status_code == 200
    refused = await desk.ask("enterprise", "POST", "/answer", YES)
    assert (refused.status_code, refused.json()["code"]) == (409, "out_of_turn")
    await desk.take("provider", "/answer", YES)
