"""`duijie train encoder`: fine-tune the encoder in use, compare the two, and use the new one if it is better."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console

from matching.embedding import Encoder, load_encoder, load_plain
from matching.embedding import tuned as folders
from matching.embedding.centring import CentredEncoder
from matching.embedding.tuned import Card
from matching.evaluation import Dataset, load
from matching.evaluation.scratch import Progress
from matching.fusion import RankingModel, default_model
from matching.learning.encoder import Progress as Steps
from matching.learning.encoder import Recipe, Tuned, fine_tune
from matching.learning.encoder_compare import Comparison, compare_decisions, compare_rankings
from matching.learning.encoder_data import JudgedTexts, split, texts_of
from matching.learning.encoder_terms import read_terms
from service import encoder_choice
from service.encoder_choice import Change
from service.encoder_reports import comparison_table, verdict_text, watched_table
from service.evaluation import stages
from service.kit.actor import SYSTEM
from service.kit.clock import today
from service.kit.db import Pool, prepare_connection, transaction
from service.kit.language import Text
from service.matches.encoder_samples import decided_texts
from service.matches.models import active_ranking
from service.resources import DatabaseUrls, open_database, open_pool
from service.settings import Settings

SAY_EVERY = 10


@dataclass(frozen=True, slots=True)
class Options:
    """What is asked for.

    `dataset` is a BEIR folder, None for the market's own decisions; `terms` a file of translations; `forced` uses the new
    encoder whatever the comparison says; `dry_run` keeps nothing.
    """

    dataset: Path | None
    recipe: Recipe
    terms: Path | None = None
    dry_run: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True)
class _Task:
    """What is trained on, from which encoder, and how the two are compared."""

    data: str
    source: str
    texts: JudgedTexts
    dataset: Dataset | None
    ranking: RankingModel


async def train(settings: Settings, console: Console, options: Options) -> None:
    """Train, print what came of it, keep the new encoder with its card, and use it where it is proven better.

    With DUIJIE_MODEL set the new encoder is kept and not used: the setting goes before any choice.

    Raises:
        DatasetError: the data cannot be read, or is too little. EncoderError: the model cannot be trained, or another
        process is training. Conflict: the use is forced, and DUIJIE_MODEL is set.
    """
    if options.forced:
        encoder_choice.refuse_fixed(settings)
    urls = await open_database(settings, migrating=True)
    async with open_pool(settings, urls, "duijie train encoder") as pool:
        task = await _task(settings, pool, options)
        with folders.training_lock(settings.cache), stages(console) as show:
            tuned, card, comparison = await _train(settings, urls, task, options, show, console)
            if comparison is not None and not options.dry_run:
                await asyncio.to_thread(folders.save, tuned.encoder, card, settings.cache)
        kept = comparison is not None and not options.dry_run
        better = options.forced or (comparison is not None and comparison.is_better)
        used = kept and better and settings.model is None
        if used and comparison is not None:
            async with transaction(pool, SYSTEM) as connection:
                change = Change(card.source, "train", comparison.as_json())
                await encoder_choice.choose(connection, SYSTEM, settings, change)
    console.print(watched_table(tuned, task.texts.measure))
    if comparison is not None:
        console.print(comparison_table(comparison))
    console.print(verdict_text(comparison, card.source if kept else None, used=used, settings=settings))


async def _task(settings: Settings, pool: Pool, options: Options) -> _Task:
    async with transaction(pool, SYSTEM) as connection:
        source = await encoder_choice.source_in_use(connection, settings)
        active = await active_ranking(connection)
        # What is compared on graded data ranks by weights; where trees rank, the code's own weights stand in for them.
        ranking = active if isinstance(active, RankingModel) else default_model()
        if options.dataset is None:
            texts = await decided_texts(connection)
            pairs = sum(map(len, texts.grades.values()))
            return _Task(f"{pairs} decisions on {len(texts.needs)} needs", source, texts, None, ranking)
    dataset = load(options.dataset)
    data = f"{options.dataset.resolve().name}: {len(dataset.queries)} needs, {len(dataset.documents)} outcomes"
    return _Task(data, source, texts_of(dataset), dataset, ranking)


async def _train(
    settings: Settings, urls: DatabaseUrls, task: _Task, options: Options, show: Progress, console: Console
) -> tuple[Tuned, Card, Comparison | None]:
    """The trained encoder under its new name, its card, and the comparison; None where no epoch gained anything."""
    parts = split(task.texts, options.recipe.seed)
    terms = read_terms(options.terms) if options.terms is not None else None
    plain = await asyncio.to_thread(
        load_plain, task.source, settings.cache, dtype="float32", threads=settings.encoder_threads
    )
    base = plain.identity.checksum
    tuned = await _stoppable(
        lambda checked, said: fine_tune(
            plain,
            task.texts,
            parts,
            options.recipe,
            terms,
            progress=said,
            embedding=lambda done, total: checked("embed", done, total),
        ),
        show,
        console,
    )
    name = folders.next_name(settings.cache, f"{today():%Y%m%d}")
    figures: dict[str, Any] = {"recipe": asdict(options.recipe), "watched": tuned.watched, "losses": tuned.losses}
    if options.terms is not None:
        figures["terms"] = options.terms.name
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    if not tuned.has_learned:
        return tuned, Card(name, task.source, base, task.data, made_at, figures), None
    plain.rename(name)
    present = await asyncio.to_thread(load_encoder, task.source, settings.cache, dtype="float32")
    candidate = await asyncio.to_thread(CentredEncoder, plain, settings.cache)
    comparison = await _compare(urls, task, present, candidate, parts.compare, show)
    figures["comparison"] = comparison.as_json()
    return tuned, Card(name, task.source, base, task.data, made_at, figures), comparison


async def _compare(
    urls: DatabaseUrls, task: _Task, present: Encoder, candidate: Encoder, needs: tuple[str, ...], show: Progress
) -> Comparison:
    if task.dataset is None:
        return await asyncio.to_thread(compare_decisions, present, candidate, task.texts, needs)
    owner = await asyncpg.connect(urls.owner)
    try:
        await prepare_connection(owner)
        return await compare_rankings(owner, present, candidate, task.ranking, task.dataset, needs, show)
    finally:
        await owner.close()


async def _stoppable(work: Callable[[Progress, Steps], Tuned], show: Progress, console: Console) -> Tuned:
    """Run long work in a thread that ends at its next step when the command is interrupted."""
    stop = threading.Event()

    def checked(stage: str, done: int, total: int) -> None:
        if stop.is_set():
            raise InterruptedError("training was interrupted: nothing was kept")
        show(stage, done, total)

    def said(step: int, total: int, loss: float) -> None:
        checked("train", step, total)
        if step % SAY_EVERY == 0 or step == total:
            console.print(f"{step}/{total}: {Text('损失', 'loss')} {loss:.3f}", highlight=False)

    try:
        return await asyncio.to_thread(work, checked, said)
    except asyncio.CancelledError:
        stop.set()
        raise
