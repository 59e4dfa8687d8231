"""Mail over TLS: by STARTTLS and from the beginning, to a server whose certificate is trusted, and not to another."""

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.notices.smtp import Later, Taken, open_mailer
from service.settings import Settings
from tests.notices.conftest import Postbox, free_port


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine with its key, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    day, now = timedelta(days=1), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


Server = Callable[[str], Postbox]


@pytest.fixture
def server(certificate: Path) -> Iterator[Server]:
    """A mail server with that certificate, by the security that it offers."""
    controllers = []

    def start(security: str) -> Postbox:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        box = Postbox("127.0.0.1", free_port())
        offered = (
            {"tls_context": context, "require_starttls": True} if security == "starttls" else {"ssl_context": context}
        )
        controllers.append(Controller(box, hostname=box.host, port=box.port, **offered))
        controllers[-1].start()
        return box

    yield start
    for controller in controllers:
        controller.stop(no_assert=True)


def message() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "market@example.com", "yi@example.org", "x"
    made.set_content("x")
    return made


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_server_with_a_trusted_certificate_gets_mail(
    settings: Settings, server: Server, certificate: Path, security: str, trusted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = server(security)
    chosen = settings.model_copy(
        update={
            "smtp_host": box.host,
            "smtp_port": box.port,
            "smtp_security": security,
            "smtp_sender": "market@example.com",
        }
    )
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    async with open_mailer(chosen) as send:
        came_of = await send(message())
    assert isinstance(came_of, Taken if trusted else Later), came_of
    assert len(box.messages) == (1 if trusted else 0)
