"""Texts into vectors. Importing this loads no model and no torch."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import Encoded, Encoder, EncoderError, ModelIdentity, Role, SilentTextError, Vector

if TYPE_CHECKING:
    from matching.embedding.sentence import SentenceEncoder

__all__ = [
    "BUNDLED",
    "Encoded",
    "Encoder",
    "EncoderError",
    "FakeEncoder",
    "ModelIdentity",
    "Role",
    "SilentTextError",
    "Vector",
    "load_encoder",
    "load_plain",
]

BUNDLED = "bundled"
PLAIN = "bundled-plain"


def load_encoder(
    model: str | None,
    cache: Path,
    *,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    threads: int = 0,
) -> Encoder:
    """The encoder of a setting: None or "bundled" for the wheel's model, "fake" for tests, "tuned:NAME" for one that was
    fine-tuned here, else an id or a folder.

    Takes seconds, and the first time with a model half a minute: it belongs into a thread.

    Raises:
        EncoderError: the model cannot be had; the message says what to do.
    """
    if model == "fake":
        return FakeEncoder()
    # Tokenizers fork helper threads of their own, which gains nothing for single texts and warns after a fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from matching.embedding.centring import CentredEncoder

    return CentredEncoder(load_plain(model, cache, dtype=dtype, threads=threads), cache)


def load_plain(
    model: str | None, cache: Path, *, dtype: Literal["auto", "float32", "bfloat16"] = "auto", threads: int = 0
) -> "SentenceEncoder":
    """As `load_encoder`, without centring: what is fine-tuned.

    Raises:
        EncoderError: the model cannot be had; the message says what to do.
    """
    from matching.embedding.bundled import NAME, ensure_model
    from matching.embedding.sentence import SentenceEncoder
    from matching.embedding.tuned import SCHEME, folder_of

    if model in (None, BUNDLED, PLAIN):
        folder = ensure_model(cache, adapted=model != PLAIN)
        return SentenceEncoder(str(folder), NAME, dtype=dtype, threads=threads)
    if model.startswith(SCHEME):
        return SentenceEncoder(str(folder_of(model, cache)), model.removeprefix(SCHEME), dtype=dtype, threads=threads)
    return SentenceEncoder(model, dtype=dtype, threads=threads)
