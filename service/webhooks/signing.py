"""Signatures of Standard Webhooks 1.0.0: HMAC-SHA256 over id, timestamp and body; several where a secret is being rotated."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

PREFIX: Final = "whsec_"
# The specification asks for 24 to 64 bytes.
SECRET_BYTES: Final = 32


def new_secret() -> bytes:
    """A random secret: 32 bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def as_text(secret: bytes) -> str:
    """A secret as its receiver is told it ("secret serialization").

    >>> as_text(bytes(24))
    'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    return PREFIX + base64.b64encode(secret).decode()


def headers(message_id: str, moment: datetime, body: bytes, secrets_in_use: Sequence[bytes]) -> dict[str, str]:
    """The three headers of an attempt at `moment`, signed by every secret in use, the newest first."""
    timestamp = str(int(moment.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret, signed) for secret in secrets_in_use),
    }


def _signature(secret: bytes, signed: bytes) -> str:
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
