"""The unified social credit code of an organization (统一社会信用代码, GB 32100-2015) and its check character.

Eighteen characters: registering department (1), category (1), division of registration (6 digits), subject (9), check (1).
"""

import re
import unicodedata
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

# GB 32100-2015, table 2: the letters I, O, S, V and Z are not used, since they are taken for 1, 0, 5, U and 2.
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
MODULUS: Final = 31
WEIGHTS: Final = tuple(pow(3, place, MODULUS) for place in range(17))
_FORM = re.compile(f"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")
_FILLING = re.compile(r"[\s\-‐-―]+")


def fold(code: str) -> str:
    """A code as people type it, brought to its written form: half-width capitals without spaces and hyphens.

    >>> fold(" ９１99 0000-ma00000001 ")
    '91990000MA00000001'
    """
    return _FILLING.sub("", unicodedata.normalize("NFKC", code)).upper()


def check_character(body: str) -> str:
    """The 18th character that belongs to the first 17 (GB 32100-2015, 4.6).

    Each character counts by its place in the alphabet; the check character is that of 31 − (Σ value · weight mod 31),
    where 31 itself becomes 0. With 9 and 1 at the front, weights 1 and 3, and zeros behind: 9·1 + 1·3 = 12 and
    31 − 12 = 19, which is K.

    >>> check_character("91" + "0" * 15)
    'K'
    >>> ALPHABET[19]
    'K'

    Raises:
        ValueError: not 17 characters of the alphabet.
    """
    if len(body) != len(WEIGHTS):
        raise ValueError(f"{len(WEIGHTS)} characters come before the check character")
    total = sum(ALPHABET.index(character) * weight for character, weight in zip(body, WEIGHTS, strict=True))
    return ALPHABET[-total % MODULUS]


def holds(code: str) -> bool:
    """Whether a code in its written form has the right shape and check character.

    >>> holds("91" + "0" * 15 + "K"), holds("91" + "0" * 15 + "L")
    (True, False)
    """
    return _FORM.fullmatch(code) is not None and check_character(code[:-1]) == code[-1]


def _checked(code: str) -> str:
    folded = fold(code)
    if _FORM.fullmatch(folded) is None:
        raise PydanticCustomError("credit_code_form", "must be 18 characters as of GB 32100-2015")
    if not holds(folded):
        raise PydanticCustomError("credit_code_check", "the check character does not fit the code")
    return folded


CreditCode = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_checked),
    Field(
        description="Unified social credit code with its check character (GB 32100-2015) / 统一社会信用代码",
        examples=["91000000000000000K"],
    ),
]
