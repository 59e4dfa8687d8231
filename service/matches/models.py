"""The ranking models: which one is active, so that every process ranks with the same one, and which there were."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson

from matching.fusion import Ranking, RankingModelError, TreesUnavailableError, default_model, from_json, to_json
from service.errors import Conflict, NotFound, Unavailable
from service.events import log
from service.kit import queue
from service.kit.actor import SYSTEM, Actor
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.kit.queue import ListingJob

Action = Literal["install", "train", "activate", "rollback"]
ACTIVE = """
select definition from ranking_model join active_ranking_model using (version)
"""


async def active_ranking(connection: Connection) -> Ranking:
    """The model that ranks now; before any was activated, the one that ships with the code.

    Raises:
        Unavailable: the active model is one of trees, and this machine lacks what they need.
    """
    definition = await connection.fetchval(ACTIVE)
    return default_model() if definition is None else read_definition(definition)


def read_definition(definition: dict[str, Any]) -> Ranking:
    """A stored definition as a model.

    Raises:
        Unavailable: it is one of trees, and this machine lacks what they need; or it cannot be used at all.
    """
    try:
        return from_json(orjson.dumps(definition).decode())
    except (RankingModelError, TreesUnavailableError) as error:
        text = f"排序模型在本机无法运行：{error}", f"The ranking model cannot run on this machine: {error}"
        raise Unavailable(Text(*text)) from error


KEEP = """
insert into ranking_model (version, definition, origin, parent, labels, needs, report)
values ($1, $2::text::jsonb, $3, $4, $5, $6, $7) on conflict do nothing
returning version
"""


@dataclass(frozen=True, slots=True)
class Learned:
    """What is kept with a model that was learned: the model it started from, its labels and needs, and the figures."""

    parent: str
    labels: int
    needs: int
    report: dict[str, Any]


async def keep_learned(connection: Connection, model: Ranking, learned: Learned) -> None:
    """Keep a model that was learned.

    Raises:
        Conflict: another one was kept under this version meanwhile.
    """
    origin = ("decisions", learned.parent, learned.labels, learned.needs, learned.report)
    if await connection.fetchval(KEEP, model.version, to_json(model), *origin) is None:
        text = f"版本 {model.version} 已被占用，请重新运行", f"The version {model.version} is taken: run it again"
        raise Conflict(Text(*text))


# The row is locked, so that two who activate at once do so one after the other and the history stays a line.
PRESENT = """
select activation.id, activation.version, activation.chosen, activation.before
from active_ranking_model as active join ranking_activation as activation on activation.id = active.activation_id
"""
# Of two who activate the second waits here, also before there is a row to lock.
LOCK = "select pg_advisory_xact_lock(hashtext('active_ranking_model'))"
RECORD = """
insert into ranking_activation (version, action, chosen, before, key_id) values ($1, $2, $3, $4, $5) returning id
"""
POINT = """
insert into active_ranking_model (version, activation_id) values ($1, $2)
on conflict (single) do update set version = excluded.version, activation_id = excluded.activation_id
"""
TOUCH = "update ranking_model set activated_at = now() where version = $1 returning id"


async def _present(connection: Connection) -> Row | None:
    await connection.execute(LOCK)
    return await connection.fetchrow(PRESENT)


async def _activate(
    connection: Connection, actor: Actor, version: str, action: Action, *, chosen: bool, before: UUID | None
) -> None:
    """Point to a model, keep the activation, and leave an event."""
    activation = await connection.fetchval(RECORD, version, action, chosen, before, actor.key_id)
    await connection.execute(POINT, version, activation)
    model = await connection.fetchval(TOUCH, version)
    await log.record(connection, actor, "ranking_model", model, action, to_state="active", data={"version": version})


async def activate(connection: Connection, actor: Actor, version: str, action: Action = "activate") -> None:
    """Let a kept model rank from now on, and have every list ranked anew.

    Raises:
        NotFound: no model has this version. Conflict: it is active already.
        Unavailable: this machine lacks what the model needs.
    """
    read_definition((await get(connection, version))["definition"])
    present = await _present(connection)
    if present is not None and present["version"] == version:
        raise Conflict(Text(f"模型 {version} 已在使用", f"The model {version} is active already"))
    await _activate(connection, actor, version, action, chosen=True, before=present["id"] if present else None)
    await rank_everything(connection)


BEFORE = "select version, chosen, before from ranking_activation where id = $1"


async def rollback(connection: Connection, actor: Actor) -> str:
    """Return to the model that was active before the present one, again and again down to the first; its version.

    Raises:
        Conflict: nothing was active before.
    """
    present = await _present(connection)
    target = await connection.fetchrow(BEFORE, present["before"]) if present and present["before"] else None
    if target is None:
        raise Conflict(
            Text("此前没有其他排序模型，无法回退", "No other model was active before: nothing to go back to")
        )
    version: str = target["version"]
    await _activate(connection, actor, version, "rollback", chosen=target["chosen"], before=target["before"])
    await rank_everything(connection)
    return version


async def install_default(connection: Connection) -> bool:
    """Keep the code's own model and activate it where no other was chosen; whether the active model changed.

    A model that somebody chose stays; one that came with an earlier version of the code gives way to the present one.
    """
    model = default_model()
    await connection.execute(KEEP, model.version, to_json(model), "shipped", None, 0, 0, {})
    # Asked without the lock first: this runs every minute, and hardly ever has anything to do.
    if _stays(await connection.fetchrow(CHOSEN), model.version):
        return False
    present = await _present(connection)
    if _stays(present, model.version):
        return False
    before = present["id"] if present else None
    await _activate(connection, SYSTEM, model.version, "install", chosen=False, before=before)
    return True


CHOSEN = """
select activation.version, activation.chosen
from active_ranking_model as active join ranking_activation as activation on activation.id = active.activation_id
"""


def _stays(present: Row | None, shipped: str) -> bool:
    return present is not None and (present["chosen"] or present["version"] == shipped)


GET = """
select ranking_model.*, active_ranking_model.version is not null as active
from ranking_model left join active_ranking_model using (version)
where ranking_model.version = $1
"""


async def get(connection: Connection, version: str) -> Row:
    """A kept model: definition, origin, parent, labels, needs, report, when it was made and last activated.

    Raises:
        NotFound: there is none of this version.
    """
    row = await connection.fetchrow(GET, version)
    if row is None:
        text = f"没有版本为 {version} 的模型，见 duijie models list", f"No model {version}: see duijie models list"
        raise NotFound(Text(*text))
    return row


LIST = """
select ranking_model.*, active_ranking_model.version is not null as active
from ranking_model left join active_ranking_model using (version)
order by created_at, version
"""


async def kept_models(connection: Connection) -> list[Row]:
    """Every model, oldest first, with the columns of `get`."""
    return await connection.fetch(LIST)


# What is not indexed yet is ranked by the job that indexes it. Asked for earlier, the ranking would find nothing, and
# while it runs its key would keep out the ranking that indexing asks for.
INDEXED = """
select listing.id, listing.version from listing
join listing_matching on listing_id = listing.id and indexed_version = listing.version
where state in ('published', 'docking') order by listing.id
"""


async def rank_everything(connection: Connection) -> None:
    """Ask for every published and indexed listing to be ranked anew."""
    jobs = [ListingJob(row["id"], row["version"]) for row in await connection.fetch(INDEXED)]
    await queue.enqueue_rank(connection, jobs, bulk=True)


INDEXED_OUTCOMES = """
select listing.id, listing.version from listing
join listing_matching on listing_id = listing.id and indexed_version = listing.version
where organization_id = $1 and kind = 'outcome' and state = 'published' order by listing.id
"""


async def rank_outcomes_of(connection: Connection, organization_id: UUID) -> None:
    """Ask for an organization's published and indexed outcomes to be ranked anew: what is known of their provider has changed."""
    rows = await connection.fetch(INDEXED_OUTCOMES, organization_id)
    await queue.enqueue_rank(connection, [ListingJob(row["id"], row["version"]) for row in rows], bulk=True)


@dataclass(frozen=True, slots=True)
class KeptRanking:
    """A model of the database and since when it is there; None for the code's own that no process installed yet."""

    model: Ranking
    created_at: datetime | None


OF_VERSION = "select definition, created_at from ranking_model where version = $1"
VERSIONS = "select version from ranking_model order by created_at desc, version"


async def ranking_of_version(connection: Connection, version: str) -> KeptRanking | None:
    """The model of a version; None where there is none."""
    row = await connection.fetchrow(OF_VERSION, version)
    if row is None:
        model = default_model()
        return KeptRanking(model, None) if version == model.version else None
    return KeptRanking(read_definition(row["definition"]), row["created_at"])


async def ranking_versions(connection: Connection) -> list[str]:
    """Versions that can be asked for, the newest first."""
    kept = [row["version"] for row in await connection.fetch(VERSIONS)]
    return list(dict.fromkeys([*kept, default_model().version]))
