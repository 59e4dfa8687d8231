"""English and Arabic versions of demo needs find what their Chinese originals find, with the real model."""

import csv
import json
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

from matching import pipeline
from matching.embedding import Encoder
from matching.fusion import default_model
from matching.index import Connection
from matching.index.models import EmbeddingModel, register_model
from matching.profiling import ListingText, compose
from matching.profiling.compose import SECTION_WEIGHTS
from matching.types import Facets, Kind, Profile
from service.settings import SEEDS
from tests.matching.conftest import named

FOLDER = Path(__file__).parent
TOP = 10
DAY = date(2026, 1, 1)
Row = dict[str, Any]


def rows(pattern: str, folder: Path = SEEDS / "demo") -> dict[str, Row]:
    """Rows of some files by their external id."""
    lines = [line for file in sorted(folder.glob(pattern)) for line in file.read_text(encoding="utf-8").splitlines()]
    return {row["external_id"]: row for row in map(json.loads, lines)}


NEEDS, OUTCOMES = rows("needs-*.jsonl"), rows("outcomes-*.jsonl")
NAMES = tuple(rows("needs-en.jsonl", FOLDER))
LEAST = {"en": 0.9, "ar": 0.7}


def profile(kind: Kind, row: Row, *, facets: bool) -> Profile:
    """A row of demo data as the service would compose it."""
    stated = Facets(
        field=row.get("field"), modes=frozenset(row.get("modes", ())), maturity=row.get("maturity"), region=row.get("region")
    )  # fmt: skip
    sections = tuple(
        (name, row[name]) for name in SECTION_WEIGHTS if isinstance(row.get(name), str) and name != "title"
    )
    text = ListingText(
        named(f"{kind} {row['external_id']}"),
        kind,
        row["title"],
        sections,
        tuple(row.get("indicators", ())),
        tuple(row.get("keywords", ())),
        stated if facets else Facets(),
    )
    return compose(text)


async def index_outcomes(connection: Connection, encoder: Encoder) -> EmbeddingModel:
    """Index the demo's outcomes; the model."""
    model = await register_model(connection, "bundled", encoder.identity)
    for row in OUTCOMES.values():
        made = profile("outcome", row, facets=True)
        (encoded,) = encoder.encode([made.texts], "document")
        async with connection.transaction():
            await pipeline.index_profile(connection, made, {model.id: encoded})
    return model


async def first_ten(
    connection: Connection, model: EmbeddingModel, encoder: Encoder, row: Row, *, facets: bool
) -> set[UUID]:
    """What a need finds, with what the demo's need states of itself or with its text alone."""
    made = profile("need", row, facets=facets)
    (encoded,) = encoder.encode([made.texts], "query")
    async with connection.transaction():
        asking = await pipeline.embedded_ad_hoc(connection, made, encoded)
        found = await pipeline.rank(connection, asking, model, default_model(), today=DAY, limit=TOP)
    return {match.outcome_id for match in found}


def judged() -> dict[str, set[UUID]]:
    """The outcomes that were written for each need, with any grade above nought."""
    found: dict[str, set[UUID]] = {}
    for file in sorted((SEEDS / "demo").glob("relevance-*.tsv")):
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="\t"):
            if int(row["grade"]) > 0:
                found.setdefault(row["need"], set()).add(named(f"outcome {row['outcome']}"))
    return found


async def test_a_translated_need_finds_what_its_original_finds(connection: Connection, encoder: Encoder) -> None:
    """Of the fitting outcomes in an original's first ten, its translation has these shares in its own first ten."""
    model, fitting = await index_outcomes(connection, encoder), judged()
    assert len(NAMES) == 30
    for facets in (True, False):
        tens = {name: await first_ten(connection, model, encoder, NEEDS[name], facets=facets) for name in NAMES}
        for language, least in LEAST.items():
            wanted = kept = 0
            alike = []
            for name, row in rows(f"needs-{language}.jsonl", FOLDER).items():
                ten = await first_ten(connection, model, encoder, NEEDS[name] | row, facets=facets)
                wanted += len(tens[name] & fitting[name])
                kept += len(tens[name] & fitting[name] & ten)
                alike.append(len(tens[name] & ten) / TOP)
            print(f"{language}, facets {facets}: {kept} of {wanted} fitting ones, all ten alike {fmean(alike):.3f}")
            assert kept / wanted >= least, (language, facets)
