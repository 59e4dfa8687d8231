"""Mail over TLS: by STARTTLS and from the beginning, to a server whose certificate is trusted, and not to another."""

import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from service.notices.smtp import Later, Taken, open_mailer
from service.settings import Settings
from tests.notices.conftest import Postbox, free_port

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
    assert (len(box.messages), box.goodbyes) == ((1, 1) if trusted else (0, 0))
