"""Fine-tuning on a tiny model: it learns, it stops, and what it leaves is a model or nothing."""

import json
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from matching.embedding import EncoderError, load_plain, tuned
from matching.embedding.sentence import SentenceEncoder
from matching.embedding.tuned import Card
from matching.evaluation import DatasetError
from matching.learning import encoder as encoder_module
from matching.learning.encoder import Recipe, Tuned, fine_tune, watch
from matching.learning.encoder_batches import Pairs, batches, pairs_of
from matching.learning.encoder_compare import compare_decisions
from matching.learning.encoder_data import LEAST_NEEDS, JudgedTexts, sample_of_outcomes, split
from matching.learning.encoder_terms import read_terms
from tests.matching.learning.tiny import build_model, toy_market

QUICK = Recipe(rate=0.01, scale=20.0, epochs=6, patience=5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def market() -> JudgedTexts:
    return toy_market()


def opened(folder: Path) -> SentenceEncoder:
    return SentenceEncoder(str(folder), dtype="float32", threads=1)


@pytest.fixture(scope="module")
def trained(folder: Path, market: JudgedTexts) -> Tuned:
    return fine_tune(opened(folder), market, split(market, 1), QUICK)


def card(name: str = "tuned-20260101-1") -> Card:
    return Card(name, "tiny", "0" * 64, "a toy market", "2026-01-01T00:00:00+00:00", {"watched": [0.1, 0.2]})


def test_it_learns_that_needs_and_outcomes_use_different_words(
    folder: Path, market: JudgedTexts, trained: Tuned
) -> None:
    assert trained.has_learned
    assert max(trained.watched) == trained.watched[trained.kept]
    needs, outcomes = split(market, 1).compare, sorted(market.outcomes)
    before, after = (watch(encoder, market, needs, outcomes) for encoder in (opened(folder), trained.encoder))
    assert after > before + 0.1


def test_only_thin_matrices_are_trained(trained: Tuned, folder: Path) -> None:
    # Two layers, each with query, key, value and output, each two matrices of rank 8 over 32 dimensions.
    assert sum(matrix.size for matrix in trained.adapter.values()) == 2 * 4 * 2 * 8 * 32
    before, after = opened(folder).model.state_dict(), trained.encoder.model.state_dict()
    assert list(before) == list(after)
    changed = {name for name in before if not before[name].equal(after[name])}
    assert changed
    assert all("attention" in name and name.endswith("weight") and "LayerNorm" not in name for name in changed)


def test_the_same_seed_trains_the_same_model(folder: Path, market: JudgedTexts) -> None:
    recipe = replace(QUICK, epochs=1)
    first, again = (fine_tune(opened(folder), market, split(market, 1), recipe) for _ in range(2))
    assert first.losses == again.losses
    assert all((first.adapter[name] == again.adapter[name]).all() for name in first.adapter)


def test_it_stops_early_and_keeps_what_was_best(
    folder: Path, market: JudgedTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([0.5, 0.6, 0.4, 0.4, 0.9])
    monkeypatch.setattr(encoder_module, "_watched", lambda *_: next(figures))
    result = fine_tune(opened(folder), market, split(market, 1), replace(QUICK, epochs=20, patience=1))
    assert result.watched == (0.5, 0.6, 0.4, 0.4)
    assert result.kept == 1


def test_where_no_epoch_gains_the_weights_are_what_they_were(
    folder: Path, market: JudgedTexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder_module, "_watched", lambda *_: 0.5)
    result = fine_tune(opened(folder), market, split(market, 1), replace(QUICK, epochs=2, patience=0))
    assert not result.has_learned
    result.encoder.rename("same")
    assert result.encoder.identity.checksum == opened(folder).identity.checksum


def test_progress_is_told_step_by_step(folder: Path, market: JudgedTexts) -> None:
    steps: list[tuple[int, int]] = []
    losses: list[float] = []

    def progress(step: int, total: int, loss: float) -> None:
        steps.append((step, total))
        losses.append(loss)

    result = fine_tune(opened(folder), market, split(market, 1), replace(QUICK, epochs=1), progress=progress)
    assert [step for step, _ in steps] == list(range(1, len(steps) + 1))
    assert np.mean(losses) == pytest.approx(result.losses[0])


def test_a_saved_folder_is_a_model_of_its_own(trained: Tuned, folder: Path, tmp_path: Path) -> None:
    trained.encoder.rename("tuned-20260101-1")
    saved = tuned.save(trained.encoder, card(), tmp_path)
    loaded = load_plain("tuned:tuned-20260101-1", tmp_path, dtype="float32")
    assert loaded.identity == trained.encoder.identity
    assert loaded.identity.checksum != opened(folder).identity.checksum
    assert loaded.prompts == {"query": "query: ", "document": "passage: "}
    texts = [("ask1", "ask2"), ("give3",)]
    ours, theirs = (each.encode(texts, "query") for each in (trained.encoder, loaded))
    assert all(np.allclose(one.vector, other.vector, atol=1e-6) for one, other in zip(ours, theirs, strict=True))
    assert tuned.read_card(saved) == card()
    assert [each.source for each in tuned.saved(tmp_path)] == ["tuned:tuned-20260101-1"]
    assert tuned.next_name(tmp_path, "20260101") == "tuned-20260101-2"
    assert "a toy market" in (saved / "README.md").read_text(encoding="utf-8")
    with pytest.raises(EncoderError, match="there already"):
        tuned.save(trained.encoder, card(), tmp_path)


def test_prompts_that_the_old_name_implied_are_kept(tmp_path: Path) -> None:
    bare = build_model(tmp_path / "bare", prompts=False)
    named = bare.rename(tmp_path / "some-e5-model")
    encoder = opened(named)
    assert encoder.prompts["query"] == "query: "
    tuned.save(encoder, card(), tmp_path)
    assert load_plain("tuned:tuned-20260101-1", tmp_path, dtype="float32").prompts == encoder.prompts


def test_a_folder_in_part_is_no_model(trained: Tuned, tmp_path: Path) -> None:
    saved = tuned.save(trained.encoder, card(), tmp_path)
    weights = saved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    assert tuned.saved(tmp_path) == []
    with pytest.raises(EncoderError, match="safetensors has changed"):
        load_plain("tuned:tuned-20260101-1", tmp_path)
    (saved / tuned.CARD).unlink()
    with pytest.raises(EncoderError, match="whole fine-tuned encoder"):
        load_plain("tuned:tuned-20260101-1", tmp_path)
    with pytest.raises(EncoderError, match="names no fine-tuned encoder"):
        load_plain("tuned:../elsewhere", tmp_path)


def test_a_write_that_fails_leaves_nothing(trained: Tuned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(tuned, "_flush", full)
    with pytest.raises(OSError, match="no space"):
        tuned.save(trained.encoder, card(), tmp_path)
    assert list(tuned.root(tmp_path).iterdir()) == []


def test_a_process_killed_while_writing_leaves_no_model(folder: Path, tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from matching.embedding import tuned
        from matching.embedding.sentence import SentenceEncoder
        from tests.matching.learning.test_encoder import card
        def kill(path):
            os.kill(os.getpid(), signal.SIGKILL)
        tuned._flush = kill
        with tuned.training_lock(Path({str(tmp_path)!r})):
            tuned.save(SentenceEncoder({str(folder)!r}, dtype="float32"), card(), Path({str(tmp_path)!r}))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    root = tuned.root(tmp_path)
    assert [path.name for path in root.iterdir() if path.name.startswith(tuned.BUILDING)]
    assert tuned.saved(tmp_path) == []
    with tuned.training_lock(tmp_path):
        assert [path.name for path in root.iterdir() if path.is_dir()] == []
        with pytest.raises(EncoderError, match="another process is training"), tuned.training_lock(tmp_path):
            pass


def test_interrupted_training_leaves_the_model_loadable_and_nothing_else(folder: Path, market: JudgedTexts) -> None:
    def interrupt(step: int, total: int, loss: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fine_tune(opened(folder), market, split(market, 1), QUICK, progress=interrupt)


def test_needs_are_dealt_into_three_parts_that_share_none(market: JudgedTexts) -> None:
    parts = split(market, 7)
    everything = (*parts.learn, *parts.watch, *parts.compare)
    assert sorted(everything) == sorted(market.needs)
    assert [len(part) for part in (parts.learn, parts.watch, parts.compare)] == [20, 5, 11]
    assert split(market, 7) == parts
    assert split(market, 8) != parts


def test_too_few_needs_are_refused() -> None:
    few = toy_market(needs=LEAST_NEEDS - 1)
    with pytest.raises(DatasetError, match=f"at least {LEAST_NEEDS}"):
        split(few, 1)


def test_no_row_of_a_batch_disturbs_another(market: JudgedTexts) -> None:
    needs = split(market, 1).learn
    outcomes = sample_of_outcomes(market, 100, 1)
    similarities = np.random.default_rng(1).normal(size=(len(needs), len(outcomes))).astype(np.float32)
    pairs = pairs_of(market, needs, outcomes, similarities)
    seen: list[tuple[str, str]] = []
    for rows in batches(pairs, 8, np.random.default_rng(2)):
        shown = [row.fits for row in rows] + [row.does_not for row in rows if row.does_not]
        assert len(set(shown)) == len(shown)
        for row in rows:
            fitting = {outcome for outcome in shown if market.grades[row.need].get(outcome, 0) >= 2}
            assert fitting == {row.fits}
        seen += [(row.need, row.fits) for row in rows]
    assert sorted(seen) == sorted(pairs.fitting)


def test_hard_negatives_are_judged_ones_first_and_then_what_ranks_high(market: JudgedTexts) -> None:
    texts = replace(market, grades={"n00": {"o00": 3, "o05": 0, "o04": 1}})
    outcomes = tuple(f"o{number:02}" for number in range(24))
    falling = np.arange(24, 0, -1, dtype=np.float32)[None, :]
    whole = pairs_of(texts, ["n00"], outcomes, falling).hard["n00"]
    assert whole[:2] == ("o04", "o05")
    # Ten of those that nobody judged stand before the first that is taken: o01 to o03 and o06 to o12.
    assert whole[2:] == tuple(f"o{number}" for number in range(13, 24))
    decided = pairs_of(replace(texts, is_complete=False), ["n00"], outcomes, falling)
    assert decided.hard["n00"] == ("o04", "o05")


def test_a_lone_pair_without_a_negative_teaches_nothing() -> None:
    pairs = Pairs((("n", "o"),), {"n": ()}, {"n": frozenset({"o"})})
    assert list(batches(pairs, 4, np.random.default_rng(1))) == []


def test_decisions_are_compared_by_auc(folder: Path, trained: Tuned) -> None:
    decided = toy_market(complete=False)
    parts = split(decided, 1)
    same = compare_decisions(opened(folder), opened(folder), decided, parts.compare)
    assert (same.deciding.gain.mean, same.is_better) == (0.0, False)
    found = compare_decisions(opened(folder), trained.encoder, decided, parts.compare)
    assert found.deciding.candidate > found.deciding.present
    assert json.dumps(found.as_json())


def test_terms_draw_languages_together(tmp_path: Path) -> None:
    lines = ["zh\ten\tar", *(f"词{number}\tword{number}|term{number}\tكلمة{number}" for number in range(150)), "无\t\t"]
    file = tmp_path / "terms.tsv"
    file.write_text("\n".join(lines), encoding="utf-8")
    terms = read_terms(file)
    assert len(terms.entries) == 150
    drawn = terms.draw(6, np.random.default_rng(1))
    numbers = [[word.strip("词") for word in each.main.split("、")] for each in drawn]
    assert all(
        [int("".join(filter(str.isdigit, word))) for word in each.other.replace("،", ",").split(",")]
        == [int(number) for number in of_main]
        for each, of_main in zip(drawn, numbers, strict=True)
    )
    flat = [number for of_text in numbers for number in of_text]
    assert len(set(flat)) == len(flat)
    file.write_text("a\tb\n1\t2\n", encoding="utf-8")
    with pytest.raises(DatasetError, match="columns zh, en and ar"):
        read_terms(file)


def test_training_with_terms_adds_their_loss(folder: Path, market: JudgedTexts, tmp_path: Path) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    rows = [f"甲{letters[n % 26]}\task{n % 12}\tgive{n % 12}" for n in range(120)]
    file = tmp_path / "terms.tsv"
    file.write_text("\n".join(["zh\ten\tar", *rows]), encoding="utf-8")
    recipe = replace(QUICK, epochs=1)
    plain = fine_tune(opened(folder), market, split(market, 1), recipe)
    with_terms = fine_tune(opened(folder), market, split(market, 1), recipe, read_terms(file))
    assert with_terms.losses[0] > plain.losses[0]
