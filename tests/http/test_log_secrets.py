"""The log of a whole exercise holds no key, no password and no contact data, tracebacks included."""

import asyncio
import io
import logging
import sys
from collections.abc import Iterator

import asyncpg
import httpx2
import pydantic
import pytest
import structlog

from service.kit import logs
from service.kit.db import Pool
from service.kit.redaction import WITHHELD, masked
from service.settings import Settings
from tests.conftest import Keys
from tests.http.test_needs import NEED

CONTACT = {"contact_name": "王演示", "contact_phone": "13800001234", "contact_email": "wang.demo@example.cn"}


@pytest.fixture(params=["json", "console"])
def written(
    request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[io.StringIO]:
    """Everything that any logger writes, at the most talkative level."""
    stream, root = io.StringIO(), logging.getLogger()
    handlers, level, before = root.handlers, root.level, structlog.get_config()
    monkeypatch.setattr(sys, "stderr", stream)
    logs.configure(settings.model_copy(update={"log_level": "debug", "log_format": request.param}))
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**before)


async def test_a_whole_exercise_leaves_no_secret(
    client: httpx2.AsyncClient, keys: Keys, pool: Pool, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = keys.headers("enterprise") | {"Idempotency-Key": "idem-secret-1"}
    made = await client.post("/v1/needs", json=NEED | CONTACT, headers=headers)
    assert made.status_code == 201
    await client.post("/v1/needs", json=NEED | CONTACT, headers=headers)
    own = keys.enterprise.organization_id
    new = await client.post(
        f"/v1/organizations/{own}/keys",
        json={"label": "x", "roles": ["enterprise"]},
        headers=keys.headers("enterprise"),
    )
    new_key = new.json()["key"]
    await client.get("/v1/me", headers={"Authorization": "Bearer dj_wrong-and-secret"})
    await client.get(f"/v1/needs/{new_key}?text={new_key}", headers=keys.headers("enterprise"))
    table = f"title,contact_phone,contact_email\nx,13800001234,{CONTACT['contact_email']}\ny,bad,{new_key}\n".encode()
    await client.post("/v1/imports?kind=needs", files={"file": ("a.csv", table)}, headers=keys.headers("enterprise"))
    # An error that nobody foresaw, whose text quotes the whole row.
    owner = await pool.fetchval("select current_database()")
    assert owner
    await _break_the_table(client, pool)
    with pytest.raises(asyncpg.PostgresError):
        await client.post("/v1/needs", json=NEED | CONTACT, headers=keys.headers("enterprise"))
    text = written.getvalue()
    assert "answered" in text
    assert "CheckViolationError" in text
    secrets = [*CONTACT.values(), "0951-0000001", new_key, "dj_wrong-and-secret", "idem-secret-1", NEED["title"]]
    secrets += [member.key for member in keys.members.values()]
    assert [secret for secret in secrets if str(secret) in text] == []


async def _break_the_table(client: httpx2.AsyncClient, pool: Pool) -> None:
    """A constraint that no rule of the service knows, so that the database refuses what the service took."""
    transport = client._transport
    url = transport.app.state.resources.urls.owner  # type: ignore[attr-defined]
    connection = await asyncpg.connect(url)
    await connection.execute("alter table listing add constraint surprise check (contact_email is null) not valid")
    await connection.close()


class _Model(pydantic.BaseModel):
    phone: int


async def test_errors_of_every_kind_say_what_and_where_but_no_value(written: io.StringIO) -> None:
    secret = "wang.demo@example.cn-private"
    log = structlog.get_logger("test")
    try:
        try:
            _Model(phone=secret)  # type: ignore[arg-type]
        except pydantic.ValidationError as error:
            raise RuntimeError("postgresql://duijie:pa55word@db:5432/duijie is out of reach") from error
    except RuntimeError:
        log.exception(
            "first", authorization="Bearer dj_abcdefgh1234", headers={"cookie": "session=1"}, url="a://b:pa55word@c"
        )
        logging.getLogger("library").exception("second %s", "Bearer dj_abcdefgh1234")
        log.error("third", exc_info=sys.exc_info())
        log.error("fourth", reason=ValueError("dj_abcdefgh1234"))
    text = written.getvalue()
    for said in ("first", "second", "third", "fourth", "phone: int_parsing", "RuntimeError", "test_log_secrets.py"):
        assert said in text, said
    for hidden in ("pa55word", "dj_abcdefgh1234", secret, "session=1"):
        assert hidden not in text, hidden
    assert text.count("which led to") == 3
    assert text.count("RuntimeError:") == 3


async def test_the_error_of_a_lost_task_is_told_without_values(written: io.StringIO) -> None:
    async def lost() -> None:
        raise ValueError("dj_abcdefgh1234")

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(lost())
    await asyncio.wait([task])
    loop.call_exception_handler({"message": "lost", "exception": task.exception()})
    assert "ValueError" in written.getvalue()
    assert "dj_abcdefgh1234" not in written.getvalue()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Authorization: Bearer abc.def", f"Authorization: Bearer {WITHHELD}"),
        ("token eyJhbGciOi.eyJzdWIiOi.c2ln", f"token {WITHHELD}"),
        ("host=db password=pa55 user=x", f"host=db password={WITHHELD} user=x"),
        ("call 138 0000 1234 or 0951-0000001", f"call {WITHHELD} or {WITHHELD}"),
        ("mail a.b+c@example.com.cn", f"mail {WITHHELD}"),
        ("01a21527-b0d9-7b46-901d-5a3f13800001", "01a21527-b0d9-7b46-901d-5a3f13800001"),
        ("postgresql:///duijie?host=/run", "postgresql:///duijie?host=/run"),
        ("5a3f939f755b13800001234", "5a3f939f755b13800001234"),
    ],
)
def test_what_is_masked_and_what_is_not(text: str, left: str) -> None:
    assert masked(text) == left
