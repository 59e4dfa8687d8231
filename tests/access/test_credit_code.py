"""The unified social credit code: its arithmetic, what people type, and the same rule in the database."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.credit_code import ALPHABET, WEIGHTS, check_character, fold, holds
from service.kit.db import Pool
from tests.conftest import Keys

CHARACTERS = st.sampled_from(ALPHABET)
# No division's code begins with 99, so none of these is anybody's.
BODIES = st.builds(
    lambda front, division, rest: front + "99" + division + rest,
    st.text(CHARACTERS, min_size=2, max_size=2),
    st.text(st.sampled_from("0123456789"), min_size=4, max_size=4),
    st.text(CHARACTERS, min_size=9, max_size=9),
)


def test_the_weights_are_powers_of_three_modulo_31() -> None:
    assert WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    assert len(ALPHABET) == 31
    assert not set("IOSVZ") & set(ALPHABET)


def test_a_code_worked_by_hand() -> None:
    # 9·1 + 1·3 + 9·9 + 9·27 = 336 = 10·31 + 26, and 31 − 26 = 5.
    assert check_character("9199" + "0" * 13) == "5"


@given(BODIES)
def test_every_code_with_its_check_character_holds_and_no_other(body: str) -> None:
    right = check_character(body)
    assert [character for character in ALPHABET if holds(body + character)] == [right]


@given(BODIES, st.integers(0, 17), CHARACTERS)
def test_one_mistyped_character_is_found(body: str, place: int, other: str) -> None:
    code = body + check_character(body)
    mistyped = code[:place] + other + code[place + 1 :]
    assert holds(mistyped) == (mistyped == code)


@given(BODIES, st.integers(0, 15))
def test_two_neighbours_that_changed_places_are_found(body: str, place: int) -> None:
    code = body + check_character(body)
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert holds(swapped) == (swapped == code)


@given(BODIES)
def test_full_width_small_and_spaced_codes_are_folded(body: str) -> None:
    code = body + check_character(body)
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code.lower())
    assert fold(f" {wide[:8]} {wide[8:]}") == code


async def test_the_database_has_the_same_rule(pool: Pool) -> None:
    bodies = ["9199" + "0" * 13, "1299001199999999A", "NY990199YYYYYYYYY", "91990000MA0000000"]
    codes = [body + character for body in bodies for character in ALPHABET]
    codes += ["", "9", "9199000000000000", "I1990000000000000", "91A9000000000000K5", "91990000000000000k"]
    rows = await pool.fetch("select code, credit_code_holds(code) as holds from unnest($1::text[]) as code", codes)
    assert {row["code"]: row["holds"] for row in rows} == {code: holds(code) for code in codes}
    assert sum(row["holds"] for row in rows) == len(bodies)


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("919900000000000006", "credit_code_check"),
        ("91990000000000000", "credit_code_form"),
        ("9199000000000000O5", "credit_code_form"),
        ("9199A0000000000005", "credit_code_form"),
        ("", "credit_code_form"),
    ],
)
async def test_a_wrong_code_is_refused_by_field_and_rule(
    client: httpx2.AsyncClient, keys: Keys, code: str, rule: str
) -> None:
    body = {"name": "演示公司", "kind": "enterprise", "credit_code": code}
    answer = await client.post("/v1/organizations", json=body, headers=keys.headers("operator"))
    assert answer.status_code == 422
    assert [(problem["field"], problem["rule"]) for problem in answer.json()["errors"]] == [("credit_code", rule)]


async def test_a_code_is_stored_folded_and_once(client: httpx2.AsyncClient, keys: Keys) -> None:
    body = {"name": "演示公司", "kind": "enterprise", "credit_code": "９１９９ 0000 0000 0000 05"}
    made = await client.post("/v1/organizations", json=body, headers=keys.headers("operator"))
    assert made.json()["credit_code"] == "919900000000000005"
    twin = await client.post("/v1/organizations", json=body, headers=keys.headers("operator"))
    assert twin.status_code == 409
