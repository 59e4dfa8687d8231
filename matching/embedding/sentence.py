"""Any sentence-transformers model as an `Encoder`, with passage vectors from the same pass as the text's."""

import hashlib
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from matching.embedding.protocol import (
    Encoded,
    EncoderError,
    ModelIdentity,
    Role,
    SilentTextError,
    Vector,
    check_texts,
    unit,
)
from matching.embedding.tokens import TokenVectors
from matching.embedding.windows import Window, windows

Dtype = Literal["auto", "float32", "bfloat16"]
PROBE_TEXT = "枸杞鲜果低温快速脱水与色泽保持技术，干燥时间不超过12小时，含水率不高于13%。"
PROBE_ROUNDS = 3
# bfloat16 changes vectors in the third decimal; it must be worth that.
WORTHWHILE = 1.15


class SentenceEncoder:
    """Late chunking (Günther et al. 2024, arXiv:2409.04701) over a sentence-transformers model.

    A text's passages go through the model in one pass, so that each passage vector, the mean over its tokens, knows the
    whole text. A text longer than the model takes is cut into windows at passage boundaries: every token is read.
    The token vectors are the model's last states as they are; whoever compares them takes out what all have in common.

    Each text runs through the model alone. On a CPU padding a batch gains nothing, and only so does a text have the
    same vector whatever else is being encoded: equal input gives equal ranking.
    """

    def __init__(self, model: str, name: str | None = None, *, dtype: Dtype = "auto", threads: int = 0) -> None:
        if threads:
            torch.set_num_threads(threads)
        self._model = _load(model)
        self._tokenizer: Any = self._model.tokenizer
        self._transformer: Any = self._model[0]
        self._prefix, self._suffix = self._ends()
        self._prompts = _prompts(self._model, model)
        self._room = min(self._model.max_seq_length or 512, 8192) - len(self._prefix) - len(self._suffix)
        # Before the number format is chosen: which one is faster here does not make another model of it.
        checksum = _checksum(self._model, self._prompts)
        self.dtype = self._choose_dtype(dtype)
        dimensions = int(self._encode_one([PROBE_TEXT], "query").vector.shape[0])
        self.identity = ModelIdentity(name or model, checksum, dimensions)

    def encode(self, texts: Sequence[Sequence[str]], role: Role) -> list[Encoded]:
        """Vectors of every text, in order."""
        check_texts(texts)
        return [self._encode_one(passages, role) for passages in texts]

    def count_tokens(self, texts: Sequence[Sequence[str]]) -> int:
        """Tokens of all texts, without the model's own marks."""
        return sum(len(tokens) for passages in texts for tokens in self._tokens(passages))

    @property
    def model(self) -> SentenceTransformer:
        """The model underneath, for training it further."""
        return self._model

    @property
    def prompts(self) -> dict[Role, str]:
        """What is put before a text, by its role; empty for a model that takes none."""
        return dict(self._prompts)

    def rename(self, name: str) -> None:
        """Give a model whose weights were trained further a name and checksum of its own."""
        self.identity = ModelIdentity(name, _checksum(self._model, self._prompts), self.identity.dimensions)

    def first_tokens(self, passages: Sequence[str], role: Role, most: int) -> list[int]:
        """What the model is given for the text's first window, at most `most` tokens with prompt and marks."""
        prompt = self._tokens([self._prompts[role]])[0] if self._prompts[role] else []
        room = min(self._room, most - len(self._prefix) - len(self._suffix)) - len(prompt)
        tokens = [token for of_passage in self._tokens(passages) for token in of_passage][:room]
        return [*self._prefix, *prompt, *tokens, *self._suffix]

    def _encode_one(self, passages: Sequence[str], role: Role) -> Encoded:
        prompt = self._tokens([self._prompts[role]])[0] if self._prompts[role] else []
        cut = windows(self._tokens(passages), self._room - len(prompt))
        if not cut:
            raise SilentTextError("the text has no token that the model knows")
        runs = [self._run(window, prompt) for window in cut]
        whole = unit(np.sum([vector * len(states) for vector, states in runs], axis=0))
        states = np.concatenate([states for _, states in runs])
        places = np.concatenate([_passages(window) for window in cut])
        sums = np.zeros((len(passages), states.shape[1]), dtype=np.float32)
        np.add.at(sums, places, states)
        tokens = np.array([token for window in cut for token in window.tokens], dtype=np.int32)
        return Encoded(whole, self._finish(sums, whole), TokenVectors(states, tokens, places))

    def _finish(self, sums: Vector, whole: Vector) -> Vector:
        """Passage vectors through what the model does after pooling; a passage without tokens gets the text's vector."""
        features: Any = {"sentence_embedding": torch.from_numpy(unit(sums))}
        with torch.inference_mode():
            for module in list(self._model)[2:]:
                features = module(features)
        vectors: Vector = features["sentence_embedding"].float().numpy()
        silent = np.linalg.norm(sums, axis=1) == 0
        vectors = unit(vectors)
        vectors[silent] = whole
        return vectors

    def _run(self, window: Window, prompt: list[int]) -> tuple[Vector, Vector]:
        """The window's vector, and the states of its own tokens, shape (tokens, hidden)."""
        tokens = [*self._prefix, *prompt, *window.tokens, *self._suffix]
        features: Any = {
            "input_ids": torch.tensor([tokens]),
            "attention_mask": torch.ones((1, len(tokens)), dtype=torch.long),
        }
        with torch.inference_mode():
            features = self._transformer(features)
            features["token_embeddings"] = features["token_embeddings"].float()
            first = len(self._prefix) + len(prompt)
            states: Vector = features["token_embeddings"][0, first : first + len(window.tokens)].numpy()
            for module in list(self._model)[1:]:
                features = module(features)
        vector: Vector = features["sentence_embedding"][0].float().numpy()
        return vector, states

    def _tokens(self, passages: Sequence[str]) -> list[list[int]]:
        encoded = self._tokenizer(list(passages), add_special_tokens=False, return_attention_mask=False, verbose=False)
        return [list(ids) for ids in encoded["input_ids"]]

    def _ends(self) -> tuple[list[int], list[int]]:
        """The marks that the model's tokenizer puts before and after a text."""
        bare = self._tokens(["a"])[0]
        marked = list(self._tokenizer("a", return_attention_mask=False)["input_ids"])
        for start in range(len(marked) - len(bare) + 1):
            if marked[start : start + len(bare)] == bare:
                return marked[:start], marked[start + len(bare) :]
        raise EncoderError("the model's tokenizer does not keep a text's tokens together")

    def _choose_dtype(self, wanted: Dtype) -> str:
        """bfloat16 where the processor gains by it, measured here and now on a short text; float32 elsewhere."""
        if wanted == "float32":
            return "float32"
        if wanted == "bfloat16":
            self._transformer.to(torch.bfloat16)
            return "bfloat16"
        if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
            return "float32"
        plain = self._time()
        self._transformer.to(torch.bfloat16)
        if plain > self._time() * WORTHWHILE:
            return "bfloat16"
        self._transformer.to(torch.float32)
        return "float32"

    def _time(self) -> float:
        """Seconds of the fastest of a few passes over a text of about 200 tokens."""
        window = Window()
        window.add(0, (self._tokens([PROBE_TEXT])[0] * 8)[: self._room])
        best = float("inf")
        for _ in range(PROBE_ROUNDS):
            begun = time.perf_counter()
            self._run(window, [])
            best = min(best, time.perf_counter() - begun)
        return best


def _passages(window: Window) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    """The passage of each token of a window."""
    return np.repeat(
        np.array([span.passage for span in window.spans], dtype=np.int32),
        [span.end - span.start for span in window.spans],
    )


def _load(model: str) -> SentenceTransformer:
    # The load report of missing pooler weights and the progress bars are noise: mean pooling uses no pooler.
    transformers_logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    logging.getLogger("sentence_transformers").setLevel(logging.WARNING)
    try:
        return SentenceTransformer(model, device="cpu", local_files_only=Path(model).exists())
    except Exception as error:
        raise EncoderError(
            f"the model {model} cannot be loaded ({str(error).splitlines()[0] if str(error) else type(error).__name__}). "
            "Set DUIJIE_MODEL to a folder that sentence-transformers saved, or unset it for the model of the wheel; "
            "a model id needs the hub or its cache."
        ) from error


def _prompts(model: SentenceTransformer, name: str) -> dict[Role, str]:
    known = {key: value for key, value in (model.prompts or {}).items() if value}
    e5 = "e5" in Path(name).name.lower()
    query = known.get("query", "query: " if e5 and not known else "")
    document = known.get("document") or known.get("passage") or ("passage: " if e5 and not known else "")
    return {"query": query, "document": document}


def _checksum(model: SentenceTransformer, prompts: dict[Role, str]) -> str:
    """SHA-256 over every weight and the prompts: two models with the same one give the same vectors.

    In bfloat16 they agree with those in float32 to a cosine of 0.9999, far nearer than any two texts.
    """
    digest = hashlib.sha256(repr(sorted(prompts.items())).encode())
    for name, tensor in sorted(model.state_dict().items()):
        # Weights that no file holds are drawn at random at each load, and used by nothing.
        if "pooler" not in name:
            digest.update(name.encode())
            digest.update(tensor.to(torch.float32).contiguous().numpy().tobytes())
    return digest.hexdigest()
