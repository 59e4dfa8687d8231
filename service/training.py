"""`duijie train ranking` and `duijie models`: learn from decisions, look at what was learned, choose what ranks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rich.console import Console, RenderableType

from matching.fusion import Ranking
from matching.learning.compare import LEAST_NEEDS
from matching.learning.examples import TrainingRows, training_rows
from matching.learning.propose import Proposal, propose
from matching.learning.shadow import shadow
from matching.signals import SIGNALS
from service.errors import Conflict
from service.evaluation import stages
from service.events import log
from service.kit.actor import SYSTEM
from service.kit.clock import today
from service.kit.db import Connection, Pool, transaction
from service.kit.language import Text
from service.matches import labels, models
from service.reports import (
    comparison_table,
    facts_of,
    levels_table,
    list_of_models,
    shadow_table,
    verdict_text,
    weights_table,
)
from service.resources import open_database, open_pool
from service.settings import Settings


@asynccontextmanager
async def _pool(settings: Settings) -> AsyncIterator[Pool]:
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie models") as pool:
        yield pool


@dataclass(frozen=True, slots=True)
class Trained:
    """What training came to: the proposal, and whether its model was kept and now ranks."""

    proposal: Proposal
    kept: bool
    active: bool


async def train(settings: Settings, console: Console, *, dry_run: bool, least: int, activating: bool) -> None:
    """Learn from every decision so far, print the report, and activate what is proven better.

    Raises:
        Conflict: there are too few decisions or needs, or another model was activated meanwhile.
    """
    async with _pool(settings) as pool:
        async with transaction(pool, SYSTEM) as connection:
            rows = training_rows(await labels.decided(connection), [signal.name for signal in SIGNALS])
            before = await models.active_ranking(connection)
            version = await _next_version(connection)
        _check_enough(rows, least)
        with stages(console) as show:
            proposal = await asyncio.to_thread(propose, rows, before, version, progress=show)
        trained = Trained(proposal, False, False)
        if not dry_run:
            async with transaction(pool, SYSTEM) as connection:
                trained = await conclude(connection, proposal, before.version, activating=activating)
    console.print(weights_table(before, proposal.model, rows))
    console.print(comparison_table(proposal.figures()))
    console.print(levels_table(proposal.model, rows))
    console.print(verdict_text(proposal, kept=trained.kept, active=trained.active))


async def conclude(connection: Connection, proposal: Proposal, before: str, *, activating: bool) -> Trained:
    """Keep what was learned, with its figures, and activate it where it is proven better.

    Raises:
        Conflict: the model that it was compared with is not the active one any more, or the version is taken.
    """
    if (await models.active_ranking(connection)).version != before:
        raise Conflict(
            Text("训练期间启用了其他模型，请重新运行", "Another model was activated during training: run it again")
        )
    comparison, model = proposal.comparison, proposal.model
    learned = models.Learned(before, comparison.rows, comparison.needs, proposal.figures())
    await models.keep_learned(connection, model, learned)
    row = await models.get(connection, model.version)
    data = {"version": model.version, "verdict": proposal.verdict, "labels": comparison.rows}
    await log.record(connection, SYSTEM, "ranking_model", row["id"], "learn", to_state="kept", data=data)
    active = activating and proposal.verdict != "kept"
    if active:
        await models.activate(connection, SYSTEM, model.version, "train")
    return Trained(proposal, True, active)


def _check_enough(rows: TrainingRows, least: int) -> None:
    if len(rows) < least:
        text = Text(
            f"可学习的决定只有 {len(rows)} 条，少于 {least} 条；可用 --min-decisions 降低要求",
            f"There are {len(rows)} decisions to learn from, fewer than {least}; --min-decisions lowers the bar",
        )
        raise Conflict(text)
    if rows.need_count < LEAST_NEEDS:
        text = Text(
            f"决定只涉及 {rows.need_count} 项需求，至少需要 {LEAST_NEEDS} 项，才能在未见过的需求上检验",
            f"The decisions are on {rows.need_count} needs; at least {LEAST_NEEDS} are needed, so that some can be held back",
        )
        raise Conflict(text)


async def _next_version(connection: Connection) -> str:
    taken = {row["version"] for row in await models.kept_models(connection)}
    number = 1
    while (version := f"learned-{today():%Y%m%d}-{number}") in taken:
        number += 1
    return version


async def listing(settings: Settings) -> RenderableType:
    """Every model as a table."""
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        return list_of_models(await models.kept_models(connection))


async def show(settings: Settings, version: str) -> list[RenderableType]:
    """A model's facts, weights, and the figures it was judged by.

    Raises:
        NotFound: there is none of this version.
    """
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        row = await models.get(connection, version)
        model = models.read_definition(row["definition"])
        parent = await _parent(connection, row["parent"])
    tables: list[RenderableType] = [facts_of(row), weights_table(parent, model, None)]
    return [*tables, comparison_table(row["report"])] if row["report"] else tables


async def _parent(connection: Connection, version: str | None) -> Ranking | None:
    return None if version is None else models.read_definition((await models.get(connection, version))["definition"])


async def activate(settings: Settings, version: str) -> None:
    """Let a model rank from now on.

    Raises:
        NotFound, Conflict, Unavailable: there is none of this version, it is active already, or cannot run here.
    """
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        await models.activate(connection, SYSTEM, version)


async def rollback(settings: Settings) -> str:
    """Return to the model that was active before; its version.

    Raises:
        Conflict: none was.
    """
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        return await models.rollback(connection, SYSTEM)


async def compare(settings: Settings, version: str) -> RenderableType:
    """What a model would change in the stored lists of published needs.

    Raises:
        NotFound: there is none of this version.
    """
    async with _pool(settings) as pool, transaction(pool, SYSTEM) as connection:
        model = models.read_definition((await models.get(connection, version))["definition"])
        lists = await labels.stored_lists(connection)
    return shadow_table(shadow(list(lists.values()), model), version)
