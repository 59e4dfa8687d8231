"""The real model, as the tests of embedding rebuild it."""

from tests.matching.embedding.conftest import encoder, model_folder

__all__ = ["encoder", "model_folder"]
