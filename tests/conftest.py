"""A real PostgreSQL for every test: one embedded server a session, one migrated template, one clone a test."""

import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import asyncpg
import httpx2
import hypothesis
import pytest
import structlog

from proof.scratch import fast_folder
from service import embedded
from service.access import service as access
from service.access.schemas import KeyRequest, OrganizationContent, OrganizationKind
from service.app import create_app
from service.kit.actor import SYSTEM, Actor, Role
from service.kit.db import SEARCH_PATH, Pool, create_pool, prepare_connection, transaction
from service.migrate import prepare_embedded
from service.resources import DatabaseUrls, Resources, resources_over
from service.settings import Settings

# A property is true or false however busy the machine is.
hypothesis.settings.register_profile("suite", deadline=None)
hypothesis.settings.load_profile("suite")
# A worker process of the suite is told a width, which tables would take for that of a terminal.
os.environ.pop("COLUMNS", None)
# Where a test fails by an error of the service, its traceback is written; with every local drawn that takes 20 seconds.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)


@pytest.fixture(autouse=True)
def _log_lines_end_with_the_test() -> Iterator[None]:
    """A command that a test runs logs to a stream that is closed with the test."""
    root = logging.getLogger()
    before = set(root.handlers)
    yield
    root.handlers = [each for each in root.handlers if each in before or type(each) is not logging.StreamHandler]


# pytest's fixture `record_property`: what a test counted, under the name "figure".
Record = Callable[[str, object], None]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures that tests recorded, in whichever process they ran."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            for name, figure in report.user_properties:
                if name == "figure":
                    terminalreporter.write_line(f"{report.nodeid.partition('::')[0]}: {figure}")


@dataclass(frozen=True, slots=True)
class Server:
    """The session's server and its migrated template database."""

    server: embedded.EmbeddedServer
    template: str

    def url(self, role: str, database: str) -> str:
        """Connection string of a role to a database."""
        return self.server.url(role, database)


INSPECTOR = "duijie_inspector"
CREATE_INSPECTOR = f"""
do $$ begin
    create role {INSPECTOR} login nobypassrls;
exception when duplicate_object then null;
end $$;
grant duijie_app, duijie_ranking to {INSPECTOR};
"""


# What a test writes need not outlive a power cut, and copying a database waits for the disk at every turn.
FORGETFUL = ("alter system set fsync = off", "alter system set full_page_writes = off", "select pg_reload_conf()")


async def _prepare_for_tests(superuser_url: str) -> None:
    superuser = await asyncpg.connect(superuser_url)
    for statement in (CREATE_INSPECTOR, *FORGETFUL):
        await superuser.execute(statement)
    await superuser.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """An embedded server in a folder of its own, with a migrated and seeded database `duijie` as the template.

    `DUIJIE_TEST_SERVER` names a running server (socket folder and port) with that template instead.
    """
    import asyncio

    if given := os.environ.get("DUIJIE_TEST_SERVER"):
        socket_folder, port = given.split()
        running = embedded.EmbeddedServer(Path(socket_folder), int(port))
        asyncio.run(_prepare_for_tests(running.url("postgres", "postgres")))
        yield Server(running, "duijie")
        return
    with tempfile.TemporaryDirectory(prefix="duijie-test-", dir=fast_folder(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = embedded.start(Path(folder))
        asyncio.run(prepare_embedded(server.url("postgres", "postgres"), server.url(embedded.OWNER)))
        asyncio.run(_prepare_for_tests(server.url("postgres", "postgres")))
        yield Server(server, "duijie")
        embedded.stop(Path(folder))


@asynccontextmanager
async def cloned(postgres: Server, template: str) -> AsyncIterator[str]:
    """The name of a fresh copy of a database that nobody is connected to, dropped afterwards."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    try:
        await admin.execute(f"create database {name} template {template} owner {embedded.OWNER} strategy file_copy")
        yield name
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
async def database(postgres: Server) -> AsyncIterator[str]:
    """The name of a fresh database, cloned from the template and dropped afterwards.

    `DUIJIE_MUTANT_SQL` takes a protection out of it (`make mutate`).
    """
    async with cloned(postgres, postgres.template) as name:
        if mutant := os.environ.get("DUIJIE_MUTANT_SQL"):
            await _mutate(postgres.url("postgres", name), mutant)
        yield name


async def _mutate(url: str, statement: str) -> None:
    superuser = await asyncpg.connect(url)
    try:
        await superuser.execute(statement)
    except asyncpg.PostgresError as error:
        # Not a failure of the test: a mutant that does not apply proves nothing.
        pytest.exit(f"the mutant does not apply: {error}", returncode=70)
    finally:
        await superuser.close()


@pytest.fixture
def owner_url(postgres: Server, database: str) -> str:
    """Connection of the migrating owner."""
    return postgres.url(embedded.OWNER, database)


@pytest.fixture
def app_url(postgres: Server, database: str) -> str:
    """Connection of the application role."""
    return postgres.url(embedded.APPLICATION, database)


@pytest.fixture
async def pool(postgres: Server, database: str) -> AsyncIterator[Pool]:
    """A pool that looks at the database as the service itself, also where a test names no actor, and into the index."""
    at_rest = {"search_path": SEARCH_PATH, "duijie.roles": Role.SYSTEM.value}
    url = postgres.url(INSPECTOR, database)
    made = await asyncpg.create_pool(url, min_size=1, max_size=5, init=prepare_connection, server_settings=at_rest)
    yield made
    await made.close()


@pytest.fixture
async def serving_pool(app_url: str) -> AsyncIterator[Pool]:
    """A pool as the application uses it."""
    made = await create_pool(app_url, size=5, statement_timeout_ms=30_000, application="test")
    yield made
    await made.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings that no environment variable reaches; a suite asks faster than any caller may."""
    return Settings(
        home=tmp_path,
        model="fake",
        language="en",
        rate_limit="0",
        rate_limit_organization="0",
        rate_limit_address="0",
        rate_limit_failures="0",
    )


@pytest.fixture
async def resources(settings: Settings, serving_pool: Pool, app_url: str, owner_url: str) -> AsyncIterator[Resources]:
    """What a running process holds, with an encoder that knows no meaning."""
    async with resources_over(settings, DatabaseUrls(app_url, owner_url), serving_pool) as held:
        await held.encoders.primary.encoder()
        yield held


@pytest.fixture
async def client(settings: Settings, resources: Resources) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client of the application."""

    @asynccontextmanager
    async def opener(_: Settings) -> AsyncIterator[Resources]:
        yield resources

    app = create_app(settings, opener)
    app.state.resources = resources
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://duijie.test") as made:
        yield made


@dataclass(frozen=True, slots=True)
class Member:
    """An organization with a key of one role."""

    role: str
    organization_id: UUID
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """The header that authenticates."""
        return {"Authorization": f"Bearer {self.key}"}


@dataclass(frozen=True, slots=True)
class Keys:
    """One member of each role, and a second enterprise and provider that are strangers to the first."""

    members: dict[str, Member]

    def headers(self, role: str) -> dict[str, str]:
        """The header that authenticates as `role`."""
        return self.members[role].headers

    def __getattr__(self, role: str) -> Member:
        return self.members[role]


ORGANIZATION_KINDS = {
    "enterprise": OrganizationKind.ENTERPRISE,
    "stranger": OrganizationKind.ENTERPRISE,
    "provider": OrganizationKind.UNIVERSITY,
    "other_provider": OrganizationKind.INSTITUTE,
    "broker": OrganizationKind.INTERMEDIARY,
    "operator": OrganizationKind.MARKET,
    "authority": OrganizationKind.AUTHORITY,
    "administrator": OrganizationKind.MARKET,
}
ROLE_OF = {"stranger": "enterprise", "other_provider": "provider"}


@pytest.fixture
async def keys(pool: Pool) -> Keys:
    """API keys of every role, each in an organization of its own."""
    members = {}
    async with transaction(pool, SYSTEM) as connection:
        for name, kind in ORGANIZATION_KINDS.items():
            role = ROLE_OF.get(name, name)
            content = OrganizationContent(
                external_id=f"org-{name}", name=f"测试演示单位 {name}", kind=kind, region="640100"
            )
            organization = await access.create_organization(connection, SYSTEM, content)
            request = KeyRequest(label="test", roles=[role], scopes=["read", "write", "admin"])
            made = await access.create_key(connection, SYSTEM, organization.id, request)
            members[name] = Member(role, organization.id, made.key)
    return Keys(members)


@pytest.fixture
def system() -> Actor:
    """The service itself as actor."""
    return SYSTEM
