"""One effect for one `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07).

The row of a key is inserted at the beginning of the request's own transaction and gets the answer at its end. A second
request with the key waits at the insert until the first has committed (and gets its answer) or rolled back (and is a
fresh try). A refused request rolls back, its row with it, so that nothing of a refusal is kept.
"""

import asyncio
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import orjson
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from service.errors import Conflict, FieldProblem, ServiceError, ValidationProblem
from service.kit.db import Connection, affected
from service.kit.language import Text

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
MOST_CHARACTERS = 255
# What of an answer's headers is part of the answer; the others belong to the one request.
KEPT_HEADERS = ("content-type", "content-language", "etag", "location")
PIECE = 1 << 20

# The draft's string in quotes (RFC 9651, section 3.3.3), or the same without them, as most clients send it.
_QUOTED = re.compile(r'^"((?:[ !#-\[\]-~]|\\["\\])*)"$')
_BARE = re.compile(r"^[!#-\[\]-~]+$")


class Reused(ServiceError):
    """The key stands for another request."""

    status = 422
    code = "idempotency_key_reused"
    title = Text("Idempotency-Key 已用于另一个请求", "The Idempotency-Key stands for another request")


class UnderWay(Conflict):
    """The first request of the key still runs, longer than the second one waits."""

    code = "idempotency_key_under_way"
    title = Text("携带同一 Idempotency-Key 的请求仍在处理", "A request with this Idempotency-Key is under way")


class Replay(Exception):
    """Carries the stored answer out of the request that need not run."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__()


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request with a key asks: the key, and the digest of query and body."""

    key: str
    method: str
    path: str
    digest: bytes

    def in_name_of(self, organization: UUID | None) -> "Asked":
        """What is asked in the name of an organization, by a caller who acts for more than one."""
        return replace(
            self, digest=hashlib.sha256(self.digest + (organization.bytes if organization else b"")).digest()
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request holds until its transaction ends."""

    connection: Connection
    caller: UUID
    key: str


def parse(header: str) -> str:
    r"""The key in a header's value.

    >>> parse('"8e03978e-40d5"'), parse("8e03978e-40d5"), parse(r'"a\"b"')
    ('8e03978e-40d5', '8e03978e-40d5', 'a"b')

    Raises:
        ValidationProblem: it is empty, longer than 255 characters, or holds what a header's string cannot.
    """
    value = header.strip()
    if quoted := _QUOTED.match(value):
        key = re.sub(r"\\(.)", r"\1", quoted.group(1))
    elif _BARE.match(value):
        key = value
    else:
        key = ""
    if not key.strip() or len(key) > MOST_CHARACTERS:
        text = Text(
            f"应为 1 至 {MOST_CHARACTERS} 个可见 ASCII 字符，例如一个 UUID",
            f"Must be 1 to {MOST_CHARACTERS} visible ASCII characters, such as a UUID",
        )
        raise ValidationProblem([FieldProblem(HEADER, "idempotency_key", text)])
    return key


async def asked_by(request: Request) -> Asked | None:
    """What a request asks under its key; None where it carries none.

    Raises:
        ValidationProblem: the header is malformed, or there twice.
    """
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    key = parse(", ".join(sent))
    return Asked(key, request.method, request.url.path, await digest_of(request))


async def digest_of(request: Request) -> bytes:
    """SHA-256 of a request's query and body: 32 bytes.

    Of a form its parts are taken and not its bytes, since a client draws a new boundary for each try. A file is read
    in pieces from where it was spooled to, so that it is never in memory as a whole.
    """
    digest = hashlib.sha256()

    def add(part: bytes) -> None:
        # With its length before it, so that no two sequences of parts read the same.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)

    add(request.url.query.encode())
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        add(await request.body())
        return digest.digest()
    for name, value in (await request.form()).multi_items():
        add(name.encode())
        if not isinstance(value, UploadFile):
            add(value.encode())
            continue
        add((value.filename or "").encode())
        add((value.size or 0).to_bytes(8, "big"))
        while piece := await value.read(PIECE):
            await asyncio.to_thread(digest.update, piece)
        await value.seek(0)
    return digest.digest()


# An answer that is too old gives way to the new request. Where the row is younger nothing comes back; where another
# transaction holds it, this waits for that one to end.
CLAIM = """
insert into idempotency_key as held (caller, key, method, path, digest, created_at)
values ($1, $2, $3, $4, $5, $6)
on conflict (caller, key) do update
set method = excluded.method, path = excluded.path, digest = excluded.digest, created_at = excluded.created_at,
    status = null, headers = '{}', body = null
where held.created_at <= $7
returning true
"""
NO_WAITING = "set local lock_timeout = '50ms'"
WAITING = "set local lock_timeout = 0"
NO_IDLE_LIMIT = "set local idle_in_transaction_session_timeout = 0"


async def claim(connection: Connection, caller: UUID, asked: Asked, moment: datetime, *, waiting: bool = True) -> Claim:
    """Hold a key until the transaction ends.

    `waiting` says whether to wait for another request with the key; one that takes minutes is not waited for, and the
    transaction that holds its key may stay idle meanwhile.

    Raises:
        Replay: there is an answer already. Reused: the key stands for another request.
        UnderWay: another request holds the key, and is not waited for.
    """
    if not waiting:
        await connection.execute(NO_WAITING)
        await connection.execute(NO_IDLE_LIMIT)
    values = (caller, asked.key, asked.method, asked.path, asked.digest, moment, moment - KEPT)
    try:
        made = await connection.fetchval(CLAIM, *values)
    except asyncpg.LockNotAvailableError as error:
        raise UnderWay(Text("请稍后以同一密钥重试", "Try again with the same key in a while")) from error
    if not waiting:
        await connection.execute(WAITING)
    if not made:
        await replay(connection, caller, asked, moment)
    return Claim(connection, caller, asked.key)


FIND = """
select method, path, digest, status, headers, body from idempotency_key where caller = $1 and key = $2 and created_at > $3
"""


async def replay(connection: Connection, caller: UUID, asked: Asked, moment: datetime) -> None:
    """Give the stored answer of a key, if there is one.

    Raises:
        Replay: with the answer. Reused: the key stands for another request.
    """
    row = await connection.fetchrow(FIND, caller, asked.key, moment - KEPT)
    if row is None:
        return
    if (row["method"], row["path"], row["digest"]) != (asked.method, asked.path, asked.digest):
        raise Reused(
            Text(
                "同一密钥只能用于内容完全相同的请求；新的请求请使用新的密钥",
                "A key repeats one request, with the same address and content: take a new key for a new request",
            )
        )
    if row["status"] is None:
        raise UnderWay(Text("请稍后以同一密钥重试", "Try again with the same key in a while"))
    raise Replay(Response(row["body"], row["status"], {**row["headers"], REPLAYED: "true"}))


KEEP = "update idempotency_key set status = $3, headers = $4, body = $5 where caller = $1 and key = $2"


async def keep(claim: Claim, response: Response, hidden: frozenset[str]) -> None:
    """Store an answer in the transaction that made its effect; of `hidden` JSON fields only that they were there."""
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    body = bytes(response.body)
    if hidden:
        body = orjson.dumps(orjson.loads(body) | dict.fromkeys(hidden))
    await claim.connection.execute(KEEP, claim.caller, claim.key, response.status_code, headers, body)


# Behind an id list, so that one statement removes a bounded number of rows.
SWEEP = """
delete from idempotency_key
where (caller, key) in (
    select caller, key from idempotency_key where created_at <= $1 order by created_at limit $2 for update skip locked
)
"""


async def sweep(connection: Connection, moment: datetime, limit: int) -> int:
    """Remove answers that are kept no longer, oldest first, at most `limit`; how many there were."""
    return affected(await connection.execute(SWEEP, moment - KEPT, limit))
