"""`duijie train encoder` and `duijie encoders` on a real database: training, the switch of the vectors, and the way back."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner

from matching.embedding import EncoderError, tuned
from matching.embedding.fake import FakeEncoder
from matching.index.models import EmbeddingModel
from matching.learning.encoder_data import JudgedTexts
from service import encoder_choice, encoder_training, worker
from service.cli import app
from service.encoder_choice import Change
from service.encoders import Encoders
from service.errors import Conflict
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.matches.encoder_samples import decided_texts
from service.resources import DatabaseUrls, Resources, resources_over
from service.settings import Settings, get_settings
from tests.conftest import Keys
from tests.matches.test_worker import matches, publish
from tests.matching.learning.tiny import build_model, toy_market

Command = Callable[..., Awaitable[tuple[int, str]]]
TUNED = "tuned:tuned-"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy market as a BEIR folder."""
    folder = tmp_path_factory.mktemp("toy")
    market = toy_market()
    for name, texts in (("queries", market.needs), ("corpus", market.outcomes)):
        rows = [json.dumps({"_id": key, "title": " ".join(passages), "text": ""}) for key, passages in texts.items()]
        (folder / f"{name}.jsonl").write_text("\n".join(rows), encoding="utf-8")
    (folder / "qrels").mkdir()
    grades = [f"{need}\t{outcome}\t{grade}" for need, row in market.grades.items() for outcome, grade in row.items()]
    (folder / "qrels" / "test.tsv").write_text("\n".join(grades), encoding="utf-8")
    return folder


@pytest.fixture
def chosen(tmp_path: Path, app_url: str, owner_url: str) -> Settings:
    """Settings that leave the encoder to what is chosen."""
    # One number format, since a model that is opened again must give the same bits.
    return Settings(home=tmp_path, language="en", dtype="float32", database_url=app_url, owner_database_url=owner_url)


@pytest.fixture
async def resources(chosen: Settings, pool: Pool, app_url: str, owner_url: str, tiny: Path) -> AsyncIterator[Resources]:
    """What a running process holds, where the tiny model was chosen before it started."""
    async with transaction(pool, SYSTEM) as connection:
        await encoder_choice.choose(connection, SYSTEM, chosen, Change(str(tiny), "activate", {}))
    async with resources_over(chosen, DatabaseUrls(app_url, owner_url), pool) as held:
        yield held


@pytest.fixture
def settings(chosen: Settings) -> Settings:
    return chosen


@pytest.fixture
def duijie(chosen: Settings) -> Command:
    """Run a command as a user does; its exit code and what it printed."""
    environment = {
        "DUIJIE_DATABASE_URL": str(chosen.database_url),
        "DUIJIE_OWNER_DATABASE_URL": str(chosen.owner_database_url),
        "DUIJIE_HOME": str(chosen.home),
        "DUIJIE_LANGUAGE": "en",
        "DUIJIE_ENCODER_THREADS": "1",
        "COLUMNS": "200",
    }

    async def run(*arguments: str, **more: str) -> tuple[int, str]:
        get_settings.cache_clear()
        result = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment | more)
        get_settings.cache_clear()
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, " ".join(result.output.split())

    return run


async def states(pool: Pool) -> list[tuple[str, str]]:
    rows = await pool.fetch("select source, state from embedding_model order by id")
    return [(row["source"], row["state"]) for row in rows]


async def publish_toys(client: httpx2.AsyncClient, keys: Keys) -> list[str]:
    needs = [await publish(client, keys, "needs", f"ask{topic} ask{topic + 1}") for topic in range(3)]
    for topic in range(3):
        await publish(client, keys, "outcomes", f"give{topic} give{topic + 1}")
    return needs


async def settled(resources: Resources) -> None:
    """Let the worker notice, fill in and switch."""
    for _ in range(3):
        await worker.drain(resources, concurrency=2)


async def test_from_training_to_the_switch_of_the_vectors_and_back(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, duijie: Command, dataset: Path, tiny: Path
) -> None:
    needs = await publish_toys(client, keys)
    await settled(resources)
    assert await states(pool) == [(str(tiny), "active")]
    before = await pool.fetch("select profile_id, embedding::text from match_vector order by 1")

    code, said = await duijie("train", "encoder", str(dataset), "--rate", "0.01", "--epochs", "12")
    assert code == 0, said
    assert "The new encoder is better" in said
    (card,) = tuned.saved(resources.settings.cache)
    assert card.base == str(tiny)
    assert card.figures["comparison"]["better"] is True
    assert card.figures["comparison"]["needs"] == 11
    event = await pool.fetchrow(
        "select action, data from event where subject_kind = 'encoder' order by id desc limit 1"
    )
    assert (event["action"], event["data"]["source"]) == ("train", card.source)

    # The old vectors serve while the new ones are filled in.
    await worker.keep_house(resources)
    assert await states(pool) == [(str(tiny), "active"), (card.source, "building")]
    assert await matches(client, keys, needs[0]) != []
    await settled(resources)
    assert await states(pool) == [(str(tiny), "retired"), (card.source, "active")]
    after = await pool.fetch("select profile_id, embedding::text from match_vector order by 1")
    assert [row["profile_id"] for row in after] == [row["profile_id"] for row in before]
    assert all(row["embedding"] != old["embedding"] for row, old in zip(after, before, strict=True))
    assert resources.encoders.source == card.source

    code, said = await duijie("encoders", "list")
    assert code == 0, said
    assert "toy0: 36 needs, 24 outcomes" in said
    assert "retired" in said

    code, said = await duijie("encoders", "rollback")
    assert (code, said) == (0, f"{tiny}: chosen / 已选用")
    await settled(resources)
    assert await states(pool) == [(str(tiny), "active"), (card.source, "retired")]
    again = await pool.fetch("select profile_id, embedding::text from match_vector order by 1")
    assert again == before

    code, said = await duijie("encoders", "activate", card.name)
    assert code == 0, said
    code, said = await duijie("encoders", "activate", card.name)
    assert code == 1
    assert "in use already" in said


async def test_a_process_that_serves_only_opens_the_new_encoder_by_itself(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, duijie: Command, dataset: Path
) -> None:
    await publish_toys(client, keys)
    await settled(resources)
    async with resources_over(resources.settings, resources.urls, pool) as serving:
        code, said = await duijie("train", "encoder", str(dataset), "--rate", "0.01", "--epochs", "2", "--activate")
        assert code == 0, said
        await settled(resources)
        (card,) = tuned.saved(resources.settings.cache)
        active = await pool.fetchrow("select * from embedding_model where state = 'active'")
        assert active["source"] == card.source
        model = EmbeddingModel(**{key: value for key, value in active.items() if key != "created_at"})
        found = await serving.encoders.encode(model, ("ask1",), "query")
        ours = await resources.encoders.encode(model, ("ask1",), "query")
        assert (found.vector == ours.vector).all()


async def test_a_dry_run_and_what_is_not_proven_change_nothing(
    resources: Resources, pool: Pool, duijie: Command, dataset: Path
) -> None:
    code, said = await duijie("train", "encoder", str(dataset), "--rate", "0.01", "--epochs", "12", "--dry-run")
    assert code == 0, said
    assert "Dry run: nothing was kept" in said
    code, said = await duijie("train", "encoder", str(dataset), "--rate", "0.000001", "--epochs", "1")
    assert code == 0, said
    assert "no new encoder was kept" in said
    assert tuned.saved(resources.settings.cache) == []
    assert await pool.fetchval("select count(*) from encoder_choice") == 1


async def test_a_chosen_encoder_that_is_not_on_this_machine_does_not_stop_the_present_one(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool, duijie: Command, dataset: Path, tiny: Path
) -> None:
    needs = await publish_toys(client, keys)
    await settled(resources)
    code, said = await duijie("train", "encoder", str(dataset), "--rate", "0.01", "--epochs", "2", "--activate")
    assert code == 0, said
    (card,) = tuned.saved(resources.settings.cache)
    folder = tuned.root(resources.settings.cache) / card.name
    away = folder.with_name("away")
    folder.rename(away)
    await settled(resources)
    assert await states(pool) == [(str(tiny), "active")]
    assert await matches(client, keys, needs[0]) != []
    # A process that starts now cannot open what was chosen, and still serves with what is active.
    async with resources_over(resources.settings, resources.urls, pool) as started:
        found = await client.get("/readyz")
        assert found.status_code == 200
        row = await pool.fetchrow("select id, source, name, checksum, dimensions, state from embedding_model")
        assert (await started.encoders.encode(EmbeddingModel(**dict(row)), ("ask1",), "query")).vector.shape == (32,)
    away.rename(folder)
    await settled(resources)
    assert await states(pool) == [(str(tiny), "retired"), (card.source, "active")]


async def test_commands_refuse_with_a_way_out(
    resources: Resources, duijie: Command, dataset: Path, tmp_path: Path
) -> None:
    assert (await duijie("train", "encoder"))[0] == 2
    assert (await duijie("train", "encoder", str(dataset), "--decisions"))[0] == 2
    assert (await duijie("train", "encoder", str(dataset), "--dry-run", "--activate"))[0] == 2
    code, said = await duijie("train", "encoder", "--decisions")
    assert code == 1
    assert "at least 20 are needed" in said
    code, said = await duijie("encoders", "activate", "tuned-20200101-1")
    assert code == 1
    assert "does not hold a whole fine-tuned encoder" in said
    code, said = await duijie("encoders", "activate", "bundled", DUIJIE_MODEL="somewhere")
    assert code == 1
    assert "DUIJIE_MODEL is set to somewhere" in said
    code, said = await duijie("train", "encoder", str(dataset), "--activate", DUIJIE_MODEL="somewhere")
    assert code == 1
    assert "unset it first" in said
    small = tmp_path / "small"
    shutil.copytree(dataset, small)
    (small / "qrels" / "test.tsv").write_text("n00\to00\t3\n", encoding="utf-8")
    code, said = await duijie("train", "encoder", str(small))
    assert code == 1
    assert "at least 20 are needed" in said


async def test_the_way_back_ends_at_the_model_of_the_wheel(pool: Pool, chosen: Settings) -> None:
    async def act(change: Change | None) -> str:
        async with transaction(pool, SYSTEM) as connection:
            if change is None:
                return await encoder_choice.rollback(connection, SYSTEM, chosen)
            await encoder_choice.choose(connection, SYSTEM, chosen, change)
            return change.source

    with pytest.raises(Conflict):
        await act(None)
    with pytest.raises(Conflict):
        await act(Change("bundled", "activate", {}))
    for name in ("one", "two", "bundled", "three"):
        await act(Change(name, "activate", {}))
    assert [await act(None) for _ in range(4)] == ["bundled", "two", "one", "bundled"]
    with pytest.raises(Conflict):
        await act(None)
    async with transaction(pool, SYSTEM) as connection:
        assert await encoder_choice.source_in_use(connection, chosen) == "bundled"
        fixed = chosen.model_copy(update={"model": "mine"})
        assert await encoder_choice.source_in_use(connection, fixed) == "mine"


async def test_decisions_are_read_with_the_texts_that_the_index_holds(
    client: httpx2.AsyncClient, keys: Keys, resources: Resources, pool: Pool
) -> None:
    needs = await publish_toys(client, keys)
    await settled(resources)
    pairs = await matches(client, keys, needs[0])
    answers = [
        {"action": "accept"},
        {"action": "decline", "code": "too_early"},
        {"action": "decline", "code": "duplicate"},
    ]
    for pair, body in zip(pairs, answers, strict=True):
        done = await client.post(
            f"/v1/recommendations/{pair['id']}/decisions", json=body, headers=keys.headers("broker")
        )
        assert done.status_code == 201, done.text
    async with transaction(pool, SYSTEM) as connection:
        texts = await decided_texts(connection)
    assert texts.grades == {needs[0]: {pairs[0]["counterpart"]["id"]: 3, pairs[1]["counterpart"]["id"]: 0}}
    stored = await pool.fetch("select id, passages from match_profile")
    by_id = {str(row["id"]): tuple(row["passages"]) for row in stored}
    for identifier, passages in {**texts.needs, **texts.outcomes}.items():
        assert passages == by_id[identifier]


async def test_training_on_decisions_is_judged_by_auc(
    resources: Resources, pool: Pool, duijie: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def decided(_: object) -> JudgedTexts:
        return toy_market(complete=False)

    monkeypatch.setattr(encoder_training, "decided_texts", decided)
    code, said = await duijie("train", "encoder", "--decisions", "--rate", "0.01", "--epochs", "8")
    assert code == 0, said
    (card,) = tuned.saved(resources.settings.cache)
    assert card.data == "864 decisions on 36 needs"
    found = card.figures["comparison"]["AUC"]
    assert found["candidate"] > found["present"]
    chosen = await pool.fetchval("select source from encoder_choice order by id desc limit 1")
    assert (chosen == card.source) == card.figures["comparison"]["better"]


def test_an_engine_that_failed_is_tried_anew() -> None:
    tries: list[str | None] = []

    def load(source: str | None) -> FakeEncoder:
        tries.append(source)
        if source == "late" and tries.count("late") == 1:
            raise EncoderError("not there yet")
        return FakeEncoder()

    async def run() -> None:
        encoders = Encoders(Settings(), load, "first")
        with pytest.raises(EncoderError):
            await encoders.follow("late")
        assert encoders.source == "first"
        await encoders.follow("late")
        assert encoders.source == "late"
        await encoders.keep_only(set())
        await encoders.close()

    asyncio.run(run())
    assert tries == ["late", "late"]
