"""Passwords: only as Argon2id hashes, a growing delay after wrong tries that holds over processes, renewed parameters."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from service.access import passwords, people_repository
from service.access.passwords import Locked, Verified, Wrong, check_password, delay_after, set_password
from service.access.people_schemas import Person, PersonContent
from service.errors import NotFound, ValidationProblem
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction

EMAIL = "wang@example.com"
PASSWORD = "三十六个字太长了但这句够用了吧"
NOON = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
async def person(pool: Pool) -> Person:
    async with transaction(pool, SYSTEM) as connection:
        made = await people_repository.insert_person(
            connection, PersonContent(name="王演示", email=EMAIL), vouched=True
        )
        await set_password(connection, SYSTEM, EMAIL, PASSWORD)
        return made


async def check(pool: Pool, password: str, at: datetime = NOON, email: str = EMAIL) -> Verified | Wrong | Locked:
    async with transaction(pool, SYSTEM) as connection:
        return await check_password(connection, email, password, at=at)


def test_the_delay_doubles_from_a_minute_to_an_hour() -> None:
    minutes = [delay.seconds / 60 if (delay := delay_after(failures)) else 0 for failures in range(1, 14)]
    assert minutes == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]


async def test_a_right_password_is_told_from_a_wrong_one(pool: Pool, person: Person) -> None:
    assert await check(pool, PASSWORD) == Verified(person.id)
    assert await check(pool, PASSWORD, email="WANG@example.com") == Verified(person.id)
    assert await check(pool, PASSWORD + "x") == Wrong()
    assert await check(pool, PASSWORD, email="nobody@example.com") == Wrong()
    stored = await pool.fetchval("select hash from person_password")
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


async def test_the_same_characters_typed_differently_are_the_same_password(pool: Pool, person: Person) -> None:
    async with transaction(pool, SYSTEM) as connection:
        await set_password(connection, SYSTEM, EMAIL, "ｃａｆé-long-enough-1")
    assert await check(pool, "cafe\u0301-long-enough-1") == Verified(person.id)


async def test_the_fifth_wrong_try_locks_and_each_further_one_longer(pool: Pool, person: Person) -> None:
    for _ in range(5):
        assert await check(pool, "wrong") == Wrong()
    minute = NOON + timedelta(minutes=1)
    # Not even the right one is looked at, and looking costs no further delay.
    for _ in range(3):
        assert await check(pool, PASSWORD) == Locked(minute)
    assert await check(pool, "wrong", minute) == Wrong()
    assert await check(pool, PASSWORD, minute) == Locked(minute + timedelta(minutes=2))
    later = minute + timedelta(minutes=2)
    assert await check(pool, PASSWORD, later) == Verified(person.id)
    assert await pool.fetchval("select failures from person_password") == 0
    assert await check(pool, "wrong", later) == Wrong()
    assert await check(pool, PASSWORD, later) == Verified(person.id)


async def test_tries_at_the_same_time_are_all_counted(pool: Pool, person: Person) -> None:
    answers = await asyncio.gather(*(check(pool, "wrong") for _ in range(12)))
    assert sum(isinstance(answer, Wrong) for answer in answers) == 5
    assert sum(isinstance(answer, Locked) for answer in answers) == 7


async def test_the_tries_of_one_are_not_those_of_another(pool: Pool, person: Person) -> None:
    async with transaction(pool, SYSTEM) as connection:
        content = PersonContent(name="李演示", email="li@example.com")
        other = await people_repository.insert_person(connection, content, vouched=True)
        await set_password(connection, SYSTEM, "li@example.com", PASSWORD)
    for _ in range(5):
        assert await check(pool, "wrong") == Wrong()
    assert await check(pool, PASSWORD, email="li@example.com") == Verified(other.id)
    assert isinstance(await check(pool, PASSWORD), Locked)


async def test_a_new_password_starts_anew(pool: Pool, person: Person) -> None:
    for _ in range(5):
        await check(pool, "wrong")
    async with transaction(pool, SYSTEM) as connection:
        await set_password(connection, SYSTEM, EMAIL, "another-password-1")
    assert await check(pool, PASSWORD) == Wrong()
    assert await check(pool, "another-password-1") == Verified(person.id)


async def test_a_hash_of_old_parameters_is_renewed_at_the_next_login(
    pool: Pool, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await pool.fetchval("select hash from person_password")
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert await check(pool, "wrong") == Wrong()
    assert await pool.fetchval("select hash from person_password") == before
    assert await check(pool, PASSWORD) == Verified(person.id)
    after = await pool.fetchval("select hash from person_password")
    assert "m=8,t=1" in before
    assert "m=16,t=2" in after
    assert await check(pool, PASSWORD) == Verified(person.id)


@pytest.mark.parametrize("password", ["short", "x" * 129, "a" * 20, EMAIL.upper(), ""])
async def test_a_password_that_is_easy_to_guess_is_refused(pool: Pool, person: Person, password: str) -> None:
    async with transaction(pool, SYSTEM) as connection:
        with pytest.raises(ValidationProblem) as refused:
            await set_password(connection, SYSTEM, EMAIL, password)
    assert [problem.field for problem in refused.value.problems] == ["password"]


async def test_nobody_has_no_password(pool: Pool) -> None:
    async with transaction(pool, SYSTEM) as connection:
        with pytest.raises(NotFound):
            await set_password(connection, SYSTEM, EMAIL, PASSWORD)


def test_the_shipped_parameters_are_those_of_the_standard() -> None:
    """RFC 9106, section 4: 64 MiB, 3 passes, 4 lanes, 16 bytes of salt, 32 bytes of tag."""
    shipped = PasswordHasher()
    assert (shipped.memory_cost, shipped.time_cost, shipped.parallelism) == (65_536, 3, 4)
    assert (shipped.salt_len, shipped.hash_len) == (16, 32)
