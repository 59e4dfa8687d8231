"""The first administrator, and a password, from the command line."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from service import administration, keys
from service.access.passwords import Verified, check_password
from service.errors import Conflict, NotFound, ValidationProblem
from service.kit.actor import SYSTEM
from service.kit.db import Pool, transaction
from service.settings import PROJECT_ROOT, Settings

EMAIL = "admin@example.com"


@pytest.fixture
def cli_settings(app_url: str, owner_url: str, tmp_path: Path) -> Settings:
    """Settings of a command on the test's database."""
    return Settings(home=tmp_path, database_url=app_url, owner_database_url=owner_url, model="fake", language="en")


async def create(settings: Settings, email: str = EMAIL, *, another: bool = False) -> str:
    return await administration.create_administrator(
        settings, "王演示", email, "market", "演示技术市场", another=another
    )


async def test_the_first_administrator_is_whole_and_the_second_is_asked_for(
    client: httpx2.AsyncClient, pool: Pool, cli_settings: Settings
) -> None:
    headers = {"Authorization": f"Bearer {await create(cli_settings)}"}
    me = (await client.get("/v1/me", headers=headers)).json()
    assert (me["roles"], me["scopes"]) == (["administrator"], ["admin", "read", "write"])
    assert (me["organization"]["external_id"], me["organization"]["state"]) == ("market", "verified")
    own = (await client.get("/v1/people/me", headers=headers)).json()
    assert (own["name"], own["email"]) == ("王演示", EMAIL)
    assert [membership["roles"] for membership in own["memberships"]] == [["administrator"]]
    with pytest.raises(Conflict) as refused:
        await create(cli_settings, "second@example.com")
    assert "--another" in str(refused.value)
    assert await pool.fetchval("select count(*) from person") == 1
    await create(cli_settings, "second@example.com", another=True)
    assert await pool.fetchval("select count(*) from membership where 'administrator' = any (roles)") == 2
    assert await pool.fetchval("select count(*) from organization") == 1


async def test_after_the_only_administrator_has_gone_there_is_a_first_one_again(
    client: httpx2.AsyncClient, cli_settings: Settings
) -> None:
    headers = {"Authorization": f"Bearer {await create(cli_settings)}"}
    assert (await client.delete("/v1/people/me", headers=headers)).status_code == 204
    again = {"Authorization": f"Bearer {await create(cli_settings)}"}
    assert (await client.get("/v1/me", headers=again)).status_code == 200


async def test_a_wrong_email_leaves_nothing(pool: Pool, cli_settings: Settings) -> None:
    with pytest.raises(ValidationProblem) as refused:
        await create(cli_settings, "nobody")
    assert [problem.field for problem in refused.value.problems] == ["email"]
    assert await pool.fetchval("select count(*) from organization") == 0


async def test_keys_are_made_and_rotated_from_the_command_line(
    client: httpx2.AsyncClient, pool: Pool, cli_settings: Settings
) -> None:
    with pytest.raises(ValidationProblem) as refused:
        await keys.create(cli_settings, "market", ["operator"], ["rule"], "x", "演示技术市场", "market")
    assert [problem.field for problem in refused.value.problems] == ["scope"]
    key = await keys.create(cli_settings, "market", ["operator"], ["read"], "x", "演示技术市场", "market")
    identifier = str(await pool.fetchval("select id from api_key"))
    successor = await keys.rotate(cli_settings, identifier, 0)
    assert (await client.get("/v1/me", headers={"Authorization": f"Bearer {key}"})).status_code == 401
    assert (await client.get("/v1/me", headers={"Authorization": f"Bearer {successor}"})).json()["scopes"] == ["read"]
    with pytest.raises(NotFound):
        await keys.rotate(cli_settings, "nonsense", 0)


async def test_the_commands_print_the_key_once_and_take_the_password_unseen(pool: Pool, cli_settings: Settings) -> None:
    environment = {
        **os.environ,
        "DUIJIE_DATABASE_URL": str(cli_settings.database_url),
        "DUIJIE_OWNER_DATABASE_URL": str(cli_settings.owner_database_url),
        "DUIJIE_HOME": str(cli_settings.home),
        "DUIJIE_LANGUAGE": "en",
    }

    async def run(*arguments: str, typed: str = "") -> "subprocess.CompletedProcess[str]":
        # Without a terminal of its own, so that a question is answered from standard input.
        return await asyncio.to_thread(
            subprocess.run, [sys.executable, "-m", "service.cli", *arguments], input=typed, env=environment,
            capture_output=True, text=True, cwd=PROJECT_ROOT, check=False, start_new_session=True,
        )  # fmt: skip

    made = await run("administrator", "create", "--name", "王演示", "--email", EMAIL)
    assert (made.returncode, made.stdout[:3]) == (0, "dj_"), made.stderr
    again = await run("administrator", "create", "--name", "王演示", "--email", "second@example.com")
    assert again.returncode == 1
    assert "--another" in again.stderr
    assert "Traceback" not in again.stderr
    password = "a-long-enough-phrase"
    done = await run("people", "password", EMAIL, typed=f"{password}\n{password}\n")
    assert done.returncode == 0, done.stderr
    assert password not in done.stdout + done.stderr
    async with transaction(pool, SYSTEM) as connection:
        assert isinstance(await check_password(connection, EMAIL, password), Verified)
