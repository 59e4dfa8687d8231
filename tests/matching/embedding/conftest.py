"""The real model, rebuilt once and kept in a folder that git ignores."""

import os
from pathlib import Path

import pytest

from matching.embedding import Encoder, load_encoder
from matching.embedding.bundled import ensure_model
from matching.embedding.sentence import SentenceEncoder

CACHE = Path(os.environ.get("DUIJIE_TEST_CACHE", Path(__file__).resolve().parents[3] / ".cache" / "models"))


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The folder of the rebuilt model."""
    return ensure_model(CACHE)


@pytest.fixture(scope="session")
def plain(model_folder: Path) -> SentenceEncoder:
    """The model without centring, in float32."""
    return SentenceEncoder(str(model_folder), dtype="float32")


@pytest.fixture(scope="session")
def encoder(model_folder: Path) -> Encoder:
    """The encoder as the service loads it."""
    return load_encoder(None, CACHE, dtype="float32")
