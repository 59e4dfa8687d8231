"""Which encoder is to be used: DUIJIE_MODEL says, or else what was chosen last; every process reads it from here."""

from dataclasses import dataclass
from typing import Any, Literal

import asyncpg

from matching.embedding import BUNDLED
from service.errors import Conflict
from service.events import log
from service.kit.actor import Actor
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.settings import Settings

Action = Literal["train", "activate", "rollback"]

LOCK = "select pg_advisory_xact_lock(hashtext('encoder_choice'))"
PRESENT = "select id, source, before from encoder_choice order by id desc limit 1"
BY_ID = "select id, source, before from encoder_choice where id = $1"
INSERT = """
insert into encoder_choice (source, action, before, report, key_id) values ($1, $2, $3, $4, $5) returning subject_id
"""


@dataclass(frozen=True, slots=True)
class Change:
    """A choice as it was made: the source chosen, by what action, and the figures that it was chosen for."""

    source: str
    action: Action
    report: dict[str, Any]


async def source_in_use(connection: Connection, settings: Settings) -> str:
    """The source of the encoder that this process is to use."""
    if settings.model is not None:
        return settings.model
    try:
        present = await connection.fetchrow(PRESENT)
    except asyncpg.UndefinedTableError:
        # A process may start before the migration; the health check says so, and nothing was chosen yet.
        return BUNDLED
    return present["source"] if present else BUNDLED


async def choose(connection: Connection, actor: Actor, settings: Settings, change: Change) -> None:
    """Use another encoder from now on: workers fill its vectors in beside the old ones, then all processes switch.

    Raises:
        Conflict: it is in use already, or DUIJIE_MODEL is set, which goes before any choice.
    """
    refuse_fixed(settings)
    present = await _locked(connection)
    if change.source == (present["source"] if present else BUNDLED):
        raise Conflict(Text(f"编码模型 {change.source} 已在使用", f"The encoder {change.source} is in use already"))
    await _insert(connection, actor, change, present["id"] if present else None)


async def rollback(connection: Connection, actor: Actor, settings: Settings) -> str:
    """Return to the encoder that was in use before, again and again down to that of the wheel; its source.

    Raises:
        Conflict: nothing was in use before, or DUIJIE_MODEL is set.
    """
    refuse_fixed(settings)
    present = await _locked(connection)
    if present is None or (present["before"] is None and present["source"] == BUNDLED):
        raise Conflict(
            Text("此前没有其他编码模型，无法回退", "No other encoder was in use before: nothing to go back to")
        )
    target = await connection.fetchrow(BY_ID, present["before"]) if present["before"] is not None else None
    source: str = target["source"] if target else BUNDLED
    await _insert(connection, actor, Change(source, "rollback", {}), target["before"] if target else None)
    return source


def refuse_fixed(settings: Settings) -> None:
    """Refuse to choose where DUIJIE_MODEL would go before the choice.

    Raises:
        Conflict: it is set.
    """
    if settings.model is not None:
        raise Conflict(
            Text(
                f"DUIJIE_MODEL 已设为 {settings.model}，优先于任何选择：请先取消该变量",
                f"DUIJIE_MODEL is set to {settings.model} and goes before any choice: unset it first",
            )
        )


async def _locked(connection: Connection) -> Row | None:
    """The present choice, with nobody else choosing until the transaction ends."""
    await connection.execute(LOCK)
    return await connection.fetchrow(PRESENT)


async def _insert(connection: Connection, actor: Actor, change: Change, before: int | None) -> None:
    subject = await connection.fetchval(INSERT, change.source, change.action, before, change.report, actor.key_id)
    data = {"source": change.source}
    await log.record(connection, actor, "encoder", subject, change.action, to_state="chosen", data=data)
