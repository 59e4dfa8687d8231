"""Token vectors: pooling of neighbours, four-bit codes that keep directions, and what centring leaves of them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from matching.embedding import Encoder
from matching.embedding.tokens import STEPS, TokenVectors, pack, pooled, unpack
from matching.embedding.vectors import unit

ROWS = arrays(
    np.float32, st.tuples(st.integers(1, 9), st.sampled_from([2, 8, 48])), elements=st.floats(-1, 1, width=16)
)


@given(ROWS)
def test_codes_take_half_a_byte_and_are_off_by_half_a_step_at_most(rows: np.ndarray) -> None:
    packed = pack(rows)
    assert len(packed) == rows.size / 2
    greatest = np.abs(rows).max(axis=1, keepdims=True)
    codes = np.rint(rows / np.where(greatest == 0, 1, greatest) * STEPS)
    assert np.allclose(unpack(packed, len(rows)), unit(codes.astype(np.float32)), atol=1e-6)


@given(ROWS)
def test_packing_again_changes_nothing(rows: np.ndarray) -> None:
    once = unpack(pack(rows), len(rows))
    assert pack(once) == pack(unpack(pack(once), len(rows)))


def test_directions_survive() -> None:
    rows = unit(np.random.default_rng(1).standard_normal((200, 384)).astype(np.float32))
    cosines = (rows * unpack(pack(rows), 200)).sum(axis=1)
    assert cosines.min() > 0.97


def test_an_odd_number_of_dimensions_keeps_its_cosines() -> None:
    rows = unit(np.random.default_rng(1).standard_normal((20, 313)).astype(np.float32))
    stored = unpack(pack(rows), 20)
    even = unpack(pack(np.pad(rows, ((0, 0), (0, 1)))), 20)
    assert np.array_equal(stored, even)
    assert np.allclose(stored @ stored.T, rows @ rows.T, atol=0.1)


def test_pooled_rows_are_half_as_many_and_of_length_one() -> None:
    rows = unit(np.random.default_rng(1).standard_normal((5, 8)).astype(np.float32))
    short = pooled(TokenVectors(rows, np.array([3, 1, 3, 2, 9], dtype=np.int32), np.zeros(5, dtype=np.int32)))
    assert np.allclose(short.vectors, unit(np.stack([rows[0] + rows[1], rows[2] + rows[3], rows[4]])), atol=1e-6)
    assert short.identifiers.tolist() == [1, 2, 3, 9]
    assert not len(short.passages)


def test_the_real_model_gives_needs_a_row_a_token_and_outcomes_one_for_two(encoder: Encoder) -> None:
    text = ["枸杞鲜果快速干燥装备", "单批干燥时间不超过12小时"]
    (need,), (outcome,) = encoder.encode([text], "query"), encoder.encode([text], "document")
    assert need.tokens is not None
    assert outcome.tokens is not None
    assert len(need.tokens.vectors) == len(need.tokens.identifiers) == len(need.tokens.passages)
    assert sorted(set(need.tokens.passages.tolist())) == [0, 1]
    assert len(outcome.tokens.vectors) == (len(need.tokens.vectors) + 1) // 2
    assert np.allclose(np.linalg.norm(need.tokens.vectors, axis=1), 1, atol=1e-5)
