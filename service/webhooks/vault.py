"""Keeps secrets that have to be read again: sealed under a key that is not in the database."""

import base64
import os
import secrets
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.settings import Settings

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
FILE: Final = "webhook.key"


class Unreadable(Exception):
    """A secret was sealed under another key than the one at hand."""


class Vault:
    """AES-256-GCM (NIST SP 800-38D) with a random nonce; bound to whom a secret is of, so that rows cannot be exchanged."""

    def __init__(self, key: bytes) -> None:
        """`key` is 32 bytes."""
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, of: UUID) -> bytes:
        """A secret as it may be stored: nonce, ciphertext, tag."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, of.bytes)

    def open(self, sealed: bytes, of: UUID) -> bytes:
        """The secret.

        Raises:
            Unreadable: another key, another owner, or a changed row.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], of.bytes)
        except InvalidTag as error:
            raise Unreadable("sealed under another key: see DUIJIE_WEBHOOK_KEY") from error


def open_vault(settings: Settings) -> Vault:
    """The vault under the configured key, or under one that is made once and kept in the home folder for its owner alone."""
    if settings.webhook_key is not None:
        return Vault(base64.b64decode(settings.webhook_key.get_secret_value()))
    return Vault(_key_of_file(settings.home / FILE))


def _key_of_file(path: Path) -> bytes:
    """The key in a file. Two processes that make it at once end with the same: the second link fails, and reads."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return base64.b64decode(path.read_bytes())
