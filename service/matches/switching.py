"""Bring the index to what is configured while it serves, a step at a time.

Vectors of a new model are filled in beside the old ones, then all switch at once; texts that older code cut into terms
are cut anew in small transactions; terms that were written since are packed.
"""

import asyncpg
import structlog

from matching.embedding import Encoder, EncoderError
from matching.index import candidates, postings
from matching.index.models import (
    EmbeddingModel,
    activate_model,
    create_graph_index,
    drop_retired_vectors,
    live_models,
    profiles_without_vector,
    register_model,
)
from matching.index.profiles import of_older_parser, rewrite_outdated_lexemes
from matching.index.vocabulary import collection_size, is_of_this_code, note_tokenizer
from matching.types import Kind
from service.encoder_choice import source_in_use
from service.kit import queue
from service.kit.actor import SYSTEM
from service.kit.db import Connection, ranking_role, transaction
from service.matches.models import install_default, rank_everything
from service.resources import Resources

log = structlog.get_logger("duijie.models")

AT_ONCE = 5_000
# Other writers wait for the lexicon meanwhile: some tenths of a second.
TEXTS_AT_ONCE = 50
KINDS: tuple[Kind, ...] = ("need", "outcome")
VERSIONS = "select id, version from listing where id = any ($1) and state in ('published', 'docking')"


async def settle(resources: Resources) -> None:
    """Bring models, terms and postings to what is configured, chosen and written; called again and again."""
    await _settle_models(resources)
    await _rewrite_terms(resources)
    await _pack_terms(resources)


async def _settle_models(resources: Resources) -> None:
    encoder = await _follow(resources)
    if encoder is None:
        return
    async with transaction(resources.pool, SYSTEM) as connection:
        if await install_default(connection):
            await rank_everything(connection)
        async with ranking_role(connection):
            model = await register_model(connection, resources.encoders.source, encoder.identity)
        if model.state == "building" and not await _fill(connection, model) and await _activate(connection, model):
            log.info("embedding model switched", model=model.name)
            await rank_everything(connection)
        await _read_again(connection)
        async with ranking_role(connection):
            await drop_retired_vectors(connection)
            large = max(await collection_size(connection, "need"), await collection_size(connection, "outcome"))
            models = await live_models(connection)
    await resources.encoders.keep_only({model.source for model in models})
    if large >= candidates.GRAPH_FROM:
        await _ensure_graphs(resources, models)


async def _follow(resources: Resources) -> Encoder | None:
    """The encoder to be used, opened; None where one was chosen that this machine cannot open: the present one stays.

    Raises:
        EncoderError: the one that the process began with cannot be opened.
    """
    encoders = resources.encoders
    async with transaction(resources.pool, SYSTEM) as connection:
        source = await source_in_use(connection, resources.settings)
    if resources.settings.model is not None or source == encoders.source:
        return await encoders.primary.encoder()
    try:
        return await encoders.follow(source)
    except EncoderError as error:
        log.error(
            "the encoder that was chosen cannot be opened; the present one stays", source=source, error=str(error)
        )
        return None


async def _rewrite_terms(resources: Resources) -> None:
    """Cut every text anew that another version of the tokenizer cut.

    Until it is done a query of new terms does not meet the old ones of what is still to come; all others it meets.
    """
    async with transaction(resources.pool, SYSTEM) as connection, ranking_role(connection):
        if await is_of_this_code(connection):
            return
    written, again = 0, True
    while again:
        async with transaction(resources.pool, SYSTEM) as connection, ranking_role(connection):
            done = await rewrite_outdated_lexemes(connection, TEXTS_AT_ONCE)
        written, again = written + done, done > 0
    async with transaction(resources.pool, SYSTEM) as connection:
        # Not so while another worker is at it, or an older one still runs: the next turn sees to it.
        async with ranking_role(connection):
            noted = await note_tokenizer(connection)
        if noted:
            log.info("terms written anew", texts=written)
            await rank_everything(connection)


async def _pack_terms(resources: Resources) -> None:
    """Pack the terms of what was written since, if it is much."""
    for kind in KINDS:
        async with transaction(resources.pool, SYSTEM) as connection, ranking_role(connection):
            up_to = await postings.last_number(connection, kind)
        more = True
        while more:
            async with transaction(resources.pool, SYSTEM) as connection, ranking_role(connection):
                more = await postings.pack(connection, kind, up_to)


async def _fill(connection: Connection, model: EmbeddingModel) -> int:
    """Ask for the vectors that the new model lacks; how many there are."""
    async with ranking_role(connection):
        lacking = await profiles_without_vector(connection, model.id, AT_ONCE)
    for row in await connection.fetch(VERSIONS, [identifier for identifier, _ in lacking]):
        await queue.enqueue_index(connection, row["id"], row["version"], bulk=True)
    return len(lacking)


async def _activate(connection: Connection, model: EmbeddingModel) -> bool:
    async with ranking_role(connection):
        return await activate_model(connection, model.id)


async def _read_again(connection: Connection) -> None:
    """Ask for profiles whose figures an older version of the code read, so that all are compared by the same rules."""
    async with ranking_role(connection):
        older = await of_older_parser(connection, AT_ONCE)
    for row in await connection.fetch(VERSIONS, older):
        await queue.enqueue_index(connection, row["id"], row["version"], bulk=True)


async def _ensure_graphs(resources: Resources, models: list[EmbeddingModel]) -> None:
    """Graph indexes are made by the owner; the application's role may not, and scans exactly until they are there."""
    owner = await asyncpg.connect(resources.urls.owner, server_settings={"search_path": "matching, public"})
    try:
        for model in models:
            await create_graph_index(owner, model)
    except asyncpg.InsufficientPrivilegeError:
        # Without DUIJIE_OWNER_DATABASE_URL this process is not the owner; the same statements then scan exactly.
        log.warning("no graph index: let a process with DUIJIE_OWNER_DATABASE_URL run once")
    finally:
        await owner.close()
