"""The number format is decided once for a machine, and says which vectors are the same."""

import json
from pathlib import Path

import numpy as np
import pytest

from matching.embedding import load_encoder, precision
from matching.embedding.sentence import SentenceEncoder

TEXT = ["高盐废水零排放", "吨水电耗不超过15千瓦时。"]


@pytest.fixture
def speedups(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the next measurements find; the list empties as they are made."""
    found: list[float] = []
    monkeypatch.setattr(precision, "has_bfloat16", lambda: True)
    monkeypatch.setattr(precision, "bfloat16_speedup", lambda: found.pop(0))
    return found


def test_the_first_answer_stays(tmp_path: Path, speedups: list[float]) -> None:
    speedups += [2.0, 0.5]
    assert precision.choose_dtype(tmp_path) == "bfloat16"
    assert precision.choose_dtype(tmp_path) == "bfloat16"
    assert speedups == [0.5]


def test_a_small_gain_is_not_worth_other_vectors(tmp_path: Path, speedups: list[float]) -> None:
    speedups += [1.1]
    assert precision.choose_dtype(tmp_path) == "float32"
    assert json.loads((tmp_path / "dtype.json").read_text())["speedup"] == 1.1


def test_another_machine_or_a_damaged_file_asks_anew(
    tmp_path: Path, speedups: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    speedups += [2.0, 0.5, 2.0]
    assert precision.choose_dtype(tmp_path) == "bfloat16"
    monkeypatch.setattr(precision, "_machine", lambda: "another")
    assert precision.choose_dtype(tmp_path) == "float32"
    (tmp_path / "dtype.json").write_text('{"machine": "another", "dtype": "int8", "speedup": 9}')
    assert precision.choose_dtype(tmp_path) == "bfloat16"


def test_a_processor_without_bfloat16_is_not_measured(
    tmp_path: Path, speedups: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "has_bfloat16", lambda: False)
    assert precision.choose_dtype(tmp_path) == "float32"


def test_the_measurement_measures() -> None:
    assert 0.01 < precision.bfloat16_speedup(rounds=1) < 100


def test_bfloat16_is_another_model_with_nearly_the_same_vectors(plain: SentenceEncoder, model_folder: Path) -> None:
    short = SentenceEncoder(str(model_folder), dtype="bfloat16")
    assert short.identity.checksum != plain.identity.checksum
    (ours,), (theirs,) = short.encode([TEXT], "query"), plain.encode([TEXT], "query")
    assert ours.vector.dtype == np.float32
    assert abs(float(np.linalg.norm(ours.vector)) - 1) < 1e-5
    assert float(ours.vector @ theirs.vector) > 0.995


def test_auto_gives_the_vectors_of_the_format_that_it_chose(model_folder: Path, speedups: list[float]) -> None:
    """Weights that were once rounded to bfloat16 stay rounded: a probe must not touch the model that serves."""
    cache = model_folder.parent
    (cache / "dtype.json").unlink(missing_ok=True)
    speedups += [0.5]
    auto, plain = load_encoder(None, cache), load_encoder(None, cache, dtype="float32")
    (cache / "dtype.json").unlink()
    assert auto.identity == plain.identity
    (ours,), (theirs,) = auto.encode([TEXT], "document"), plain.encode([TEXT], "document")
    assert np.array_equal(ours.vector, theirs.vector)
    assert np.array_equal(ours.passages, theirs.passages)
