"""The ranking model that is active, kept in the database so that every process ranks with the same one."""

from dataclasses import dataclass
from datetime import datetime

import orjson

from matching.fusion import RankingModel, default_model, from_json, to_json
from service.kit.db import Connection

ACTIVE = """
select definition from ranking_model join active_ranking_model using (version)
"""
KEEP = """
insert into ranking_model (version, definition, activated_at) values ($1, $2::text::jsonb, now()) on conflict do nothing
"""
# A model that somebody activated stays; one that came with an earlier version of the code gives way to the present one.
ACTIVATE_DEFAULT = """
insert into active_ranking_model (version) values ($1)
on conflict (single) do update set version = excluded.version
where active_ranking_model.version like 'default-%' and active_ranking_model.version <> excluded.version
returning version
"""


async def active_ranking(connection: Connection) -> RankingModel:
    """The model that ranks now; before any was activated, the one that ships with the code."""
    definition = await connection.fetchval(ACTIVE)
    if definition is None:
        return default_model()
    return from_json(orjson.dumps(definition).decode())


async def install_default(connection: Connection) -> bool:
    """Keep the code's own model and activate it where no other was chosen; whether the active model changed."""
    model = default_model()
    await connection.execute(KEEP, model.version, to_json(model))
    return await connection.fetchval(ACTIVATE_DEFAULT, model.version) is not None


@dataclass(frozen=True, slots=True)
class KeptRanking:
    """A model of the database and since when it is there; None for the code's own that no process installed yet."""

    model: RankingModel
    created_at: datetime | None


OF_VERSION = "select definition, created_at from ranking_model where version = $1"
VERSIONS = "select version from ranking_model order by created_at desc, version"


async def ranking_of_version(connection: Connection, version: str) -> KeptRanking | None:
    """The model of a version; None where there is none."""
    row = await connection.fetchrow(OF_VERSION, version)
    if row is None:
        model = default_model()
        return KeptRanking(model, None) if version == model.version else None
    return KeptRanking(from_json(orjson.dumps(row["definition"]).decode()), row["created_at"])


async def ranking_versions(connection: Connection) -> list[str]:
    """Versions that can be asked for, the newest first."""
    kept = [row["version"] for row in await connection.fetch(VERSIONS)]
    return list(dict.fromkeys([*kept, default_model().version]))
