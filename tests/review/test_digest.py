"""What a provider learns of declines, and what it does not."""

from datetime import timedelta

import pytest

from service.kit.clock import today
from service.review.advice import HELPS
from service.taxonomy.schemas import DeclineCode
from tests.review.world import World


def test_every_reason_has_words_of_help_in_both_languages() -> None:
    assert set(HELPS) == set(DeclineCode)
    assert all(text.zh and text.en and text.zh != text.en for text in HELPS.values())


async def filled(world: World) -> None:
    await world.fill({"A": {"a": 0.9, "b": 0.8}, "B": {"a": 0.7, "b": 0.6}, "C": {"a": 0.5}})
    await world.outcome("other", role="other_provider")
    await world.pair("A", "other", 0.4)
    for pair, code, told in (
        ("A/a", "too_early", "补充中试数据后再荐"),
        ("B/a", "too_early", None),
        ("C/a", "vague", "请写明可测指标"),
        ("A/other", "vague", "别家的话"),
    ):
        body = {"action": "decline", "code": code, "note": "内部备注"} | ({"to_provider": told} if told else {})
        assert (await world.decide("broker", pair, **body)).status_code == 201
    assert (await world.decide("broker", "B/b", action="decline", code="duplicate")).status_code == 201
    assert (await world.undo("broker", "B/b")).status_code == 200
    assert (await world.decide("broker", "A/b")).status_code == 201


@pytest.mark.parametrize(("language", "label"), [("zh-CN", "阶段过早"), ("en", "Too early")])
async def test_a_provider_learns_why_how_often_and_what_would_help(world: World, language: str, label: str) -> None:
    await filled(world)
    answer = await world.ask("provider", "GET", "/v1/declines", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["items"]
    assert (one["outcome_id"], one["title"], one["times"]) == (str(world.outcomes["a"]), "成果 a", 3)
    assert [(each["code"], each["times"], each["told"]) for each in one["reasons"]] == [
        ("too_early", 2, ["补充中试数据后再荐"]),
        ("vague", 1, ["请写明可测指标"]),
    ]
    assert one["reasons"][0]["label"] == label
    assert one["reasons"][0]["helps"] == HELPS[DeclineCode.TOO_EARLY].in_("zh" if label == "阶段过早" else "en")


async def test_neither_the_need_nor_the_note_nor_anothers_words_are_in_it(world: World) -> None:
    await filled(world)
    text = (await world.ask("provider", "GET", "/v1/declines")).text
    hidden = [str(identifier) for identifier in (*world.needs.values(), *world.pairs.values())]
    hidden += [str(world.keys.enterprise.organization_id), "内部备注", "需求 A", "别家的话", "测试演示单位"]
    assert [word for word in hidden if word in text] == []
    for role in ("enterprise", "broker", "operator"):
        assert (await world.ask(role, "GET", "/v1/declines")).json()["items"] == []
    (other,) = (await world.ask("other_provider", "GET", "/v1/declines")).json()["items"]
    assert [each["told"] for each in other["reasons"]] == [["别家的话"]]


async def test_a_period_and_pages(world: World) -> None:
    await filled(world)
    assert (await world.decide("broker", "B/b", action="decline", code="duplicate")).status_code == 201
    await world.owner.execute(
        "update decision set decided_at = decided_at - interval '100 days' where recommendation_id = $1",
        world.pairs["C/a"],
    )
    items = (await world.ask("provider", "GET", "/v1/declines")).json()["items"]
    assert [(item["title"], item["times"]) for item in items] == [("成果 b", 1), ("成果 a", 2)]
    first = (today() - timedelta(days=101)).isoformat()
    longer = (await world.ask("provider", "GET", f"/v1/declines?since={first}")).json()
    assert [item["times"] for item in longer["items"]] == [1, 3]
    page = (await world.ask("provider", "GET", f"/v1/declines?since={first}&limit=1")).json()
    rest = (await world.ask("provider", "GET", f"/v1/declines?since={first}&limit=1&cursor={page['next']}")).json()
    assert [page["items"], rest["items"], rest["next"]] == [longer["items"][:1], longer["items"][1:], None]
    past = (await world.ask("provider", "GET", f"/v1/declines?since={first}&until={first}")).json()
    assert past["items"] == []
    for query, field in (
        (f"since={today()}&until={first}", "since"),
        ("until=0001-01-01", "until"),
        ("since=9999-12-31", "since"),
    ):
        wrong = await world.ask("provider", "GET", f"/v1/declines?{query}")
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, field)
