"""The real model, in the number format that this machine runs fastest: nothing here depends on the last bits."""

import pytest

from matching.embedding import Encoder, load_encoder
from tests.matching.embedding.conftest import CACHE


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    """The encoder as the service loads it."""
    return load_encoder(None, CACHE)
