"""Signatures and sealed secrets: verified by the reference library of Standard Webhooks."""

import json
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.settings import Settings
from service.webhooks.signing import as_text, headers, new_secret
from service.webhooks.vault import Unreadable, Vault, open_vault

secrets = st.binary(min_size=24, max_size=64)
bodies = st.dictionaries(st.text(), st.text() | st.integers(), max_size=5).map(lambda body: json.dumps(body).encode())


@given(secrets, bodies, st.uuids())
def test_the_reference_library_verifies_what_was_signed(secret: bytes, body: bytes, identifier: UUID) -> None:
    signed = headers(str(identifier), datetime.now(UTC), body, [secret])
    assert Webhook(as_text(secret)).verify(body, signed) == json.loads(body)


@given(secrets, secrets, bodies)
def test_while_a_secret_is_rotated_both_verify_and_no_third(new: bytes, old: bytes, body: bytes) -> None:
    signed = headers("one", datetime.now(UTC), body, [new, old])
    for secret in (new, old):
        Webhook(as_text(secret)).verify(body, signed)
    assert signed["webhook-signature"].count("v1,") == 2
    with pytest.raises(WebhookVerificationError):
        Webhook(as_text(new_secret())).verify(body, signed)


@given(secrets, bodies, st.integers(0, 200))
def test_a_changed_body_id_or_time_does_not_verify(secret: bytes, body: bytes, place: int) -> None:
    signed = headers("one", datetime.now(UTC), body, [secret])
    flipped = bytearray(body)
    flipped[place % len(body)] ^= 1
    wrong = [
        (bytes(flipped), signed),
        (body, signed | {"webhook-id": "two"}),
        (body, signed | {"webhook-timestamp": str(int(signed["webhook-timestamp"]) + 1)}),
    ]
    for changed, sent in wrong:
        with pytest.raises((WebhookVerificationError, UnicodeDecodeError)):
            Webhook(as_text(secret)).verify(changed, sent)


@given(secrets, st.uuids(), st.uuids())
def test_a_sealed_secret_opens_for_its_endpoint_only(secret: bytes, own: UUID, other: UUID) -> None:
    vault = Vault(bytes(32))
    sealed = vault.seal(secret, own)
    assert vault.open(sealed, own) == secret
    assert secret not in sealed
    for wrong in (lambda: vault.open(sealed, UUID(int=own.int ^ 1)), lambda: Vault(b"\x01" * 32).open(sealed, own)):
        with pytest.raises(Unreadable):
            wrong()


def test_two_seals_of_one_secret_differ() -> None:
    vault, identifier = Vault(bytes(32)), uuid4()
    assert vault.seal(bytes(32), identifier) != vault.seal(bytes(32), identifier)


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings, identifier = Settings(home=home), uuid4()
    sealed = open_vault(settings).seal(b"x" * 32, identifier)
    assert open_vault(settings).open(sealed, identifier) == b"x" * 32
    assert [file.name for file in home.iterdir()] == ["webhook.key"]
    assert (home / "webhook.key").stat().st_mode & 0o777 == 0o600
    other = settings.model_copy(update={"webhook_key": SecretStr("QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=")})
    with pytest.raises(Unreadable, match="DUIJIE_WEBHOOK_KEY"):
        open_vault(other).open(sealed, identifier)


@pytest.mark.parametrize("key", ["", "short", "QUFB", "!" * 44])
def test_a_key_that_is_none_is_refused_by_name(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUIJIE_WEBHOOK_KEY", key)
    if key:
        with pytest.raises(ValueError, match="32 bytes"):
            Settings()
    else:
        assert Settings().webhook_key is None
