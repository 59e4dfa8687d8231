"""A real OpenID Connect issuer on a loopback address, with keys of its own and faults on demand."""

import asyncio
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import orjson
import uvicorn
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

AUDIENCE = "https://market.example.com"


@dataclass
class LocalIssuer:
    """The issuer's state: what it publishes, what it was asked for, and what is wrong with it."""

    address: str = ""
    keys: list[RSAKey | ECKey] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    fault: str = ""

    async def discovery(self, _: Request) -> Response:
        self.asked["discovery"] += 1
        if self.fault == "slow":
            await asyncio.sleep(2)
        if self.fault == "redirect":
            return RedirectResponse(f"{self.address}/elsewhere")
        issuer = "http://127.0.0.1:1" if self.fault == "other issuer" else self.address
        # The second reaches this issuer, by a name that is not known to stay on the machine.
        unsafe = self.address.replace("127.0.0.1", "127.1") + "/jwks"
        keys_at: Any = {"unsafe keys": unsafe, "no address of keys": 5}.get(self.fault, f"{self.address}/jwks")
        # A page of an error may look like the document.
        status = 500 if self.fault == "down" else 200
        return Response(orjson.dumps({"issuer": issuer, "jwks_uri": keys_at}), status, media_type="application/json")

    async def key_set(self, _: Request) -> Response:
        self.asked["keys"] += 1
        if self.fault == "oversized":
            return Response(b'{"keys": [' + b" " * 300_000 + b"]}")
        if self.fault == "junk":
            return Response(b'["no key set"]')
        # Besides: a shared secret and a key for encryption, which are no signature keys.
        secret = OctKey.import_key("0" * 32, {"kid": "secret"}).as_dict(private=True)
        encryption = self.keys[0].as_dict(private=False) | {"kid": "encryption", "use": "enc"}
        return Response(
            orjson.dumps({"keys": [key.as_dict(private=False) for key in self.keys] + [secret, encryption]})
        )

    def token(self, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A good token of the first key, except for what is given; a claim of None is left out."""
        signing = key or self.keys[0]
        algorithm = {"RSA": "RS256", "EC": "ES256", "oct": "HS256"}[signing.key_type]
        now = int(time.time())
        content = {
            "iss": self.address, "aud": AUDIENCE, "sub": "user-1", "iat": now, "nbf": now, "exp": now + 300,
        } | claims  # fmt: skip
        protected = {"alg": algorithm, "kid": signing.kid, "typ": "JWT"} | (header or {})
        return jwt.encode(
            {name: value for name, value in protected.items() if value is not None},
            {name: value for name, value in content.items() if value is not None},
            signing,
            algorithms=[algorithm],
        )


def rsa_key(kid: str) -> RSAKey:
    """A fresh RSA key."""
    return RSAKey.generate_key(2048, {"kid": kid})


class Running:
    """The issuer served by uvicorn in a thread of its own."""

    def __init__(self, issuer: LocalIssuer) -> None:
        routes = [
            Route("/.well-known/openid-configuration", issuer.discovery),
            Route("/elsewhere", issuer.discovery),
            Route("/jwks", issuer.key_set),
        ]
        config = uvicorn.Config(
            Starlette(routes=routes), host="127.0.0.1", port=0, log_level="error", ws="none", lifespan="off"
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.issuer = issuer

    def __enter__(self) -> LocalIssuer:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.issuer.address = f"http://127.0.0.1:{port}"
        return self.issuer

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.server.force_exit = True
        self.thread.join(timeout=10)
