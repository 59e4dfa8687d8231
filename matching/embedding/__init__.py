"""Texts into vectors. Importing this loads no model and no torch."""

import os
from pathlib import Path
from typing import Literal

from matching.embedding.fake import FakeEncoder
from matching.embedding.protocol import Encoded, Encoder, EncoderError, ModelIdentity, Role, Vector

__all__ = ["Encoded", "Encoder", "EncoderError", "FakeEncoder", "ModelIdentity", "Role", "Vector", "load_encoder"]

BUNDLED = "bundled"


def load_encoder(
    model: str | None,
    cache: Path,
    *,
    dtype: Literal["auto", "float32", "bfloat16"] = "auto",
    threads: int = 0,
) -> Encoder:
    """The encoder of a setting: None or "bundled" for the wheel's model, "fake" for tests, else an id or a folder.

    Takes seconds, and the first time with a model half a minute: it belongs into a thread.

    Raises:
        EncoderError: the model cannot be had; the message says what to do.
    """
    if model == "fake":
        return FakeEncoder()
    # Tokenizers fork helper threads of their own, which gains nothing for single texts and warns after a fork.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from matching.embedding.bundled import NAME, ensure_model
    from matching.embedding.centring import CentredEncoder
    from matching.embedding.sentence import SentenceEncoder

    if model in (None, BUNDLED):
        inner = SentenceEncoder(str(ensure_model(cache)), NAME, dtype=dtype, threads=threads)
    else:
        inner = SentenceEncoder(str(model), dtype=dtype, threads=threads)
    return CentredEncoder(inner, cache)
