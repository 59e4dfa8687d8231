"""Migrations: at once from two sides, again, and without leaving half of anything; the application role's limits."""

import asyncio
import importlib
import pkgutil
from pathlib import Path

import asyncpg
import pytest

import matching
import service
from migrations import script
from service import embedded, migrate, seeds
from service.doctor import latest_revision
from service.kit.db import Pool, prepare_connection
from tests.conftest import Server


@pytest.fixture
async def empty(postgres: Server) -> str:
    """An empty database of the owner, with the extension that only a superuser makes."""
    admin = await asyncpg.connect(postgres.url("postgres", "postgres"))
    name = f"empty_{id(admin):x}"
    try:
        await admin.execute(f"drop database if exists {name} with (force)")
        await admin.execute(f"create database {name} owner {embedded.OWNER} template template0")
    finally:
        await admin.close()
    inside = await asyncpg.connect(postgres.url("postgres", name))
    await inside.execute("create extension vector")
    await inside.close()
    return postgres.url(embedded.OWNER, name)


async def fetch(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_two_that_migrate_at_once_and_one_that_comes_later(empty: str) -> None:
    await asyncio.gather(migrate.migrate(empty), migrate.migrate(empty))
    await migrate.migrate(empty)
    assert await fetch(empty, "select version_num from alembic_version") == latest_revision()
    assert await fetch(empty, "select count(*) from field") == 19


async def test_a_migration_that_fails_leaves_nothing(
    empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in script.FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    broken = tmp_path / "0002_matching_index.sql"
    broken.write_text(broken.read_text() + "\nselect no_such_function();")
    # Alembic loads the versions by path, and they take this module as it is in memory.
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    with pytest.raises(asyncpg.UndefinedFunctionError):
        await migrate.migrate(empty)
    assert await fetch(empty, "select count(*) from pg_tables where schemaname in ('public', 'matching')") == 0
    monkeypatch.undo()
    await migrate.migrate(empty)
    assert await fetch(empty, "select version_num from alembic_version") == latest_revision()


async def test_seeds_load_twice_and_keep_what_operators_changed(owner_url: str) -> None:
    owner = await asyncpg.connect(owner_url)
    await prepare_connection(owner)
    before = [
        await owner.fetchval(f"select count(*) from {table}") for table in ("field", "region", "code", "partner_pair")
    ]
    async with owner.transaction():
        await seeds.load(owner)
    assert before == [
        await owner.fetchval(f"select count(*) from {table}") for table in ("field", "region", "code", "partner_pair")
    ]
    await owner.close()


async def test_the_application_role_is_bound_by_policies_and_cannot_rewrite_history(serving_pool: Pool) -> None:
    async with serving_pool.acquire() as connection:
        assert await connection.fetchval("select current_user") == "duijie_app"
        bypass = "select rolsuper or rolbypassrls or rolcreaterole from pg_roles where rolname = current_user"
        assert await connection.fetchval(bypass) is False
        for statement in (
            "delete from event",
            "update event set action = 'x'",
            "update decision set action = 'accept'",
            "delete from listing_revision",
            "create table mine (id integer)",
            "update field set label_zh = 'x'",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


def statements() -> list[tuple[str, str]]:
    found = []
    for package in (service, matching):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            loaded = importlib.import_module(module.name)
            for name, value in vars(loaded).items():
                if name.isupper() and isinstance(value, str):
                    words = value.lstrip().split(maxsplit=1)
                    if words and words[0] in ("select", "insert", "update", "delete", "with"):
                        found.append((f"{module.name}.{name}", value))
    return sorted(set(found))


STATEMENTS = statements()


@pytest.mark.parametrize("statement", [text for _, text in STATEMENTS], ids=[name for name, _ in STATEMENTS])
async def test_every_statement_prepares(postgres: Server, statement: str) -> None:
    connection = await asyncpg.connect(
        postgres.url(embedded.OWNER, postgres.template), server_settings={"search_path": "public, matching"}
    )
    try:
        await prepare_connection(connection)
        await connection.prepare(statement)
    finally:
        await connection.close()


async def test_a_ranked_list_is_one_walk_along_its_index(pool: Pool, owner_url: str) -> None:
    from service.matches.repository import OF_NEED, OF_OUTCOME

    owner = await asyncpg.connect(owner_url)
    await owner.execute("""
        insert into organization (name, kind) values ('演示单位', 'enterprise');
        insert into listing (kind, organization_id, state, title)
        select kind, (select id from organization limit 1), 'published', 'listing ' || n
        from generate_series(1, 300) n, (values ('need'), ('outcome')) as kinds (kind);
        insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
        select need.id, outcome.id, random(), 0.5, 'fair', '{}', 'test'
        from (select id from need limit 100) need, (select id from outcome limit 300) outcome;
        analyze;
    """)
    for statement, index, kind in (
        (OF_NEED, "recommendation_of_need", "need"),
        (OF_OUTCOME, "recommendation_of_outcome", "outcome"),
    ):
        identifier = await owner.fetchval("select id from listing where kind = $1 order by id limit 1", kind)
        arguments = (identifier, ["proposed", "accepted"], None, None, None, 21)
        async with owner.transaction():
            await owner.execute("set local plan_cache_mode = force_custom_plan")
            prepared = await owner.prepare(statement)
            plan = str(await prepared.explain(*arguments))
        assert index in plan
        assert "Sort" not in plan
    await owner.close()


async def test_an_index_of_before_gets_versions_and_numbers_and_loses_its_graphs(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts that are indexed already are of the second tokenizer, each with a number; graphs are built anew by the worker."""
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0003"))
        await migrate.migrate(empty)
    owner = await asyncpg.connect(empty, server_settings={"search_path": "public, matching"})
    try:
        await owner.execute("""
            insert into match_profile (id, kind, title, language, sections, passages, passage_weights)
            select uuidv7(), 'outcome', 'n', 'zh', '{}', '{}', '{}' from generate_series(1, 3);
            insert into match_lexeme (profile_id, kind, weights) select id, kind, '{1:1}/1000000000' from match_profile;
            create index match_vector_graph_1_outcome on match_vector using hnsw ((embedding::halfvec(4)) halfvec_ip_ops);
        """)
        await migrate.migrate(empty)
        rows = await owner.fetch("select tokenizer, number from match_lexeme order by number")
        assert [tuple(row) for row in rows] == [(2, 1), (2, 2), (2, 3)]
        assert not await owner.fetch("select from pg_indexes where indexname like 'match_vector_graph%'")
    finally:
        await owner.close()


async def test_an_index_of_before_gets_the_groups_of_its_fields(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each profile gets the group that the taxonomy has for its field; without a field it gets none."""
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0008"))
        await migrate.migrate(empty)
    owner = await asyncpg.connect(empty, server_settings={"search_path": "public, matching"})
    try:
        await owner.execute("""
            insert into match_profile (id, kind, title, language, field, sections, passages, passage_weights)
            select uuidv7(), kind, title, 'zh', field, '{}', '{}', '{}'
            from (values ('need', 'a', 'goji'), ('outcome', 'b', 'clean_energy'), ('outcome', 'c', null)) as row (kind, title, field);
        """)
        assert not await owner.fetch(
            "select from pg_attribute where attname = 'field_group' and attrelid = 'match_profile'::regclass"
        )
        await migrate.migrate(empty)
        rows = await owner.fetch("select title, field_group from match_profile order by title")
        assert [tuple(row) for row in rows] == [("a", "agriculture"), ("b", "industry"), ("c", None)]
    finally:
        await owner.close()


async def test_what_was_returned_before_is_read_from_the_log_and_waits_to_be_counted(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered by the owner; submitted by staff; returned by the own organization, which asks nobody; still open."""
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0009"))
        await migrate.migrate(empty)
    owner = await asyncpg.connect(empty, server_settings={"search_path": "public, matching"})
    try:
        await owner.execute("""
            insert into organization (name, kind) values ('own', 'university'), ('staff', 'market');
            insert into listing (kind, organization_id, state, title)
            select 'outcome', (select id from organization where name = 'own'), 'draft', title
            from unnest(array['answered', 'for them', 'own', 'open']) as title;
            insert into event (id, subject_kind, subject_id, organization_id, action, at)
            select uuidv7(make_interval(hours => hour)), 'outcome', (select id from listing where title = subject),
                (select id from organization where name = actor), action, timestamptz '2026-01-01 00:00Z' + make_interval(hours => hour)
            from (values
                ('answered', 'own', 'submit', 1), ('answered', 'staff', 'return', 2), ('answered', 'own', 'submit', 5),
                ('for them', 'staff', 'return', 2), ('for them', 'staff', 'submit', 4), ('for them', 'own', 'withdraw', 6),
                ('own', 'own', 'return', 2), ('own', 'own', 'submit', 3),
                ('open', 'staff', 'return', 2), ('open', 'own', 'submit', 3), ('open', 'staff', 'return', 7)
            ) as row (subject, actor, action, hour);
        """)
        await migrate.migrate(empty)
        rows = await owner.fetch("""
            select title, extract(hour from asked_at at time zone 'utc')::int, extract(hour from ended_at at time zone 'utc')::int, answered
            from organization_response join listing on listing.id = subject_id order by 1, 2
        """)
        assert [tuple(row) for row in rows] == [
            ("answered", 2, 5, True),
            ("for them", 2, 4, False),
            ("open", 2, 3, True),
            ("open", 7, None, False),
        ]
        waiting = await owner.fetch(
            "select name, counted_at < now() from match_organization join organization on id = organization"
        )
        assert [tuple(row) for row in waiting] == [("own", True)]
    finally:
        await owner.close()


async def test_organizations_and_keys_of_before_keep_what_they_could_do(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Organizations count as verified, keys have every scope, and a credit code that is none leaves an event."""
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0012"))
        await migrate.migrate(empty)
    owner = await asyncpg.connect(empty, server_settings={"search_path": "public, matching"})
    try:
        await owner.execute("""
            insert into organization (name, kind, credit_code)
            values ('right', 'enterprise', '919900000000000005'), ('wrong', 'enterprise', '919900000000000006'),
                   ('none', 'enterprise', null);
            insert into api_key (organization_id, label, digest, roles)
            select id, 'before', sha256(name::bytea), '{enterprise}' from organization;
        """)
        await migrate.migrate(empty)
        rows = await owner.fetch("select name, state, credit_code, verified_at = created_at as same from organization")
        assert {tuple(row) for row in rows} == {
            ("right", "verified", "919900000000000005", True),
            ("wrong", "verified", None, True),
            ("none", "verified", None, True),
        }
        cleared = await owner.fetch("""
            select name, data ->> 'credit_code' as code from event join organization on organization.id = subject_id
        """)
        assert [tuple(row) for row in cleared] == [("wrong", "919900000000000006")]
        scopes = await owner.fetch("select distinct scopes, person_id from api_key")
        assert [tuple(row) for row in scopes] == [(["read", "write", "admin"], None)]
        with pytest.raises(asyncpg.NotNullViolationError):
            await owner.execute("""
                insert into api_key (organization_id, label, digest, roles)
                select id, 'after', sha256('after'), '{enterprise}' from organization limit 1
            """)
    finally:
        await owner.close()


async def test_contracts_and_needs_of_before_are_as_the_rules_have_them(
    empty: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two contracts of one pair the second is a further one; a need that is talked about is docking, by one event."""
    upgrade = migrate.command.upgrade
    with monkeypatch.context() as before:
        before.setattr(migrate.command, "upgrade", lambda config, _: upgrade(config, "0026"))
        await migrate.migrate(empty)
    owner = await asyncpg.connect(empty, server_settings={"search_path": "public, matching"})
    try:
        await owner.execute("""
            insert into organization (name, kind) values ('own', 'enterprise');
            insert into listing (kind, organization_id, state, title, version, published_at)
            select kind, (select id from organization), state, title, 4, '2026-01-01'
            from (values ('need', 'published', 'talked about'), ('need', 'published', 'alone'), ('need', 'withdrawn', 'gone'),
                         ('outcome', 'published', 'outcome')) as row (kind, state, title);
            insert into embedding_model (source, name, checksum, dimensions, state) values ('m', 'm', 'm', 384, 'active');
            insert into listing_matching (listing_id, indexed_version, embedding_model)
            select id, 4, (select min(id) from embedding_model) from listing where title = 'talked about';
            insert into recommendation (need_id, outcome_id, state, score, probability, level, explanation, model_version)
            select need.id, outcome.id, 'accepted', 1, 1, 'fair', '{}', 'm' from listing as need, listing as outcome
            where need.kind = 'need' and outcome.kind = 'outcome';
            insert into docking_case (recommendation_id, need_id, outcome_id, need_organization_id, outcome_organization_id, state,
                                      opened_at, state_since, updated_at)
            select recommendation.id, need_id, outcome_id, need.organization_id, need.organization_id,
                   case title when 'alone' then 'invited' else 'consulting' end, now(), now(), now()
            from recommendation join listing as need on need.id = need_id;
            insert into contract (id, organization_id, recommendation_id, case_id, origin_reason, state, signed_on, terms, type, name,
                                  currency, turnover, technology_value)
            select uuidv7(make_interval(secs => number)), (select id from organization),
                   case entered.origin when 'pair' then pair.id end, case entered.origin when 'case' then docking_case.id end,
                   case entered.origin when 'reason' then 'x' end, entered.state, '2026-01-01', '{}', 'service', name, 'CNY', 1, 1
            from (values (1, 'case', 'signed', 'first'), (2, 'pair', 'signed', 'second'), (3, 'pair', 'cancelled', 'over'),
                         (4, 'reason', 'signed', 'of its own')) as entered (number, origin, state, name)
            join recommendation as pair on true join docking_case on recommendation_id = pair.id
            join listing on listing.id = pair.need_id and title = 'talked about';
        """)
        await migrate.migrate(empty)
        needs = await owner.fetch(
            "select title, state, version, published_at::date::text from listing where kind = 'need'"
        )
        assert {tuple(row) for row in needs} == {
            ("talked about", "docking", 5, "2026-01-01"),
            ("alone", "published", 4, "2026-01-01"),
            ("gone", "withdrawn", 4, "2026-01-01"),
        }
        assert await owner.fetchval("select indexed_version from listing_matching") == 5
        (event,) = await owner.fetch(
            "select action, from_state, to_state, subject_id from event where subject_kind = 'need'"
        )
        assert (event["action"], event["from_state"], event["to_state"]) == ("dock", "published", "docking")
        contracts = await owner.fetch("select name, further, pair_id is not null as of_pair from contract")
        assert {tuple(row) for row in contracts} == {
            ("first", False, True), ("second", True, True), ("over", False, True), ("of its own", False, False),
        }  # fmt: skip
    finally:
        await owner.close()
