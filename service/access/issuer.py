"""The configured OpenID Connect issuer: its keys, fetched, cached and bounded (OpenID Connect Discovery 1.0, section 4)."""

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import orjson
import structlog

from service.access.tokens import Key, Login, TokenError, read_header, read_keys, verify
from service.errors import Unauthenticated, Unavailable
from service.kit.language import Text
from service.settings import LOOPBACK, Settings, is_safe_address

log = structlog.get_logger("duijie.access")

LARGEST_DOCUMENT: Final = 256 * 1024
FETCH_SECONDS: Final = 5.0
# A key that the issuer has withdrawn is believed for no longer than this.
FRESH_SECONDS: Final = 3_600.0
# Known keys go on being believed for so long where the issuer does not answer.
STALE_SECONDS: Final = 24 * 3_600.0
# An unknown key id asks the issuer again at most so often, whoever sends it.
UNKNOWN_KEY_SECONDS: Final = 60.0
# While there are no keys at all, nobody can log in: try again sooner.
NO_KEYS_SECONDS: Final = 10.0


class Issuer:
    """Who issues tokens, with the keys that it has published. One for a process; its clock can be replaced in tests."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        assert settings.oidc_issuer is not None
        assert settings.oidc_audience is not None
        self.address = settings.oidc_issuer
        self.audience = settings.oidc_audience
        self.algorithms = frozenset(settings.oidc_algorithms.split(","))
        self._clock = clock
        self._keys: dict[str, list[Key]] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching = asyncio.Lock()

    async def login(self, token: str) -> Login:
        """Who a token says is logged in.

        Raises:
            Unauthenticated: the token is not good, and why.
            Unavailable: the issuer's keys cannot be had right now.
        """
        try:
            header = read_header(token, self.algorithms, self.address)
            return verify(
                token,
                header,
                await self._keys_of(header.key_id),
                algorithms=self.algorithms,
                issuer=self.address,
                audience=self.audience,
                now=time.time(),
            )
        except TokenError as error:
            raise Unauthenticated(
                Text(f"令牌不被接受：{error}", f"The token is not taken: {error}"), challenge='error="invalid_token"'
            ) from error

    async def _keys_of(self, key_id: str) -> list[Key]:
        """The keys of an id; asks the issuer where they are unknown or old, within the bounds above."""
        if self._age() > FRESH_SECONDS or key_id not in self._keys:
            async with self._fetching:
                # Whoever waited for the lock finds what the one before has fetched.
                if (self._age() > FRESH_SECONDS or key_id not in self._keys) and self._may_try():
                    await self._refresh()
        if self._age() > STALE_SECONDS:
            raise Unavailable(
                Text("暂时无法从身份提供方取得密钥", "The issuer's keys cannot be had right now"),
                retry_after_seconds=int(NO_KEYS_SECONDS),
            )
        if key_id not in self._keys:
            raise TokenError("its key (kid) is not one of the issuer's")
        return self._keys[key_id]

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _may_try(self) -> bool:
        if self._tried is None:
            return True
        least = NO_KEYS_SECONDS if self._age() > STALE_SECONDS else UNKNOWN_KEY_SECONDS
        return self._clock() - self._tried >= least

    async def _refresh(self) -> None:
        self._tried = self._clock()
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                self._keys = read_keys(await self._key_set())
            self._fetched = self._clock()
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, OSError, TokenError, ValueError) as error:
            # Addresses and sizes are in the message, never a token.
            log.warning("keys of the issuer not fetched", issuer=self.address, error=f"{type(error).__name__}: {error}")

    async def _key_set(self) -> dict[str, Any]:
        discovery = await _document(self.address.rstrip("/") + "/.well-known/openid-configuration")
        # Discovery 1.0, section 4.3: a document of another issuer is not this one's.
        if discovery.get("issuer") != self.address:
            raise TokenError("the discovery document is another issuer's")
        address = discovery.get("jwks_uri")
        if not isinstance(address, str) or not is_safe_address(address) or self._leaves_https(address):
            raise TokenError("jwks_uri is not a safe address")
        return await _document(address)

    def _leaves_https(self, address: str) -> bool:
        return urlsplit(self.address).scheme == "https" and urlsplit(address).scheme != "https"


async def _document(address: str) -> dict[str, Any]:
    """A JSON object of an address, read no further than its bound; a redirect is not followed."""
    # A proxy of the environment is for addresses out there.
    outside = urlsplit(address).hostname not in LOOPBACK
    async with (
        httpx2.AsyncClient(timeout=FETCH_SECONDS, follow_redirects=False, trust_env=outside) as client,
        client.stream("GET", address, headers={"Accept": "application/json"}) as answer,
    ):
        if answer.status_code != 200:
            raise TokenError(f"{address} answered {answer.status_code}")
        body = bytearray()
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > LARGEST_DOCUMENT:
                raise TokenError(f"{address} is larger than {LARGEST_DOCUMENT} bytes")
    document = orjson.loads(body)
    if not isinstance(document, dict):
        raise TokenError(f"{address} is no JSON object")
    return document


def issuer_of(settings: Settings) -> Issuer | None:
    """The issuer that is configured, if one is; nothing is fetched before the first token."""
    return Issuer(settings) if settings.oidc_issuer is not None else None
