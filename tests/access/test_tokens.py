"""One token, one thing wrong with it: each is refused for that reason and no other. No issuer, no database."""

from base64 import urlsafe_b64encode
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from service.access.tokens import Header, TokenError, read_header, read_keys, verify
from tests.access.issuer import rsa_key

ISSUER = "https://login.example.org"
AUDIENCE = "duijie"
NOW = 1_790_000_000.0
ALGORITHMS = frozenset({"RS256"})
HEADER: dict[str, Any] = {"alg": "RS256", "kid": "one", "typ": "JWT"}
CLAIMS: dict[str, Any] = {"iss": ISSUER, "aud": AUDIENCE, "sub": "s-1", "exp": NOW + 600, "iat": NOW - 5}


def packed(part: object) -> str:
    return urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode()


def unsigned(header: object, claims: object = CLAIMS, signature: str = "c2ln") -> str:
    return f"{packed(header)}.{packed(claims)}.{signature}"


def test_a_good_header_names_its_key() -> None:
    assert read_header(unsigned(HEADER), ALGORITHMS, ISSUER) == Header("RS256", "one")
    assert read_header(unsigned({"alg": "RS256", "kid": "one"}), ALGORITHMS, ISSUER) == Header("RS256", "one")


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (unsigned(HEADER, signature="c" * 16_384), "longer than 16384"),
        (unsigned(HEADER).rpartition(".")[0], "three parts"),
        (unsigned(HEADER) + ".more", "three parts"),
        (unsigned([]), "not readable"),
        (unsigned(HEADER, claims=[]), "not readable"),
        (unsigned(HEADER | {"alg": ["RS256"]}), "the algorithm"),
        (unsigned(HEADER | {"alg": "none"}), "the algorithm"),
        (unsigned(HEADER | {"typ": 5}), "typ"),
        (unsigned(HEADER | {"typ": "dpop+jwt"}), "typ"),
        (unsigned(HEADER | {"crit": ["exp"]}), "extension"),
        (unsigned(HEADER | {"b64": False}), "extension"),
        (unsigned({"alg": "RS256"}), "kid"),
        (unsigned(HEADER | {"kid": 7}), "kid"),
        (unsigned(HEADER | {"kid": ""}), "kid"),
        (unsigned(HEADER, CLAIMS | {"iss": "https://elsewhere.example"}), "another issuer"),
    ],
    ids=lambda value: value if len(value) < 40 else "token",
)  # fmt: skip
def test_a_header_is_refused_for_its_own_reason(token: str, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        read_header(token, ALGORITHMS, ISSUER)


def test_a_key_set_without_a_list_of_keys_is_none() -> None:
    with pytest.raises(TokenError, match="no list of keys"):
        read_keys({"keys": {"kid": "one"}})


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return rsa_key("one")


def verified(key: RSAKey, payload: bytes) -> str:
    token = jws.serialize_compact({"alg": "RS256", "kid": "one"}, payload, key, algorithms=["RS256"])
    login = verify(
        token, Header("RS256", "one"), [key], algorithms=["RS256"], issuer=ISSUER, audience=AUDIENCE, now=NOW
    )
    return login.subject


def test_good_claims_say_who_logged_in(key: RSAKey) -> None:
    assert verified(key, orjson.dumps(CLAIMS)) == "s-1"
    assert verified(key, orjson.dumps(CLAIMS | {"aud": ["other", AUDIENCE], "nbf": NOW})) == "s-1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"iss": "https://elsewhere.example"}, "another issuer"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"exp": NOW - 61}, "expired"),
        ({"exp": None}, "exp is missing"),
        ({"exp": True}, "exp is missing or no number"),
        ({"exp": "tomorrow"}, "exp is missing or no number"),
        ({"nbf": NOW + 61}, "not valid yet"),
        ({"iat": NOW + 61}, "issued in the future"),
        ({"iat": None}, "iat is missing"),
        ({"sub": 7}, "sub"),
        ({"sub": ""}, "sub"),
        ({"sub": "s" * 256}, "sub"),
        ({"sub": "s\n1"}, "sub"),
    ],
)
def test_a_claim_is_refused_for_its_own_reason(key: RSAKey, changed: dict[str, Any], reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        verified(key, orjson.dumps(CLAIMS | changed))


def test_claims_that_are_no_object_or_no_moment_are_refused(key: RSAKey) -> None:
    with pytest.raises(TokenError, match="not an object"):
        verified(key, b"[]")
    endless = orjson.dumps(CLAIMS).replace(str(CLAIMS["exp"]).encode(), b"NaN")
    assert b"NaN" in endless
    with pytest.raises(TokenError, match="exp is missing or no number"):
        verified(key, endless)
