"""The header's value: the draft's quoted string, or the same without quotes."""

from hypothesis import given
from hypothesis import strategies as st

from service.errors import ValidationProblem
from service.kit.idempotency import MOST_CHARACTERS, parse

VISIBLE = st.text(alphabet=[chr(code) for code in range(0x20, 0x7F)], min_size=1, max_size=MOST_CHARACTERS)


@given(VISIBLE.filter(str.strip))
def test_what_is_quoted_comes_back(key: str) -> None:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    assert parse(f'"{escaped}"') == key
    assert parse(f' "{escaped}" ') == key


@given(st.text(max_size=400))
def test_any_value_is_a_key_or_refused(value: str) -> None:
    try:
        key = parse(value)
    except ValidationProblem as error:
        found = error.problems
        key = ""
    else:
        found = ()
    assert [problem.field for problem in found] == ([] if key else ["Idempotency-Key"])
    assert len(key) <= MOST_CHARACTERS
    assert all(0x20 <= ord(character) < 0x7F for character in key)
