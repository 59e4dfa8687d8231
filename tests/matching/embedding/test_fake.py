"""The fake encoder keeps an encoder's promises, and texts that share words are near."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.embedding import FakeEncoder, load_encoder

VISIBLE = st.text(min_size=1, max_size=40).filter(str.strip)


@given(st.lists(VISIBLE, min_size=1, max_size=5), VISIBLE)
def test_vectors_are_unit_length_and_the_same_in_any_company(passages: list[str], other: str) -> None:
    encoder = FakeEncoder(32)
    (alone,) = encoder.encode([passages], "query")
    _, among = encoder.encode([[other], passages], "query")
    assert alone.passages.shape == (len(passages), 32)
    assert alone.vector.dtype == alone.passages.dtype == np.float32
    assert np.allclose(np.linalg.norm(alone.passages, axis=1), 1, atol=1e-5)
    assert abs(float(np.linalg.norm(alone.vector)) - 1) < 1e-5
    assert np.array_equal(alone.vector, among.vector)


@pytest.mark.parametrize("dimensions", [32, 48, 384])
def test_shared_words_bring_texts_near(dimensions: int) -> None:
    asking, near, far = FakeEncoder(dimensions).encode(
        [["煤化工高盐废水零排放"], ["高盐废水零排放装置"], ["奶牛乳房炎预警"]], "query"
    )
    assert float(asking.vector @ near.vector) > float(asking.vector @ far.vector) + 0.2


def test_the_name_fake_loads_it(tmp_path: Path) -> None:
    encoder = load_encoder("fake", tmp_path)
    assert encoder.identity == FakeEncoder().identity
    assert encoder.identity.checksum != FakeEncoder(32).identity.checksum
    with pytest.raises(ValueError, match="text 1 is empty"):
        encoder.encode([["有字"], ["", "　\n"]], "document")
