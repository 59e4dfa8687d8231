"""The ranking model that is active, kept in the database so that every process ranks with the same one."""

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
