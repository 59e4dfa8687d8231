"""Passwords of people, for pages that people sign in to; programs use keys or tokens of an issuer.

Argon2id (RFC 9106) in the parameters of the library, in a thread: one hash takes some 50 ms and 64 MiB.
"""

import asyncio
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from service.errors import FieldProblem, NotFound, ValidationProblem
from service.events import log
from service.kit.actor import Actor
from service.kit.clock import now
from service.kit.db import Connection
from service.kit.language import Text

# NIST SP 800-63B-4, 3.1.1.2: length is what counts; no rule of composition, and no change without a cause.
SHORTEST = 15
LONGEST = 128
FREE_TRIES = 5
FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)

HASHER = PasswordHasher()


@dataclass(frozen=True, slots=True)
class Verified:
    """The password is the person's."""

    person_id: UUID


@dataclass(frozen=True, slots=True)
class Wrong:
    """Unknown e-mail, no password, or the wrong one: the caller is not told which."""


@dataclass(frozen=True, slots=True)
class Locked:
    """Too many wrong tries: nothing is checked until then, not even the right password."""

    until: datetime


def delay_after(failures: int) -> timedelta | None:
    """How long nothing is checked after so many wrong tries in a row.

    None for the first four; then a minute, doubling up to an hour.

    >>> [delay_after(failures) for failures in (4, 5, 6)]
    [None, datetime.timedelta(seconds=60), datetime.timedelta(seconds=120)]
    >>> delay_after(1_000)
    datetime.timedelta(seconds=3600)
    """
    if failures < FREE_TRIES:
        return None
    # Six doublings exceed the longest delay; more would only make a large number.
    doublings: int = 2 ** min(failures - FREE_TRIES, 6)
    return min(FIRST_DELAY * doublings, LONGEST_DELAY)


@cache
def _nobodys_hash() -> str:
    # Checked where there is no password, so that the time of an answer does not tell who has one.
    return HASHER.hash("nobody has this password")


def _folded(password: str) -> str:
    # Keyboards write the same character in different ways (NIST SP 800-63B-4, 3.1.1.2: NFKC or NFKD).
    return unicodedata.normalize("NFKC", password)


STORE_HASH = """
insert into person_password (person_id, hash) values ($1, $2)
on conflict (person_id) do update set hash = excluded.hash, failures = 0, locked_until = null, changed_at = now()
"""
# Whoever is erased has no e-mail.
PERSON_OF = "select id from person where lower(email) = lower($1)"


async def set_password(connection: Connection, actor: Actor, email: str, password: str) -> UUID:
    """Give the person with an e-mail a password; tries start anew.

    Raises:
        NotFound: nobody has the e-mail. ValidationProblem: too short, too long, or the e-mail itself.
    """
    folded = _folded(password)
    if not SHORTEST <= len(folded) <= LONGEST:
        text = Text(f"应为 {SHORTEST} 至 {LONGEST} 个字符", f"Must have {SHORTEST} to {LONGEST} characters")
        raise ValidationProblem([FieldProblem("password", "password_length", text)])
    if folded.casefold() == email.casefold() or len(set(folded)) < FREE_TRIES:
        text = Text("过于容易猜到", "Too easy to guess")
        raise ValidationProblem([FieldProblem("password", "password_guessable", text)])
    person_id: UUID | None = await connection.fetchval(PERSON_OF, email)
    if person_id is None:
        raise NotFound(Text(f"没有电子邮箱为 {email} 的人员", f"Nobody has the e-mail {email}"))
    await connection.execute(STORE_HASH, person_id, await asyncio.to_thread(HASHER.hash, folded))
    await log.record(connection, actor, "person", person_id, "set_password")
    return person_id


# Locked until the transaction ends: tries at the same time are counted one after the other.
LOCK_HASH = """
select person_id, hash, failures, locked_until
from person_password join person on person.id = person_id
where lower(email) = lower($1)
for update of person_password
"""
COUNT_FAILURE = "update person_password set failures = $2, locked_until = $3 where person_id = $1"
CLEAR_FAILURES = """
update person_password set failures = 0, locked_until = null, hash = coalesce($2, hash) where person_id = $1
"""


async def check_password(
    connection: Connection, email: str, password: str, *, at: datetime | None = None
) -> Verified | Wrong | Locked:
    """Whether a password is that of the person with an e-mail.

    The fifth wrong try in a row starts a delay in which nothing is checked, and each further one doubles it. The count
    lies in the database, so it holds over processes; the caller commits whatever the answer is. A hash of old parameters
    is replaced when its password is there in clear.
    """
    moment = at or now()
    row = await connection.fetchrow(LOCK_HASH, email)
    if row is not None and row["locked_until"] is not None and row["locked_until"] > moment:
        return Locked(row["locked_until"])
    folded = _folded(password[: LONGEST * 4])
    if row is None:
        await asyncio.to_thread(_matches, _nobodys_hash(), folded)
        return Wrong()
    if not await asyncio.to_thread(_matches, row["hash"], folded):
        failures = row["failures"] + 1
        delay = delay_after(failures)
        await connection.execute(COUNT_FAILURE, row["person_id"], failures, moment + delay if delay else None)
        return Wrong()
    renewed = await asyncio.to_thread(HASHER.hash, folded) if HASHER.check_needs_rehash(row["hash"]) else None
    await connection.execute(CLEAR_FAILURES, row["person_id"], renewed)
    return Verified(row["person_id"])


def _matches(stored: str, password: str) -> bool:
    try:
        return HASHER.verify(stored, password)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


CHANGED_AT = "select changed_at from person_password where person_id = $1"


async def password_changed_at(connection: Connection, person_id: UUID) -> datetime | None:
    """When a person's password was set; None without one."""
    moment: datetime | None = await connection.fetchval(CHANGED_AT, person_id)
    return moment
