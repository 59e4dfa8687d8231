"""Look at what Duijie stands on, and say what to do where something is missing."""

import os
import platform
from dataclasses import dataclass

import asyncpg
from alembic.config import Config
from alembic.script import ScriptDirectory
from rich.console import Console
from rich.table import Table

from matching.embedding import EncoderError
from service.encoder_choice import source_in_use
from service.kit import queue
from service.kit.language import Text
from service.notices.smtp import refuses as mail_server_refuses
from service.resources import load_configured_encoder, open_database, open_pool
from service.settings import MIGRATIONS, Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: how it is, and what to do if it is not well."""

    what: Text
    well: bool
    found: str
    advice: Text | None = None


PRESENT_REVISION = "select version_num from alembic_version"


def latest_revision() -> str:
    """The newest migration that this code carries."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_current_head())


async def healthy(settings: Settings) -> str | None:
    """None when the database answers with the present schema, else what is wrong. Changes nothing."""
    if settings.database_url is None:
        return "DUIJIE_DATABASE_URL is not set: there is no server of its own to look at"
    try:
        connection = await asyncpg.connect(settings.database_url, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        return f"database out of reach: {error}"
    try:
        present = await connection.fetchval(PRESENT_REVISION)
    except asyncpg.PostgresError as error:
        return f"database not migrated: {error}"
    finally:
        await connection.close()
    return (
        None
        if present == latest_revision()
        else f"schema {present}, expected {latest_revision()}: run `duijie migrate`"
    )


async def examine(settings: Settings, console: Console) -> bool:
    """Print a table of findings; whether all is well."""
    database, source = await _database(settings)
    findings = [_machine(), *database, _encoder(settings, source), await _mail(settings)]
    table = Table("", Text("检查项", "checked").in_(settings.language), Text("结果", "found").in_(settings.language))
    for finding in findings:
        advice = f"\n{finding.advice}" if finding.advice and not finding.well else ""
        table.add_row("[green]✓[/]" if finding.well else "[red]✗[/]", str(finding.what), finding.found + advice)
    console.print(table)
    return all(finding.well for finding in findings)


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    found = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {cores} cores"
    return Finding(Text("本机", "machine"), True, found)


async def _database(settings: Settings) -> tuple[list[Finding], str | None]:
    """What was found, and the source of the encoder to be used; None where the database cannot say."""
    what = Text("数据库", "database")
    try:
        urls = await open_database(settings, migrating=True)
        async with open_pool(settings, urls, "duijie doctor") as pool, pool.acquire() as connection:
            server = await connection.fetchval("select current_setting('server_version')")
            vector = await connection.fetchval("select extversion from pg_extension where extname = 'vector'")
            bypass = await connection.fetchval(
                "select rolsuper or rolbypassrls from pg_roles where rolname = current_user"
            )
            source = await source_in_use(connection, settings)
            waiting, failed = await queue.waiting(connection), await queue.failed(connection)
    except Exception as error:
        advice = Text("检查 DUIJIE_DATABASE_URL 或 DUIJIE_HOME", "Check DUIJIE_DATABASE_URL or DUIJIE_HOME")
        return [Finding(what, False, str(error), advice)], None
    role_advice = Text("请求所用角色不得绕过行级安全", "The role of requests must not bypass row-level security")
    findings = [
        Finding(what, True, f"PostgreSQL {server}, pgvector {vector}"),
        Finding(Text("应用角色", "application role"), not bypass, "duijie_app", role_advice),
        Finding(
            Text("任务队列", "queue"),
            failed == 0,
            f"{waiting} waiting, {failed} failed",
            Text(
                "失败任务保留在 pgqueuer 表中，查看 pgqueuer_log 的原因",
                "Failed jobs stay in pgqueuer; see pgqueuer_log for why",
            ),
        ),
    ]
    return findings, source


async def _mail(settings: Settings) -> Finding:
    """Whether there is a mail server, and whether it lets this service in."""
    what = Text("邮件", "mail")
    if settings.smtp_host is None:
        found = Text(
            "未配置 DUIJIE_SMTP_HOST，通知仅在站内显示",
            "DUIJIE_SMTP_HOST is not set: notifications are shown in the application only",
        )
        return Finding(what, True, found.in_(settings.language))
    server = f"{settings.smtp_host}:{settings.smtp_port}, {settings.smtp_security}"
    reason = await mail_server_refuses(settings)
    advice = Text("检查 DUIJIE_SMTP_* 设置", "Check the settings DUIJIE_SMTP_*")
    return Finding(what, reason is None, f"{server}: {reason}" if reason else server, advice)


def _encoder(settings: Settings, source: str | None) -> Finding:
    what = Text("编码模型", "encoder")
    advice = Text("检查 DUIJIE_MODEL 或 duijie encoders list", "Check DUIJIE_MODEL, or duijie encoders list")
    try:
        identity = load_configured_encoder(settings, source).identity
    except EncoderError as error:
        return Finding(what, False, str(error), advice)
    return Finding(what, True, f"{identity.name}, {identity.dimensions} dimensions, {identity.checksum[:12]}")
