"""Sends probes to the application in this process, each undone at its end, and compares answers with the rules."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from service.kit.db import Connection, Pool
from tests.access.market import Aviary, Subject
from tests.access.rules import RULES, may_know, shown
from tests.access.rules_cases import unseen_case
from tests.access.ruling import Cell, sees_listing

ASGI = Callable[[dict[str, Any], Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]
held: ContextVar[Connection | None] = ContextVar("held", default=None)
# What a fresh connection of the service carries before an actor is set.
AT_THE_DOOR = """
select set_config('duijie.roles', 'door', true), set_config('duijie.key', '', true),
       set_config('duijie.organization', '', true), set_config('duijie.person', '', true)
"""


class UndoingPool:
    """A pool that, while a connection is held, hands out that one: what a request does is then undone with it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def acquire(self, *, timeout: float | None = None) -> Any:
        """The held connection as a fresh one would be, or one of the pool."""
        connection = held.get()
        return self._pool.acquire(timeout=timeout) if connection is None else _at_the_door(connection)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    @asynccontextmanager
    async def undone(self) -> AsyncIterator[None]:
        """Whatever happens within did not happen afterwards."""
        async with self._pool.acquire() as connection:
            outer = connection.transaction()
            await outer.start()
            token = held.set(connection)
            try:
                yield
            finally:
                held.reset(token)
                await outer.rollback()


@asynccontextmanager
async def _at_the_door(connection: Connection) -> AsyncIterator[Connection]:
    await connection.execute(AT_THE_DOOR)
    yield connection


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is sent."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """What came back."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


def readable(body: bytes) -> str:
    """Everything that a reader of an answer could see, also within a spreadsheet."""
    if body[:2] != b"PK":
        return body.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


async def send(app: ASGI, asked: Asked, key: str | None) -> Answer:
    """One request to the application, without a client and a server between."""
    headers = [(name.lower().encode(), value.encode()) for name, value in asked.headers]
    if key is not None:
        headers.append((b"authorization", f"Bearer {key}".encode()))
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": asked.method, "scheme": "http",
        "path": asked.path, "raw_path": asked.path.encode(), "query_string": urlencode(asked.query).encode(),
        "root_path": "", "headers": headers, "client": ("127.0.0.1", 1), "server": ("duijie.test", 80),
    }  # fmt: skip
    answer, parts, sent = Answer(), [], False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": asked.body, "more_body": False}

    async def take(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            parts.append(message.get("body", b""))

    try:
        await app(scope, receive, take)
    except Exception as error:
        # The service answers with 500 and raises what it was: the answer is what is judged.
        answer.headers["x-error"] = repr(error)
    answer.body = b"".join(parts)
    return answer


@dataclass(frozen=True, slots=True)
class Probe:
    """A request, the operation that it is of, and the cell of the matrix that it stands in."""

    operation: str
    cell: Cell
    asked: Asked

    @property
    def label(self) -> str:
        """For the list of wrong cells."""
        action = f" {self.cell.action}" if self.cell.action else ""
        within = f", {self.cell.part.label}" if self.cell.part else ""
        return f"{self.cell.caller.name}: {self.operation}{action} ({self.cell.variant}) on {self.cell.subject.label}{within}"


READS_LISTING = re.compile(r"^(GET|PUT) /v1/(needs|outcomes)/{\w+}$|^POST /v1/(needs|outcomes)/{\w+}/{action}$")
CANARY = re.compile(Aviary.PATTERN)


# Lists that hold every listing which the caller sees, by the kind of what they list.
LISTS = {"GET /v1/needs": "need", "GET /v1/outcomes": "outcome", "GET /v1/cases": "case"}


@dataclass(slots=True)
class Count:
    """What was looked at, and what was wrong."""

    requests: int = 0
    cells: int = 0
    wrong: list[str] = field(default_factory=list)


def sees(cell: Cell, subject: Subject) -> bool:
    """Whether a list shows a listing or a case to the caller."""
    if subject.kind == "case":
        return unseen_case(replace(cell, subject=subject)) is None
    return sees_listing(cell.market, cell.caller, subject)


def judge(probe: Probe, answer: Answer, count: Count) -> None:
    """Compare an answer with the rules: its status, each guarded field, and every canary in it."""
    cell, rule = probe.cell, RULES[probe.operation]
    expected = rule.status(cell)
    count.requests += 1
    if answer.status != expected:
        why = answer.headers.get("x-error", answer.body[:160].decode("utf-8", "replace"))
        count.wrong.append(f"{probe.label}: {answer.status} instead of {expected}: {why}")
    for token in set(CANARY.findall(readable(answer.body))):
        canary = cell.market.aviary.canaries.get(token)
        if canary is not None and not may_know(cell.market, cell.caller, canary):
            count.wrong.append(f"{probe.label}: shows {canary.guard} of {canary.house}")
    count.cells += 2
    if answer.status == expected == 200 and cell.variant == "plain" and probe.operation in LISTS:
        count.cells += 1
        seen = {s.id for s in cell.market.subjects if s.kind == LISTS[probe.operation] and sees(cell, s)}
        listed = {UUID(item["id"]) for item in json.loads(answer.body)["items"]}
        if listed != seen:
            count.wrong.append(f"{probe.label}: {len(listed - seen)} too many, {len(seen - listed)} too few")
    if answer.status == expected == 200 and READS_LISTING.match(probe.operation):
        body = json.loads(answer.body)
        for name, must in shown(cell).items():
            count.cells += 1
            # A change replaces the content, contacts included, by what the probe sent.
            if cell.variant != "match" and (body[name] is not None) != must:
                count.wrong.append(f"{probe.label}: {name} is {'missing' if must else 'shown'}")
