"""Bearer tokens of an OpenID Connect issuer: signature and claims of one token against given keys. No I/O.

RFC 7519 (JWT) with the practices of RFC 8725: algorithms pinned, keys chosen by the service and never by the token, every
claim that is relied on checked.
"""

import binascii
import json
import math
from base64 import urlsafe_b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

Key = RSAKey | ECKey
LONGEST_TOKEN: Final = 16_384
LONGEST_SUBJECT: Final = 255
CLOCK_SKEW_SECONDS: Final = 60
LEAST_RSA_BITS: Final = 2_048
# RFC 8725, 3.11: a token of another kind is not taken for this one. Access tokens (RFC 9068) and plain JWTs are.
TYPES: Final = frozenset({"jwt", "at+jwt"})
CURVES: Final = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


class TokenError(Exception):
    """A token that is not taken. The reason is for the caller; it quotes nothing of the token but names."""


@dataclass(frozen=True, slots=True)
class Login:
    """What a good token says: who logged in where, and the e-mail where the issuer has verified it."""

    issuer: str
    subject: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Header:
    """What of a token's header chooses the key."""

    algorithm: str
    key_id: str


def read_header(token: str, algorithms: Collection[str], issuer: str) -> Header:
    """The header of a token that is worth looking for a key: nothing in it is trusted yet.

    Raises:
        TokenError: too long, not a signed token, another algorithm, kind or issuer, or no key id.
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenError(f"longer than {LONGEST_TOKEN} characters")
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("not a signed token of three parts")
    header, claims = _object(parts[0]), _object(parts[1])
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise TokenError(f"the algorithm is not one of {', '.join(sorted(algorithms))}")
    if not isinstance(kind, str) or kind.lower().removeprefix("application/") not in TYPES:
        raise TokenError("typ is neither JWT nor at+jwt")
    if "crit" in header or "b64" in header:
        raise TokenError("its header asks for an extension that is not known here")
    if not isinstance(key_id, str) or not key_id:
        raise TokenError("it names no key (kid)")
    # Before any key is fetched: strangers' tokens cost the issuer nothing.
    if claims.get("iss") != issuer:
        raise TokenError("iss is another issuer")
    return Header(algorithm, key_id)


def _object(part: str) -> dict[str, Any]:
    try:
        decoded = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise TokenError("not readable") from error
    if not isinstance(decoded, dict):
        raise TokenError("not readable")
    return decoded


def read_keys(document: Mapping[str, Any]) -> dict[str, list[Key]]:
    """The signature keys of a key set (RFC 7517, 5) by their id; what is not one of them is left out.

    Raises:
        TokenError: not a key set.
    """
    entries = document.get("keys")
    if not isinstance(entries, list):
        raise TokenError("the key set has no list of keys")
    found: dict[str, list[Key]] = {}
    for entry in entries:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or not isinstance(entry.get("kid"), str):
            continue
        key = _key(entry)
        if key is not None:
            found.setdefault(entry["kid"], []).append(key)
    return found


def _key(entry: dict[str, Any]) -> Key | None:
    # Public parts alone: a key set that publishes private ones is not made worse here. Shared secrets (oct) are no keys.
    try:
        if entry.get("kty") == "RSA":
            rsa = RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e", "kid", "alg") if name in entry})
            return rsa if rsa.public_key.key_size >= LEAST_RSA_BITS else None
        if entry.get("kty") == "EC":
            return ECKey.import_key(
                {name: entry[name] for name in ("kty", "crv", "x", "y", "kid", "alg") if name in entry}
            )
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def verify(
    token: str,
    header: Header,
    keys: Collection[Key],
    *,
    algorithms: Collection[str],
    issuer: str,
    audience: str,
    now: float,
) -> Login:
    """Who a token says is logged in, at `now` (seconds since 1970-01-01 UTC).

    Raises:
        TokenError: the signature is not of one of the keys, or a claim is missing or wrong.
    """
    registry = jws.JWSRegistry(algorithms=list(algorithms), strict_check_header=False)
    registry.max_header_length = LONGEST_TOKEN
    for key in keys:
        if not _fits(key, header.algorithm):
            continue
        try:
            signed = jws.deserialize_compact(token, key, algorithms=list(algorithms), registry=registry)
        except (JoseError, ValueError, TypeError):
            continue
        return _login(_claims(signed.payload), issuer, audience, now)
    raise TokenError("the signature is not of one of the issuer's keys")


def _fits(key: Key, algorithm: str) -> bool:
    # RFC 8725, 3.1: a key is used with its own algorithm only.
    declared = key.as_dict(private=False).get("alg")
    if declared is not None and declared != algorithm:
        return False
    if isinstance(key, RSAKey):
        return algorithm.startswith(("RS", "PS"))
    return CURVES.get(algorithm) == key.curve_name


def _claims(payload: bytes) -> dict[str, Any]:
    try:
        claims = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise TokenError("its claims are not JSON") from error
    if not isinstance(claims, dict):
        raise TokenError("its claims are not an object")
    return claims


def _login(claims: dict[str, Any], issuer: str, audience: str, now: float) -> Login:
    if claims.get("iss") != issuer:
        raise TokenError("iss is another issuer")
    named = claims.get("aud")
    if audience not in (named if isinstance(named, list) else [named]):
        raise TokenError("aud does not name this service")
    if _moment(claims, "exp") <= now - CLOCK_SKEW_SECONDS:
        raise TokenError("it has expired (exp)")
    if "nbf" in claims and _moment(claims, "nbf") > now + CLOCK_SKEW_SECONDS:
        raise TokenError("it is not valid yet (nbf)")
    if _moment(claims, "iat") > now + CLOCK_SKEW_SECONDS:
        raise TokenError("it was issued in the future (iat)")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise TokenError("sub is missing or too long")
    email = claims.get("email")
    verified = claims.get("email_verified") is True and isinstance(email, str) and email.isprintable()
    return Login(issuer, subject, email if verified else None)


def _moment(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    # True and False are numbers to Python, and no moments.
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TokenError(f"{name} is missing or no number")
    return float(value)
