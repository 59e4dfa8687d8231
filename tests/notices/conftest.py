"""A clock that stands until it is moved, and a mail server and an endpoint on this machine."""

import logging
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from service.app import create_app
from service.resources import Resources
from service.settings import Settings

# The test servers' own log, where addresses stand: what the service prints is searched for them.
logging.getLogger("mail.log").disabled = True


@dataclass(slots=True)
class StandingClock:
    """An instant; tests move it."""

    instant: datetime = field(default_factory=lambda: datetime(2026, 3, 4, 9, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.instant

    def move(self, **by: float) -> None:
        """Later by a time span, in the words of timedelta."""
        self.instant += timedelta(**by)


@pytest.fixture
def clock() -> StandingClock:
    """A Wednesday, 17:00 in Shanghai."""
    return StandingClock()


@dataclass(slots=True)
class Postbox:
    """What a mail server took, and how it answers a recipient or a message."""

    host: str = ""
    port: int = 0
    messages: list[EmailMessage] = field(default_factory=list)
    to: list[list[str]] = field(default_factory=list)
    recipient_answer: str = "250 OK"
    data_answer: str = "250 taken"
    logins: list[bytes] = field(default_factory=list)
    goodbyes: int = 0

    async def handle_QUIT(self, _: SMTP, __: Session, ___: Envelope) -> str:
        """Counted."""
        self.goodbyes += 1
        return "221 Bye"

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:
        """As told."""
        if self.recipient_answer.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.recipient_answer

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:
        """Keep the message, unless told otherwise."""
        if self.data_answer.startswith("2"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=default)
            assert isinstance(message, EmailMessage)
            self.messages.append(message)
            self.to.append(list(envelope.rcpt_tos))
        return self.data_answer

    def authenticate(self, _: SMTP, __: Session, ___: Envelope, ____: str, data: Any) -> AuthResult:
        """One user may come in."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        # Not handled: the answer to the client is left to the server.
        return AuthResult(success=(data.login, data.password) == (b"market", b"s3cret-of-mail"), handled=False)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """A mail server that listens on this machine."""
    box = Postbox("127.0.0.1", free_port())
    controller = Controller(
        box, hostname=box.host, port=box.port, authenticator=box.authenticate, auth_require_tls=False
    )
    controller.start()
    yield box
    controller.stop(no_assert=True)


@pytest.fixture
def mail_settings(settings: Settings, postbox: Postbox) -> Settings:
    """Settings with that mail server."""
    return settings.model_copy(
        update={
            "smtp_host": postbox.host,
            "smtp_port": postbox.port,
            "smtp_security": "none",
            "smtp_sender": "market@example.com",
        }
    )


@dataclass(slots=True)
class Received:
    """One call as an endpoint saw it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """The webhook-id."""
        return self.headers["webhook-id"]


class Receiver(ThreadingHTTPServer):
    """An endpoint of this machine that keeps every call and answers as told."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.calls: list[Received] = []
        # Status and headers, by what was received.
        self.answer: Callable[[Received], tuple[int, dict[str, str]]] = lambda _: (204, {})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}/hooks"


class _Answering(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        received = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        self.server.calls.append(received)
        status, headers = self.server.answer(received)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that listens on this machine."""
    server = Receiver()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def private(settings: Settings) -> Settings:
    """Settings that let webhooks go to this machine."""
    return settings.model_copy(update={"webhook_private": True})


@pytest.fixture
async def open_client(private: Settings, resources: Resources) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the application with those settings."""
    app = create_app(private)
    app.state.resources = resources
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://duijie.test") as made:
        yield made


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of this machine and of the name erp.invalid, with its key, in one file."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]),
    )
    day, now = timedelta(days=1), datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("erp.invalid")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = tmp_path / "mail.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file
