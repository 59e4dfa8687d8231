"""What fine-tuning on the demo data does: `python -m bench.tuning train FOLDER` and `python -m bench.tuning measure`.

`train` fine-tunes the bundled model on the demo data's intended pairs and, with `--terms`, on translations of terms;
`measure` prints the dense nDCG@10 on a BEIR folder, and how much of what a Chinese demo need finds in its first ten its
English and Arabic versions find there too.

The adapter of the bundled model came of `train FOLDER --model bundled-plain --terms matching/languages/terms.tsv --recipe
'{"rate": 0.001, "epochs": 3}'`, which leaves it in FOLDER/adapter.npz.
"""

import argparse
import json
import resource
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from statistics import fmean
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from matching.embedding import Encoder, load_plain
from matching.embedding.centring import CentredEncoder
from matching.evaluation import load
from matching.evaluation.significance import bootstrap
from matching.learning.encoder import Recipe, dense_figures, fine_tune
from matching.learning.encoder_data import JudgedTexts, Passages, Split, split, texts_of
from matching.learning.encoder_terms import read_terms
from matching.profiling import ListingText, compose
from matching.types import Kind
from service.matches.profiles import NEED_SECTIONS, OUTCOME_SECTIONS
from service.settings import SEEDS

DEMO = SEEDS / "demo"
FIRST = 10
NAMESPACE_KINDS: dict[str, Kind] = {"needs": "need", "outcomes": "outcome"}


def rows_of(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def passages_of(kind: Kind, row: dict[str, Any]) -> Passages:
    """A row of the demo data as the passages that the service would encode."""
    names = NEED_SECTIONS if kind == "need" else OUTCOME_SECTIONS
    sections = tuple((name, row[name]) for name in names if row.get(name))
    indicators, keywords = tuple(row.get("indicators") or ()), tuple(row.get("keywords") or ())
    return compose(ListingText(UUID(int=0), kind, row["title"], sections, indicators, keywords)).texts


def demo_texts() -> JudgedTexts:
    """The demo's needs, outcomes and intended relevance."""
    found: dict[str, dict[str, Passages]] = {"needs": {}, "outcomes": {}}
    for name, kind in NAMESPACE_KINDS.items():
        for file in sorted(DEMO.glob(f"{name}-*.jsonl")):
            found[name] |= {row["external_id"]: passages_of(kind, row) for row in rows_of(file)}
    grades: dict[str, dict[str, int]] = {}
    for file in sorted(DEMO.glob("relevance-*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            need, outcome, grade = line.split("\t")
            grades.setdefault(need, {})[outcome] = int(grade)
    return JudgedTexts({need: found["needs"][need] for need in grades}, found["outcomes"], grades, is_complete=True)


def train(arguments: argparse.Namespace) -> None:
    """Fine-tune on the demo data, save the model's folder, and the thin matrices in float16."""
    recipe = Recipe(**json.loads(arguments.recipe))
    encoder = load_plain(arguments.model, arguments.cache, dtype="float32", threads=1)
    texts = demo_texts()
    parts = split(texts, recipe.seed)
    # What is compared here lies outside the demo data, so that no need of it has to be held back for that.
    parts = Split((*parts.learn, *parts.compare), parts.watch, ())
    begun, used = time.perf_counter(), time.process_time()
    tuned = fine_tune(
        encoder,
        texts,
        parts,
        recipe,
        read_terms(arguments.terms) if arguments.terms else None,
        progress=lambda step, total, loss: print(f"{step}/{total} {loss:.3f}", flush=True),
    )
    print(f"watched {tuned.watched}, kept epoch {tuned.kept}, losses {tuned.losses}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(
        f"{time.perf_counter() - begun:.0f} s, {time.process_time() - used:.0f} s of processor, at most {peak:.1f} GB"
    )
    encoder.model.save_pretrained(str(arguments.folder), create_model_card=False)
    np.savez_compressed(arguments.folder / "adapter.npz", **halfway(tuned.adapter, recipe.alpha / recipe.rank / 2))


def halfway(adapter: Mapping[str, NDArray[np.float32]], scale: float) -> dict[str, NDArray[np.float16]]:
    """The thin matrices by the weight that their product, times `scale`, is added to, in float16.

    Halfway between the old weights and the new ones a model keeps what it knew and has most of what it learned
    (Wortsman et al. 2022, arXiv:2109.01903).
    """
    found: dict[str, NDArray[np.float16]] = {}
    for name, matrix in adapter.items():
        weight = name.removeprefix("base_model.model.").replace(".lora_A.weight", ".weight.down")
        weight = weight.replace(".lora_B.weight", ".weight.up")
        found[weight] = (matrix * scale if weight.endswith(".up") else matrix).astype(np.float16)
    return found


def measure(arguments: argparse.Namespace) -> None:
    """Print the figures of a model, centred as the service centres it."""
    plain = load_plain(arguments.model, arguments.cache, dtype=arguments.dtype, threads=1)
    encoder = CentredEncoder(plain, arguments.cache)
    if arguments.dataset is not None:
        texts = texts_of(load(arguments.dataset))
        needs, outcomes = list(texts.needs), list(texts.outcomes)
        found = dense_figures(
            _vectors(encoder, [texts.needs[need] for need in needs], "query"),
            _vectors(encoder, [texts.outcomes[outcome] for outcome in outcomes], "document"),
            texts,
            needs,
            outcomes,
        )
        values = [value for value in found.values() if value is not None]
        print(f"dense nDCG@10 {fmean(values):.4f} over {len(values)} needs, {bootstrap(values)}", flush=True)
        if arguments.out is not None:
            arguments.out.write_text(json.dumps(found), encoding="utf-8")
    if arguments.translations is not None:
        _across_languages(encoder, arguments.translations)


def _across_languages(encoder: Encoder, folder: Path) -> None:
    outcomes = {
        row["external_id"]: passages_of("outcome", row)
        for file in sorted(DEMO.glob("outcomes-*.jsonl"))
        for row in rows_of(file)
    }
    originals = {row["external_id"]: row for file in sorted(DEMO.glob("needs-*.jsonl")) for row in rows_of(file)}
    offered = _vectors(encoder, list(outcomes.values()), "document")

    def first(row: dict[str, Any]) -> set[int]:
        (vector,) = _vectors(encoder, [passages_of("need", row)], "query")
        return set(np.argsort(-(offered @ vector), kind="stable")[:FIRST].tolist())

    for language in ("en", "ar"):
        shared = [
            len(first(row) & first(originals[row["external_id"]])) / FIRST
            for row in rows_of(folder / f"needs-{language}.jsonl")
        ]
        print(f"{language}: {fmean(shared):.4f} of the Chinese needs' first {FIRST}, {len(shared)} needs", flush=True)


def _vectors(encoder: Encoder, texts: list[Passages], role: Any) -> Any:
    return np.stack([encoder.encode([passages], role)[0].vector for passages in texts])


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.tuning", description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("train")
    training.add_argument("folder", type=Path, help="where the model is saved")
    training.add_argument("--terms", type=Path, default=None, help="tab-separated terms: zh, en, ar")
    names = ", ".join(field.name for field in fields(Recipe))
    training.add_argument("--recipe", default="{}", help=f"JSON of {names}")
    training.set_defaults(work=train)
    measuring = commands.add_parser("measure")
    measuring.add_argument("--dataset", type=Path, default=None, help="a BEIR folder")
    measuring.add_argument(
        "--translations", type=Path, default=None, help="folder of needs-en.jsonl and needs-ar.jsonl"
    )
    measuring.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    measuring.add_argument("--out", type=Path, default=None, help="write the figures need by need")
    measuring.set_defaults(work=measure)
    for command in (training, measuring):
        command.add_argument("--model", default=None, help="as DUIJIE_MODEL")
        command.add_argument("--cache", type=Path, default=Path(".cache/models"))
    arguments = parser.parse_args()
    arguments.work(arguments)


if __name__ == "__main__":
    main()
