"""Bearer tokens against a real issuer: what is taken, every refusal, its keys changing, and its faults."""

import hmac
import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import ValidationError

from service.access import issuer as issuers
from service.access.issuer import Issuer
from service.access.tokens import Header, TokenError, verify
from service.errors import Unauthenticated, Unavailable
from service.settings import Settings
from tests.access.issuer import AUDIENCE, LocalIssuer, Running, rsa_key


@pytest.fixture(scope="module")
def running() -> Iterator[LocalIssuer]:
    with Running(LocalIssuer()) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def first_key() -> RSAKey:
    return rsa_key("first")


@pytest.fixture
def issuer(running: LocalIssuer, first_key: RSAKey) -> LocalIssuer:
    """The issuer as new: one key, nothing asked, no fault."""
    running.keys = [first_key]
    running.asked.clear()
    running.fault = ""
    return running


@pytest.fixture
def settings(tmp_path: Path, issuer: LocalIssuer) -> Settings:
    return Settings(
        home=tmp_path, model="fake", language="en", oidc_issuer=issuer.address, oidc_audience=AUDIENCE,
        oidc_link_by_email=True,
    )  # fmt: skip


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trusted(settings: Settings, clock: Clock) -> Issuer:
    """The service's side of the issuer."""
    return Issuer(settings, clock)


async def refusal(trusted: Issuer, token: str) -> str:
    """Why a token is refused."""
    with pytest.raises(Unauthenticated) as refused:
        await trusted.login(token)
    assert refused.value.headers["WWW-Authenticate"].endswith('error="invalid_token"')
    assert refused.value.detail is not None
    return refused.value.detail.en


async def test_a_good_token_says_who_it_is(trusted: Issuer, issuer: LocalIssuer) -> None:
    login = await trusted.login(issuer.token(sub="user-1", email="a@example.com", email_verified=True))
    assert (login.issuer, login.subject, login.email) == (issuer.address, "user-1", "a@example.com")
    for unverified in (False, None, "true", 1):
        assert (await trusted.login(issuer.token(email="a@example.com", email_verified=unverified))).email is None
    listed = await trusted.login(issuer.token(aud=["other", AUDIENCE], header={"typ": "at+JWT"}))
    assert listed.subject == "user-1"
    assert issuer.asked == {"discovery": 1, "keys": 1}


async def test_an_elliptic_key_is_taken_with_its_own_curve(trusted: Issuer, issuer: LocalIssuer) -> None:
    issuer.keys.append(ECKey.generate_key("P-256", {"kid": "elliptic"}))
    assert (await trusted.login(issuer.token(issuer.keys[1]))).subject == "user-1"
    # A name of one key and the signature of another.
    assert "signature" in await refusal(trusted, issuer.token(issuer.keys[1], header={"kid": "first"}))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://evil.example.com"}, "iss is another issuer"),
        ({"iss": None}, "iss is another issuer"),
        ({"aud": "https://other.example.com"}, "aud does not name"),
        ({"aud": [AUDIENCE + "/"]}, "aud does not name"),
        ({"aud": None}, "aud does not name"),
        ({"exp": -61}, "expired"),
        ({"exp": None}, "exp is missing"),
        ({"exp": "tomorrow"}, "exp is missing or no number"),
        ({"exp": True}, "exp is missing or no number"),
        ({"nbf": 120}, "not valid yet"),
        ({"nbf": "now"}, "nbf is missing or no number"),
        ({"iat": 120}, "issued in the future"),
        ({"iat": None}, "iat is missing"),
        ({"sub": None}, "sub is missing"),
        ({"sub": ""}, "sub is missing"),
        ({"sub": "x" * 256}, "sub is missing or too long"),
        ({"sub": 7}, "sub is missing"),
    ],
)
async def test_a_wrong_or_missing_claim_is_refused(
    trusted: Issuer, issuer: LocalIssuer, claims: dict[str, Any], reason: str
) -> None:
    # Numbers are seconds from now.
    now = int(time.time())
    moved = {
        name: now + value if isinstance(value, int) and not isinstance(value, bool) and name != "sub" else value
        for name, value in claims.items()
    }
    assert reason in await refusal(trusted, issuer.token(**moved))
    # Tokens of strangers do not make the issuer work.
    assert issuer.asked == ({} if "iss" in claims else {"discovery": 1, "keys": 1})


async def test_clocks_may_differ_by_less_than_a_minute(trusted: Issuer, issuer: LocalIssuer) -> None:
    now = int(time.time())
    assert (await trusted.login(issuer.token(exp=now - 50))).subject == "user-1"
    assert (await trusted.login(issuer.token(nbf=now + 50, iat=now + 50))).subject == "user-1"


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: bytes = b"") -> str:
    parts = (orjson.dumps(header), orjson.dumps(claims), signature)
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def test_tokens_without_a_signature_of_the_issuer_are_refused(trusted: Issuer, issuer: LocalIssuer) -> None:
    now = int(time.time())
    claims = {"iss": issuer.address, "aud": AUDIENCE, "sub": "user-1", "iat": now, "exp": now + 300}
    for algorithm in ("none", "None", "", None, 5, "HS256", "RS1", "PS256"):
        header = {"alg": algorithm, "kid": "first", "typ": "JWT"}
        assert "algorithm" in await refusal(trusted, unsigned(header, claims))
    # The old trick: the public key, which everybody knows, as a shared secret.
    public = issuer.keys[0].as_pem(private=False)
    header = {"alg": "HS256", "kid": "first", "typ": "JWT"}
    signing_input = unsigned(header, claims).rpartition(".")[0]
    tricked = unsigned(header, claims, hmac.digest(public, signing_input.encode(), "sha256"))
    assert "algorithm" in await refusal(trusted, tricked)
    with pytest.raises(TokenError, match="signature"):
        verify(
            tricked, Header("HS256", "first"), [issuer.keys[0]], algorithms=["HS256"], issuer=issuer.address,
            audience=AUDIENCE, now=now,
        )  # fmt: skip
    assert "algorithm" in await refusal(trusted, issuer.token(OctKey.import_key("0" * 32, {"kid": "secret"})))
    good = issuer.token()
    head, body, signature = good.split(".")
    assert "signature" in await refusal(trusted, f"{head}.{body}.")
    forged = body[:-4] + ("AAAA" if body[-4:] != "AAAA" else "BBBB")
    assert await refusal(trusted, f"{head}.{forged}.{signature}")
    assert "signature" in await refusal(trusted, unsigned({"alg": "RS256", "kid": "first"}, claims, b"x" * 256))


async def test_a_key_of_somebody_else_is_not_the_issuers(trusted: Issuer, issuer: LocalIssuer) -> None:
    other = rsa_key("first")
    assert "signature" in await refusal(trusted, issuer.token(other))
    # A token that brings its own key is not believed.
    brought = issuer.token(other, header={"jwk": other.as_dict(private=False)})
    assert "signature" in await refusal(trusted, brought)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"kid": None}, "names no key"),
        ({"kid": "encryption"}, "kid"),
        ({"typ": "dpop+jwt"}, "typ is neither"),
    ],
)
async def test_a_wrong_header_is_refused(
    trusted: Issuer, issuer: LocalIssuer, header: dict[str, Any], reason: str
) -> None:
    assert reason in await refusal(trusted, issuer.token(header=header))


@pytest.mark.parametrize("token", ["x", "a.b", "a.b.c", "....", "e30.e30.e30", "é.é.é", "W10.W10.W10", "x" * 20_000])
async def test_what_is_no_token_is_refused_without_asking_the_issuer(
    trusted: Issuer, issuer: LocalIssuer, token: str
) -> None:
    await refusal(trusted, token)
    assert issuer.asked == {}


async def test_a_key_that_is_too_short_or_of_another_algorithm_is_none(trusted: Issuer, issuer: LocalIssuer) -> None:
    private = generate_private_key(65_537, 1_024).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        issuer.keys.append(RSAKey.import_key(private, {"kid": "short"}))
        issuer.keys.append(RSAKey.import_key(issuer.keys[0].as_pem(private=True), {"kid": "other", "alg": "PS256"}))
        assert "kid" in await refusal(trusted, issuer.token(issuer.keys[1]))
        assert (await trusted.login(issuer.token())).subject == "user-1"
        token = issuer.token(issuer.keys[0], header={"kid": "other"})
        assert "signature" in await refusal(trusted, token)


async def test_critical_extensions_are_refused(trusted: Issuer, issuer: LocalIssuer) -> None:
    header = {"alg": "RS256", "kid": "first", "crit": ["exp"]}
    assert "extension" in await refusal(trusted, unsigned(header, {"iss": issuer.address}))


async def test_new_keys_are_found_and_unknown_ones_ask_once_a_minute(
    trusted: Issuer, issuer: LocalIssuer, clock: Clock
) -> None:
    await trusted.login(issuer.token())
    new = rsa_key("second")
    old = issuer.keys[0]
    issuer.keys = [new]
    # Known keys ask nothing; an unknown one asks when the minute is over, and finds the new key then.
    await trusted.login(issuer.token(old))
    for _ in range(5):
        assert "kid" in await refusal(trusted, issuer.token(new))
    assert issuer.asked["keys"] == 1
    clock.now += 61
    assert (await trusted.login(issuer.token(new))).subject == "user-1"
    assert issuer.asked["keys"] == 2
    # The one that was withdrawn is not believed any more.
    assert "kid" in await refusal(trusted, issuer.token(old))
    for name in range(20):
        await refusal(trusted, issuer.token(header={"kid": f"made-up-{name}"}))
    assert issuer.asked["keys"] == 2


async def test_a_withdrawn_key_is_believed_for_an_hour_at_most(
    trusted: Issuer, issuer: LocalIssuer, clock: Clock
) -> None:
    old = issuer.keys[0]
    await trusted.login(issuer.token())
    issuer.keys = [rsa_key("second")]
    clock.now += 3_601
    assert "kid" in await refusal(trusted, issuer.token(old))


@pytest.mark.parametrize(
    "fault", ["down", "redirect", "other issuer", "unsafe keys", "no address of keys", "oversized", "junk", "slow"]
)
async def test_an_issuer_in_trouble_is_no_reason_to_let_in_or_to_fail(
    trusted: Issuer, issuer: LocalIssuer, clock: Clock, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "FETCH_SECONDS", 0.5 if fault == "slow" else 5.0)
    issuer.fault = fault
    for _ in range(3):
        with pytest.raises(Unavailable):
            await trusted.login(issuer.token())
    assert issuer.asked["discovery"] == 1
    issuer.fault = ""
    clock.now += 11
    monkeypatch.setattr(issuers, "FETCH_SECONDS", 5.0)
    assert (await trusted.login(issuer.token())).subject == "user-1"
    # With keys at hand an outage is not noticed for a day.
    issuer.fault = "down"
    clock.now += 23 * 3_600
    assert (await trusted.login(issuer.token())).subject == "user-1"
    clock.now += 2 * 3_600
    with pytest.raises(Unavailable):
        await trusted.login(issuer.token())


async def test_an_issuer_behind_tls_does_not_send_for_its_keys_without(
    settings: Settings, issuer: LocalIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, asked = "https://login.example.com", []

    async def document(at: str) -> dict[str, Any]:
        asked.append(at)
        return {"issuer": address, "jwks_uri": f"{issuer.address}/jwks"}

    monkeypatch.setattr(issuers, "_document", document)
    with pytest.raises(Unavailable):
        await Issuer(settings.model_copy(update={"oidc_issuer": address})).login(issuer.token(iss=address))
    assert asked == [f"{address}/.well-known/openid-configuration"]


def test_settings_that_would_open_the_door_are_refused(tmp_path: Path) -> None:
    good = {"oidc_issuer": "https://login.example.com", "oidc_audience": AUDIENCE}
    Settings(home=tmp_path, **good)
    for wrong in (
        {"oidc_issuer": "http://login.example.com"},
        {"oidc_issuer": "https://login.example.com/?a=b"},
        {"oidc_issuer": "ftp://127.0.0.1"},
        {"oidc_audience": None},
        {"oidc_issuer": None},
        {"oidc_algorithms": "RS256,none"},
        {"oidc_algorithms": "HS256"},
        {"oidc_algorithms": " "},
    ):
        with pytest.raises(ValidationError):
            Settings(home=tmp_path, **{**good, **wrong})
