"""Cursors survive the way to the caller and back, and nothing else passes for one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ValidationProblem
from service.kit.pages import decode_cursor, encode_cursor


@given(score=st.floats(allow_nan=False, allow_infinity=False), identifier=st.uuids())
def test_cursor_comes_back_as_it_went(score: float, identifier: UUID) -> None:
    assert decode_cursor(encode_cursor(score, str(identifier)), float, UUID) == (score, identifier)


@given(st.text(max_size=60))
def test_anything_else_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValidationProblem) as refused:
        decode_cursor(text, float, UUID)
    assert refused.value.problems[0].field == "cursor"


def test_a_cursor_of_another_list_is_refused() -> None:
    with pytest.raises(ValidationProblem):
        decode_cursor(encode_cursor("01890a5d-ac96-774b-bcce-b302099a8057"), float, UUID)
