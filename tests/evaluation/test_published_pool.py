"""A market's own listings are judged: the pool comes from its index, and the grades make a whole data set."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
from rich.console import Console

from matching.embedding.fake import FakeEncoder
from matching.evaluation import evaluate, load
from matching.fusion import default_model
from service.errors import NotFound, Unavailable
from service.judging import Pooling, export_published, import_published
from service.resources import Resources
from service.settings import Settings
from tests.conftest import Keys
from tests.evaluation.conftest import cells, fill, said, written
from tests.matches.test_worker import NEEDS, OUTCOMES, drain, publish, publish_all
from tests.matching.conftest import connect

POOLING = Pooling("bm25,dense,rrf,duijie", 3, 1)


async def export(settings: Settings, console: Console, path: Path, needs: int = 50) -> list[list[Any]]:
    await export_published(settings, console, path, needs, POOLING, "en")
    return cells(path)[1:]


async def test_nothing_published_is_told(reached: Settings, console: Console, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="duijie worker"):
        await export(reached, console, tmp_path / "pool.xlsx")


async def test_no_need_is_told(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, reached: Settings, console: Console, tmp_path: Path
) -> None:
    await publish(client, keys, "outcomes", OUTCOMES[0])
    await drain(resources)
    with pytest.raises(NotFound, match="No published need is indexed"):
        await export(reached, console, tmp_path / "pool.xlsx")


async def test_grades_of_published_pairs_make_a_data_set(
    client: httpx2.AsyncClient,
    keys: Keys,
    resources: Resources,
    reached: Settings,
    console: Console,
    tmp_path: Path,
    owner_url: str,
) -> None:
    needs, outcomes = await publish_all(client, keys)
    rich = await publish(
        client,
        keys,
        "needs",
        "枸杞清洗",
        description="鲜果清洗破损大。",
        goals="破损率降低",
        indicators=["破损率≤1%"],
        contact_name="张三",
        contact_phone="0951-0000000",
    )
    await drain(resources)
    rows = await export(reached, console, tmp_path / "pool.xlsx")
    assert {row[1] for row in rows} == {*needs, rich}
    assert {row[2] for row in rows} == {*NEEDS, "枸杞清洗"}
    assert {row[5] for row in rows} <= set(OUTCOMES)
    texts = {row[1]: row[3] for row in rows}
    assert texts[rich] == "鲜果清洗破损大。\n破损率降低\n破损率≤1%"
    # Nobody judged these yet, and no contact leaves.
    assert {row[7] for row in rows} == {""}
    assert not any("张三" in str(cell) or "0951" in str(cell) for row in rows for cell in row)
    assert len({row[1] for row in await export(reached, console, tmp_path / "two.xlsx", 2)}) == 2

    folder = tmp_path / "ours"
    grades = {(needs[0], outcomes[0]): 3, (needs[1], outcomes[1]): 2}
    assert await import_published(reached, console, fill(tmp_path / "pool.xlsx", grades), folder, "refuse")
    dataset = load(folder)
    # The corpus is everything published, the queries what was judged.
    assert {document.id for document in dataset.documents} == set(outcomes)
    assert {query.id: query.title for query in dataset.queries} == {needs[0]: NEEDS[0], needs[1]: NEEDS[1]}
    assert dataset.grades == {needs[0]: {outcomes[0]: 3}, needs[1]: {outcomes[1]: 2}}
    owner = await connect(owner_url)
    try:
        result = await evaluate(owner, FakeEncoder(), default_model(), dataset, ["bm25"])
    finally:
        await owner.close()
    assert result.systems["bm25"].mrr == 1.0

    # Later grades are added, and what was withdrawn meanwhile keeps its judgment.
    done = await client.post(f"/v1/outcomes/{outcomes[0]}/withdraw", headers=keys.headers("provider"))
    assert done.status_code == 200
    later = {(needs[0], outcomes[0]): 3, (needs[2], outcomes[2]): 3}
    assert await import_published(reached, console, fill(tmp_path / "pool.xlsx", later), folder, "refuse")
    assert set(load(folder).grades) == {*needs}
    assert load(folder).grades[needs[0]] == {outcomes[0]: 3}


async def test_ids_of_another_market_are_named(
    reached: Settings, console: Console, resources: Resources, client: httpx2.AsyncClient, keys: Keys, tmp_path: Path
) -> None:
    needs, outcomes = await publish_all(client, keys)
    await drain(resources)
    await export(reached, console, tmp_path / "pool.xlsx")
    rows: list[list[object]] = [["need_id", "outcome_id", "grade"], ["n-1", outcomes[0], 1], [outcomes[0], needs[0], 1]]
    swapped = written(tmp_path / "swapped.xlsx", rows)
    assert not await import_published(reached, console, swapped, tmp_path / "ours", "refuse")
    assert "3 to settle; nothing was written" in said(console)
    assert not (tmp_path / "ours").exists()
