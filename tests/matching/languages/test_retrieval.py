"""English and Arabic versions of demo needs find what their Chinese originals find, with the real model."""

import csv
import json
from datetime import date
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

from matching import pipeline
from matching.embedding import Encoded, Encoder
from matching.fusion import default_model
from matching.index import Connection
from matching.index.models import EmbeddingModel, register_model
from matching.profiling import ListingText, compose
from matching.profiling.compose import SECTION_WEIGHTS
from matching.types import Facets, Kind, Level, Profile
from service.settings import SEEDS
from tests.conftest import Record
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
    connection: Connection, model: EmbeddingModel, encoded: Encoded, row: Row, *, facets: bool
) -> dict[UUID, Level]:
    """What a need finds and how well it fits, with what the demo's need states of itself or with its text alone."""
    made = profile("need", row, facets=facets)
    async with connection.transaction():
        asking = await pipeline.embedded_ad_hoc(connection, made, encoded)
        found = await pipeline.rank(connection, asking, model, default_model(), today=DAY, limit=TOP)
    return {match.outcome_id: match.level for match in found}


def judged() -> dict[str, set[UUID]]:
    """The outcomes that were written for each need, with any grade above nought."""
    found: dict[str, set[UUID]] = {}
    for file in sorted((SEEDS / "demo").glob("relevance-*.tsv")):
        for row in csv.DictReader(file.read_text(encoding="utf-8").splitlines(), delimiter="\t"):
            if int(row["grade"]) > 0:
                found.setdefault(row["need"], set()).add(named(f"outcome {row['outcome']}"))
    return found


async def test_a_translated_need_finds_what_its_original_finds(
    connection: Connection, encoder: Encoder, record_property: Record
) -> None:
    """Of what an original finds in its first ten, its translation has these shares in its own first ten.

    Two ways to say what was found: what the service calls related (any level above "none"), and what was written to fit.
    The list is filled up to ten with what is not related, in an order that says nothing; it is reported all the same.
    """
    model, fitting = await index_outcomes(connection, encoder), judged()
    versions = {"zh": {name: NEEDS[name] for name in NAMES}}
    for language in LEAST:
        translated = rows(f"needs-{language}.jsonl", FOLDER)
        versions[language] = {name: NEEDS[name] | row for name, row in translated.items()}
    assert [len(found) for found in versions.values()] == [30, 30, 30]
    tens: dict[tuple[str, bool], dict[str, dict[UUID, Level]]] = {}
    for language, needs in versions.items():
        for name, row in needs.items():
            (encoded,) = encoder.encode([profile("need", row, facets=True).texts], "query")
            for facets in (True, False):
                ten = await first_ten(connection, model, encoded, row, facets=facets)
                tens.setdefault((language, facets), {})[name] = ten
    for language, least in LEAST.items():
        for facets in (True, False):
            originals, found = tens["zh", facets], tens[language, facets]
            related = {name: {one for one, level in originals[name].items() if level != "none"} for name in NAMES}
            fits = {name: originals[name].keys() & fitting[name] for name in NAMES}
            shares = {}
            for what, wanted in (("related", related), ("fitting", fits)):
                kept = sum(len(wanted[name] & found[name].keys()) for name in NAMES)
                total = sum(map(len, wanted.values()))
                shares[what] = kept / total
                figure = f"{language}, facets {facets}: {kept} of {total} {what} ones ({kept / total:.3f})"
                record_property("figure", figure)
            alike = fmean(len(originals[name].keys() & found[name].keys()) / TOP for name in NAMES)
            record_property("figure", f"{language}, facets {facets}: all ten places alike {alike:.3f}")
            assert min(shares.values()) >= least, (language, facets, shares)
