"""A tiny file in the wheel's format, written here number by number, read back and turned into safetensors."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors.numpy import load_file

from matching.embedding import EncoderError, source
from matching.embedding.source import dequantize, read_source, write_safetensors

PIECES = ["<s>", "枸杞", "▁a"]
SCORES = [0.0, -1.5, -2.0]


def quantized(scale: float, nibbles: list[int]) -> bytes:
    """One block: a float16 scale, and 32 nibbles, the first 16 in the low halves."""
    return struct.pack("<e", scale) + bytes(
        low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True)
    )


def tiny(folder: Path) -> Path:
    """A model of hidden size 32 with one quantized matrix of two rows and one plain vector of three numbers."""
    encoded = [piece.encode() for piece in PIECES]
    offsets = [sum(map(len, encoded[:n])) for n in range(len(encoded) + 1)]
    head = b"E5S1" + struct.pack("<i7ifi", 1, 32, 1, 1, 64, 3, 8, 1, 1e-12, 32)
    head += struct.pack("<5iQ", 3, 0, 0, 0, 0, offsets[-1]) + struct.pack("<4I", *offsets)
    head += struct.pack("<3f", *SCORES) + b"".join(encoded) + struct.pack("<iI", 0, 0)
    matrix = quantized(0.5, list(range(16)) * 2) + quantized(2.0, [8] * 31 + [0])
    vector = struct.pack("<3f", 1.0, 2.5, -3.0)
    at = len(head) + 4 + 2 * (2 + 21) + len("l0.q.w") + len("emb.ln.b")
    directory = struct.pack("<i", 2)
    for name, size, raw in (("l0.q.w", 64, matrix), ("emb.ln.b", 3, vector)):
        directory += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, size, at, len(raw))
        at += len(raw)
    file = folder / "tiny.bin"
    file.write_bytes(head + directory + matrix + vector)
    return file


def test_a_file_is_read_as_written(tmp_path: Path) -> None:
    found = read_source(tiny(tmp_path))
    assert (found.shape.hidden, found.shape.feed_forward, found.shape.positions) == (32, 64, 8)
    assert found.pieces == PIECES
    assert found.scores == SCORES
    assert [(tensor.name, tensor.shape) for tensor in found.tensors] == [
        ("encoder.layer.0.attention.self.query.weight", (2, 32)),
        ("embeddings.LayerNorm.bias", (3,)),
    ]


@pytest.mark.parametrize("at_once", [32, 1 << 24])
def test_weights_are_the_same_however_many_are_turned_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(source, "AT_ONCE", at_once)
    write_safetensors(tmp_path / "model.safetensors", read_source(tiny(tmp_path)).tensors)
    found = load_file(tmp_path / "model.safetensors")
    # First row: nibbles 0..15 twice, value (nibble - 8) x 0.5. Second: 8 is zero, and the last, 0, is -8 x 2.
    first = [(nibble - 8) * 0.5 for nibble in range(16)] * 2
    assert found["encoder.layer.0.attention.self.query.weight"].tolist() == [first, [0.0] * 31 + [-16.0]]
    assert found["embeddings.LayerNorm.bias"].tolist() == [1.0, 2.5, -3.0]


@given(arrays(np.uint8, st.integers(1, 6).map(lambda blocks: (blocks, 16))), st.sampled_from([0.25, 1.0, 3.5]))
def test_every_nibble_is_turned_as_the_format_says(packed: np.ndarray, scale: float) -> None:
    blocks = b"".join(struct.pack("<e", scale) + row.tobytes() for row in packed)
    found = dequantize(np.frombuffer(blocks, np.uint8), 32 * len(packed)).tolist()
    assert found == [
        (nibble - 8) * scale for row in packed.tolist() for nibble in [b & 15 for b in row] + [b >> 4 for b in row]
    ]


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(EncoderError, match="not a model file"):
        read_source(tmp_path / "other")
