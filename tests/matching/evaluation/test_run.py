"""Measures against arithmetic, data sets against their format, and the comparison through the index."""

import math
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.embedding.fake import FakeEncoder
from matching.evaluation import SYSTEMS, DatasetError, evaluate, load, load_unjudged, metrics, ranked_lists
from matching.fusion import default_model

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
    # Two relevant, two not: a stands before both, b before d only.
    assert metrics.auc(["a", "c", "x", "b", "d"], GRADES) == (2 + 1) / 4
    assert metrics.auc(["a", "b"], {"a": 3, "b": 2}) is None
    assert [metrics.relevant_at(["c", "x", "b"], GRADES, place) for place in (1, 2, 3)] == [0.0, 1.0, None]


@given(st.permutations(list("abcdxyz")))
def test_no_order_is_better_than_the_ideal(ranked: list[str]) -> None:
    assert 0.0 <= metrics.ndcg(ranked, GRADES) <= metrics.ndcg_judged(ranked, GRADES) + 1e-12 <= 1.0 + 2e-12


def test_queries_that_nobody_judged_are_left_out(folder: Path) -> None:
    assert [query.id for query in load(folder).queries] == ["q1", "q2"]


def test_what_is_to_be_judged_needs_no_judgments_yet(folder: Path) -> None:
    assert [query.id for query in load_unjudged(folder).queries] == ["q1", "q2", "q3"]
    assert load_unjudged(folder).grades == load(folder).grades
    (folder / "qrels" / "test.tsv").unlink()
    assert load_unjudged(folder).grades == {}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("corpus.jsonl", None, "cannot be read"),
        ("corpus.jsonl", "", "is empty"),
        ("corpus.jsonl", "{", "line 1"),
        ("corpus.jsonl", '{"title": "x"}', "line 1"),
        ("corpus.jsonl", '{"_id": "a", "title": "x"}\n{"_id": "a", "title": "y"}', "line 2"),
        ("corpus.jsonl", '{"_id": "a", "title": " ", "text": ""}', "neither title nor text"),
        ("corpus.jsonl", '{"_id": "a", "title": "x\\u0000"}', "line 1: holds a NUL"),
        ("queries.jsonl", '{"_id": "a", "title": "x"}\n{"_id": "b", "text": "\\ud800"}', "line 2: holds a NUL"),
        ("corpus.jsonl", '{"_id": "a", "title": "x", "metadata": {"keywords": ["\\udc00"]}}', "line 1: holds a NUL"),
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


async def test_the_report_has_every_need_interval_and_difference(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path
) -> None:
    result = await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["dense", "bm25", "duijie"])
    report = result.as_json()
    assert report["baseline"] == "bm25"
    assert set(report["differences"]) == {"dense", "duijie"}
    for name in ("dense", "bm25", "duijie"):
        of_needs = [need["systems"][name]["ndcg@10"] for need in report["needs"]]
        assert report["systems"][name]["ndcg@10"] == pytest.approx(sum(of_needs) / 2)
        assert report["intervals"][name]["ndcg@10"]["needs"] == 2
    ours, base = report["systems"]["duijie"]["ndcg@10"], report["systems"]["bm25"]["ndcg@10"]
    assert report["differences"]["duijie"]["ndcg@10"]["mean"] == pytest.approx(ours - base)
    assert (report["win_loss"]["system"], report["win_loss"]["baseline"]) == ("duijie", "bm25")
    assert {need["title"] for need in report["win_loss"]["needs"]} == {"枸杞干燥", "高盐废水"}


async def test_one_system_is_compared_with_nothing(owner: "asyncpg.Connection[asyncpg.Record]", folder: Path) -> None:
    report = (await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["dense"])).as_json()
    assert (report["baseline"], report["differences"], report["win_loss"]) == ("dense", {}, None)


async def test_lists_are_made_of_queries_that_nobody_judged(
    owner: "asyncpg.Connection[asyncpg.Record]", folder: Path
) -> None:
    (folder / "qrels" / "test.tsv").unlink()
    runs = await ranked_lists(owner, FakeEncoder(), default_model(), load_unjudged(folder), ["bm25"])
    assert set(runs["bm25"]) == {"q1", "q2", "q3"}
    assert runs["bm25"]["q1"][0] == "g1"


async def test_a_baseline_must_be_among_the_systems(owner: "asyncpg.Connection[asyncpg.Record]", folder: Path) -> None:
    with pytest.raises(DatasetError, match="'rrf' is not among the systems compared: bm25"):
        await evaluate(owner, FakeEncoder(), default_model(), load(folder), ["bm25"], baseline="rrf")


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


DEVELOPMENT = Path(__file__).resolve().parents[4] / "shared" / "eval" / "dev"


@pytest.mark.skipif(not DEVELOPMENT.exists(), reason="the development ranking data is not here")
def test_the_development_data_loads() -> None:
    dataset = load(DEVELOPMENT)
    assert (len(dataset.documents), len(dataset.queries)) == (2_000, 37)
