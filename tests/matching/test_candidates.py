"""Where candidates come from: against the formulas, within the scope, by the plan that was meant."""

import json
import math
from collections.abc import Sequence

import numpy as np
import pytest

from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import unit
from matching.index import Connection, candidates, profiles, vocabulary
from matching.index.models import EmbeddingModel, create_graph_index
from matching.profiling import terms
from matching.types import EmbeddedProfile, Facets, Scope
from tests.matching.conftest import connect, named, profile, put

OUTCOMES = {
    "a": ("枸杞热泵干燥", "热泵除湿干燥枸杞，能耗降低"),
    "b": ("葡萄酒低温发酵", "酵母筛选与低温发酵控制"),
    "c": ("枸杞多糖提取", "超声提取枸杞多糖，得率提高"),
    "d": ("煤化工废水处理", "高盐废水零排放与分盐结晶"),
}


async def outcomes(connection: Connection, encoder: FakeEncoder, model: EmbeddingModel) -> list[EmbeddedProfile]:
    """The outcomes above."""
    made = [profile("outcome", title, text, name=name) for name, (title, text) in OUTCOMES.items()]
    return await put(connection, encoder, model, *made)


async def best_names(connection: Connection, need: EmbeddedProfile, scope: Scope = Scope()) -> list[tuple[str, float]]:
    """Names and scores of the best by terms."""
    rarity = await candidates.rarity_of(connection, [need.terms])
    found = await candidates.best_by_terms(connection, "outcome", need.terms, rarity, scope, 10)
    names = {named(name): name for name in OUTCOMES}
    return [(names[each.id], each.score) for each in found]


async def test_lexical_scores_are_bm25_with_fields(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    """Robertson and Zaragoza 2009, k1 = 1.2, b = 0.75; titles counted twice; a need's terms weigh sqrt(min(tf, 2))."""
    await outcomes(connection, encoder, model)
    (need,) = await put(connection, encoder, model, profile("need", "枸杞干燥"))
    wanted = {term: math.sqrt(2) for term in ("枸杞", "杞干", "干燥")}
    texts = {
        name: terms(title) * 2 + [t for s in text.split("，") for t in terms(s)]
        for name, (title, text) in OUTCOMES.items()
    }
    expected = {}
    for name, words in texts.items():
        score = 0.0
        for term, weight in wanted.items():
            holding = sum(term in other for other in texts.values())
            tf = words.count(term)
            if tf:
                idf = math.log(1 + (4 - holding + 0.5) / (holding + 0.5))
                norm = 1.2 * (1 - 0.75 + 0.75 * len(words) / vocabulary.DEFAULT_AVERAGE_LENGTH)
                score += weight * idf * tf * 2.2 / (tf + norm)
        if score:
            expected[name] = score
    found = await best_names(connection, need)
    assert [name for name, _ in found] == sorted(expected, key=lambda name: -expected[name])
    assert dict(found) == pytest.approx(expected, rel=1e-5)


async def test_nearest_are_in_the_order_of_the_inner_product(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel
) -> None:
    stored = await outcomes(connection, encoder, model)
    probe = encoder.encode([["枸杞干燥"]], "query")[0].vector
    expected = sorted(stored, key=lambda each: -float(each.encoded.vector @ probe))
    found = await candidates.nearest(connection, "outcome", probe, model, Scope(), 3)
    assert [each.id for each in found] == [each.profile.id for each in expected[:3]]
    assert found[0].score == pytest.approx(float(expected[0].encoded.vector @ probe), abs=2e-3)


SCOPED = Facets(field="goji", region_class="west", modes=frozenset({"transfer"}))


@pytest.mark.parametrize(
    ("scope", "inside"),
    [
        (Scope(), {"枸杞一", "枸杞二", "枸杞三"}),
        (Scope(field="goji"), {"枸杞一"}),
        (Scope(region_class="west"), {"枸杞一"}),
        (Scope(mode="transfer"), {"枸杞一"}),
        (Scope(mode="license"), set()),
        (Scope(not_organization=named("owner")), {"枸杞一", "枸杞三"}),
        (Scope(identifiers=(named("枸杞三"),)), {"枸杞三"}),
        (Scope(identifiers=()), set()),
        (Scope(field="goji", mode="license"), set()),
    ],
)
async def test_both_sources_keep_to_the_scope(
    connection: Connection, encoder: FakeEncoder, model: EmbeddingModel, scope: Scope, inside: set[str]
) -> None:
    await put(connection, encoder, model, profile("outcome", "枸杞一", facets=SCOPED), profile("outcome", "枸杞三"))
    await put(connection, encoder, model, profile("outcome", "枸杞二"))
    await connection.execute("update match_profile set organization = $1 where title = '枸杞二'", named("owner"))
    (need,) = await put(connection, encoder, model, profile("need", "枸杞"))
    rarity = await candidates.rarity_of(connection, [need.terms])
    near = await candidates.nearest(connection, "outcome", need.encoded.vector, model, scope, 10)
    worded = await candidates.best_by_terms(connection, "outcome", need.terms, rarity, scope, 10)
    assert {each.id for each in near} == {each.id for each in worded} == {named(name) for name in inside}


async def many(connection: Connection, model: EmbeddingModel, count: int) -> None:
    """Outcomes with random vectors, enough for a plan to matter."""
    vectors = unit(np.random.default_rng(5).standard_normal((count, model.dimensions)).astype(np.float32))
    await connection.execute(
        "insert into match_profile (id, kind, title, language, sections, passages, passage_weights, field) "
        "select id, 'outcome', 't', 'zh', '{}', '{}', '{}', case when n % 50 = 0 then 'goji' end "
        "from unnest($1::uuid[]) with ordinality as given (id, n)",
        [named(f"many{number}") for number in range(count)],
    )
    await connection.executemany(
        "insert into match_vector (profile_id, kind, model_id, embedding) values ($1, 'outcome', $2, $3)",
        [(named(f"many{number}"), model.id, vectors[number]) for number in range(count)],
    )
    await vocabulary.ensure_lexicon(connection)
    await connection.execute("update match_lexicon set outcomes = $1", count)


async def test_the_graph_finds_what_the_exact_scan_finds(
    connection: Connection, owner_url: str, model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(connection, model, 1_500)
    owner = await connect(owner_url)
    try:
        await create_graph_index(owner, model)
        await owner.execute("analyze")
    finally:
        await owner.close()
    shared = 0
    for seed in range(10):
        probe = unit(np.random.default_rng(seed).standard_normal(model.dimensions).astype(np.float32))
        exact = await candidates.nearest(connection, "outcome", probe, model, Scope(), 20)
        monkeypatch.setattr(candidates, "GRAPH_FROM", 1_000)
        async with connection.transaction():
            await connection.execute(GRAPH_ONLY)
            graph = await candidates.nearest(connection, "outcome", probe, model, Scope(), 20)
        monkeypatch.undo()
        shared += len({each.id for each in exact} & {each.id for each in graph})
    # It searches among 1,000 of 1,500: 0.95 is what such a graph gives at the very least.
    assert shared >= 190


async def test_narrow_scopes_are_scanned_exactly_however_large_the_index(
    connection: Connection, model: EmbeddingModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await many(connection, model, 1_000)
    monkeypatch.setattr(candidates, "GRAPH_FROM", 500)
    probe = unit(np.ones(model.dimensions, dtype=np.float32))

    def refuse(*_: object) -> str:
        raise AssertionError("the graph would lose what the filter takes away")

    monkeypatch.setattr(candidates, "graph_statement", refuse)
    found = await candidates.nearest(connection, "outcome", probe, model, Scope(field="goji"), 100)
    assert len(found) == 1_000 // 50


# What is small enough for a test is cheaper to scan; this leaves the planner the graph, if the statement fits it.
GRAPH_ONLY = "set local enable_seqscan = off; set local enable_sort = off; set local enable_bitmapscan = off"


async def plan_nodes(connection: Connection, statement: str, *values: object) -> list[dict[str, object]]:
    """The nodes of a statement's plan."""
    (plan,) = json.loads(await connection.fetchval("explain (format json) " + statement, *values))
    nodes, waiting = [], [plan["Plan"]]
    while waiting:
        node = waiting.pop()
        nodes.append(node)
        waiting.extend(node.get("Plans", ()))
    return nodes


def indexes(nodes: Sequence[dict[str, object]]) -> set[str]:
    """Names of the indexes that a plan reads."""
    return {str(node["Index Name"]) for node in nodes if "Index Name" in node}


async def test_the_graph_statement_reads_the_graph(
    connection: Connection, owner_url: str, model: EmbeddingModel
) -> None:
    """The expression and predicate of the partial index must be repeated literally, or the planner scans the table."""
    await many(connection, model, 1_500)
    owner = await connect(owner_url)
    try:
        await create_graph_index(owner, model)
        await owner.execute("analyze")
    finally:
        await owner.close()
    await connection.execute(candidates.PLAN_FOR_THESE)
    statement = candidates.graph_statement(model, "outcome").replace("$1", "$1::halfvec")
    probe = candidates.HalfVector(np.ones(model.dimensions))
    async with connection.transaction():
        await connection.execute(GRAPH_ONLY)
        nodes = await plan_nodes(connection, statement, probe, "outcome", None, None, None, None, 10)
    assert f"match_vector_graph_{model.id}_outcome" in indexes(nodes)


async def test_loading_candidates_goes_by_key(connection: Connection, owner_url: str, model: EmbeddingModel) -> None:
    await many(connection, model, 1_500)
    # As wide as rows are that lie in the table itself: of narrow ones the planner would rather read all.
    weights = "{" + ",".join(f"{number}:1" for number in range(1, 101)) + "}/1000000000"
    await connection.execute(
        "insert into match_passage select profile_id, kind, model_id, decode(repeat('00', 900), 'hex') from match_vector;"
        f"insert into match_lexeme select profile_id, kind, '{weights}'::sparsevec from match_vector;"
        "update match_profile set organization = id;"
        "insert into match_organization select id, 3, 0, 24, now() from match_profile;"
        # Rows of organizations are narrow: of few, too, the planner would rather read all.
        "insert into match_organization select uuidv7(), 3, 0, 24, now() from generate_series(1, 30000)"
    )
    owner = await connect(owner_url)
    try:
        await owner.execute("analyze")
    finally:
        await owner.close()
    nodes = await plan_nodes(
        connection, profiles.LOAD, "outcome", model.id, [named(f"many{number}") for number in range(20)]
    )
    scanned = {node["Relation Name"] for node in nodes if node["Node Type"] == "Seq Scan"}
    # The vectors of this small model are narrow enough to be read all; what is wide must not be.
    assert not scanned & {"match_passage", "match_lexeme", "match_profile_outcome", "match_organization"}
