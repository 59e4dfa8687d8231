"""Measures against arithmetic, data sets against their format, and the comparison through the index."""

import json
import math
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.embedding.fake import FakeEncoder
from matching.evaluation import SYSTEMS, DatasetError, evaluate, load, metrics
from matching.fusion import default_model
from tests.matching.conftest import connect

GRADES = {"a": 3, "b": 2, "c": 1, "d": 0}
IDEAL = 7 + 3 / math.log2(3) + 1 / 2


def test_ndcg_gains_double_and_unjudged_documents_gain_nothing() -> None:
    assert metrics.ndcg(["b", "x", "a"], GRADES) == pytest.approx((3 + 0 + 7 / 2) / IDEAL)


def test_judged_ndcg_closes_the_gaps_that_unjudged_documents_leave() -> None:
    assert metrics.ndcg_judged(["b", "x", "a"], GRADES) == pytest.approx((3 + 7 / math.log2(3)) / IDEAL)


def test_the_other_measures() -> None:
    assert metrics.judged_share(["b", "x", "a", "y"], GRADES) == 2 / 4
    assert metrics.recall(["c", "b"], GRADES) == 1 / 2
    assert metrics.recall(["c"], {"c": 1}) is None
    assert metrics.reciprocal_rank(["c", "x", "b"], GRADES) == 1 / 3
    assert metrics.reciprocal_rank(["c"], GRADES) == 0.0


@given(st.permutations(list("abcdxyz")))
def test_no_order_is_better_than_the_ideal(ranked: list[str]) -> None:
    assert 0.0 <= metrics.ndcg(ranked, GRADES) <= metrics.ndcg_judged(ranked, GRADES) + 1e-12 <= 1.0 + 2e-12


CORPUS = {
    "g1": ("枸杞热泵干燥装备", "热泵除湿干燥枸杞.干燥时间8小时."),
    "g2": ("枸杞多糖提取工艺", "超声辅助提取枸杞多糖."),
    "w1": ("煤化工废水分盐结晶", "纳滤分盐与蒸发结晶."),
    "v1": ("葡萄酒低温发酵", "本土酵母筛选."),
}
QUERIES = {
    "q1": ("枸杞干燥", "希望缩短枸杞干燥时间"),
    "q2": ("高盐废水", "废水分盐结晶成本高"),
    "q3": ("未评判", "没有评判的需求"),
}
QRELS = ["query-id\tcorpus-id\tscore", "q1\tg1\t3", "q1\tg2\t1", "q2\tw1\t3", "q2\tv1\t0"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small data set."""
    for name, rows in (("corpus", CORPUS), ("queries", QUERIES)):
        lines = [json.dumps({"_id": key, "title": title, "text": text}) for key, (title, text) in rows.items()]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("\n".join(QRELS), encoding="utf-8")
    return tmp_path


def test_queries_that_nobody_judged_are_left_out(folder: Path) -> None:
    assert [query.id for query in load(folder).queries] == ["q1", "q2"]


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.jsonl", None, "cannot be read"),
        ("corpus.jsonl", "", "is empty"),
        ("corpus.jsonl", "{", "line 1"),
        ("corpus.jsonl", '{"title": "x"}', "line 1"),
        ("corpus.jsonl", '{"_id": "a", "title": "x"}\n{"_id": "a", "title": "y"}', "line 2"),
        ("corpus.jsonl", '{"_id": "a", "title": " ", "text": ""}', "neither title nor text"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\tg1", "line 2"),
        ("qrels/test.tsv", "q1\tg1\tmuch", "line 1"),
        ("qrels/test.tsv", "q1\tnobody\t1", "nobody"),
        ("qrels/test.tsv", "q1\tg1\t-1", "negative"),
        ("qrels/test.tsv", "query-id\tcorpus-id\tscore", "no judgment"),
    ],
)
def test_a_broken_data_set_is_told_by_file_and_line(folder: Path, name: str, content: str | None, says: str) -> None:
    file = folder / name
    if content is None:
        file.unlink()
    else:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(DatasetError, match=says):
        load(folder)


@pytest.fixture
async def owner(owner_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection that may create schemas."""
    made = await connect(owner_url)
    yield made
    await made.close()


SCHEMAS = "select count(*) from pg_namespace where nspname like 'scratch%'"


async def test_all_systems_are_compared_and_nothing_is_left(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path
) -> None:
    result = await evaluate(owner, FakeEncoder(), default_model(), load(folder), list(SYSTEMS))
    assert result.as_json()["queries"] == 2
    assert set(result.as_json()["systems"]) == {"bm25", "dense", "rrf", "duijie"}
    for scores in result.as_json()["systems"].values():
        assert set(scores) == {"ndcg@10", "ndcg@10_judged", "judged@10", "recall@50", "mrr", "ms"}
    # Only one outcome shares a term with either need's title, so that the first place is certain.
    assert result.systems["bm25"].mrr == 1.0
    assert result.runs["bm25"]["q1"][0] == "g1"
    assert await owner.fetchval(SCHEMAS) == 0
    assert await owner.fetchval("select count(*) from match_profile") == 0


async def test_the_scratch_schema_is_dropped_after_an_error(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(FakeEncoder, "encode", fail)
    with pytest.raises(RuntimeError, match="out of memory"):
        await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["bm25"])
    assert await owner.fetchval(SCHEMAS) == 0


@pytest.mark.parametrize("names", [[], ["bm25", "oracle"]])
async def test_an_unknown_system_is_refused(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path, names: list[str]
) -> None:
    with pytest.raises(DatasetError, match="choose from bm25, dense, rrf, duijie"):
        await evaluate(owner, FakeEncoder(), default_model(), load(folder), names)


async def test_after_the_comparison_the_connection_sees_what_it_saw_before(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path
) -> None:
    before = await owner.fetchval("show search_path")
    await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["bm25"])
    assert await owner.fetchval("show search_path") == before


async def test_a_broken_transaction_does_not_keep_the_scratch_schema(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(setting, need):  # type: ignore[no-untyped-def]
        await setting.connection.execute("select 1 / 0")

    monkeypatch.setitem(SYSTEMS, "broken", broken)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["broken"])
    assert await owner.fetchval(SCHEMAS) == 0


DEVELOPMENT = Path(__file__).resolve().parents[3] / "shared" / "eval" / "dev"


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="the development ranking data is not here")
def test_the_development_data_loads() -> None:
    dataset = load(DEVELOPMENT)
    assert (len(dataset.documents), len(dataset.queries)) == (2_000, 37)
