"""Fit the default ranking model: `python -m matching.learning.fit DATASET --database URL --model FOLDER [--out FILE]`.

The text signals' weights are those of a logistic regression (L2, C = 1) over the candidates of every need: grades 2 and
3 against the rest, what is unjudged counting as 0. Weights below zero are refused, since no text signal speaks against
a pair. What the data set says nothing about (field, modes, maturity, deadline, price, region, freshness, responsiveness,
indicators) keeps the prior weights below, small against the text's. Levels are cut so that each holds as many pairs as the
judges gave its grade.

The figure that counts is printed first: nDCG@10 cross-validated over needs.
"""

import argparse
import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from matching.embedding import load_encoder
from matching.evaluation import Dataset, load, metrics
from matching.evaluation.scratch import fill, identifier_of, profile_of, scratch_schema
from matching.evaluation.systems import DAY
from matching.fusion import DEFAULT, RankingModel, Term, probability_of, to_json
from matching.index import Connection, candidates, profiles, register_codecs, tokens
from matching.index.models import EmbeddingModel
from matching.learning.calibration import expected_calibration_error
from matching.pipeline import embedded_ad_hoc, retrieve
from matching.signals import SIGNALS, pairs_of
from matching.types import EmbeddedProfile, Scope

TEXT_SIGNALS = ("semantic", "coverage", "title", "interaction", "lexical")
# Log-odds between a full agreement and a full disagreement; neutral is where a reading neither helps nor hurts.
PRIORS = {
    "field": Term(1.0, 0.5),
    "modes": Term(0.6, 0.5),
    "maturity": Term(0.9, 0.6),
    "deadline": Term(0.5, 0.6),
    "price": Term(0.8, 0.6),
    "region": Term(0.4, 0.5),
    "freshness": Term(0.2, 0.5),
    "responsiveness": Term(0.3, 0.5),
    "indicators": Term(1.2, 0.5),
}
FOLDS = 5
SEEDS = 5
STRENGTH = 1.0
RELEVANT = 2

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Examples:
    """Candidates of all needs: text signals, grades and the need's number, one row a candidate."""

    readings: Matrix
    grades: NDArray[np.int64]
    needs: NDArray[np.int64]
    documents: list[str]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic model over the text signals."""

    intercept: float
    weights: Matrix
    means: Matrix

    def scores(self, readings: Matrix) -> Matrix:
        """Log-odds of rows."""
        scores: Matrix = self.intercept + (readings - self.means) @ self.weights
        return scores


async def gather(owner: Connection, dataset: Dataset, model_folder: str | None, cache: Path) -> Examples:
    """Read every text signal of every candidate, through the service's own index."""
    encoder = await asyncio.to_thread(load_encoder, model_folder, cache)
    rows: list[list[float]] = []
    grades: list[int] = []
    needs: list[int] = []
    documents: list[str] = []
    names = {identifier_of("outcome", document.id): document.id for document in dataset.documents}
    async with scratch_schema(owner):
        embedding = await fill(owner, encoder, dataset.documents, lambda *_: None)
        for number, query in enumerate(dataset.queries):
            profile = profile_of("need", query)
            (encoded,) = encoder.encode([profile.texts], "query")
            async with owner.transaction():
                asking = await embedded_ad_hoc(owner, profile, encoded)
                for identifier, readings in await _candidates(owner, asking, embedding):
                    rows.append(readings)
                    grades.append(dataset.grades[query.id].get(names[identifier], 0))
                    needs.append(number)
                    documents.append(names[identifier])
    return Examples(np.array(rows), np.array(grades), np.array(needs), documents)


async def _candidates(
    owner: Connection, asking: EmbeddedProfile, embedding: EmbeddingModel
) -> list[tuple[UUID, list[float]]]:
    rarity = await candidates.rarity_of(owner, [asking.terms])
    found = await retrieve(owner, asking, embedding, rarity, Scope())
    wanted = [signal for signal in SIGNALS if signal.name in TEXT_SIGNALS]
    outcomes = await profiles.load(owner, "outcome", embedding.id, found)
    asked = [asking.encoded.tokens.identifiers] if asking.encoded.tokens is not None else []
    token_rarity = await tokens.rarity_of(owner, embedding.id, asked)
    pairs = pairs_of(asking, outcomes, rarity, token_rarity, DAY)
    return [(pair.outcome.profile.id, [float(signal.read(pair).raw or 0.0) for signal in wanted]) for pair in pairs]


def fit(readings: Matrix, relevant: NDArray[np.bool_]) -> Fitted:
    """Weights per unit of raw reading; a signal that would get a negative one is left out and the rest fitted anew."""
    means, spreads = readings.mean(axis=0), readings.std(axis=0)
    scaled = (readings - means) / spreads
    kept = np.ones(readings.shape[1], dtype=bool)
    while True:
        model = LogisticRegression(C=STRENGTH, max_iter=1_000).fit(scaled[:, kept], relevant)
        if (model.coef_[0] >= 0).all():
            break
        kept[np.flatnonzero(kept)[model.coef_[0] < 0]] = False
    weights = np.zeros(readings.shape[1])
    weights[kept] = model.coef_[0] / spreads[kept]
    return Fitted(float(model.intercept_[0]), weights, means)


def cross_validate(examples: Examples, dataset: Dataset) -> tuple[float, float, Matrix]:
    """nDCG@10 and recall@50 over needs that the weights were not fitted on, and the scores of the last partition."""
    ndcgs, recalls = [], []
    scores = np.zeros(len(examples.grades))
    for seed in range(SEEDS):
        folds = np.random.default_rng(seed).permutation(len(dataset.queries)) % FOLDS
        for fold in range(FOLDS):
            held = folds[examples.needs] == fold
            fitted = fit(examples.readings[~held], examples.grades[~held] >= RELEVANT)
            scores[held] = fitted.scores(examples.readings[held])
        for number, query in enumerate(dataset.queries):
            own = np.flatnonzero(examples.needs == number)
            ranked = [examples.documents[row] for row in own[np.argsort(-scores[own], kind="stable")]]
            ndcgs.append(metrics.ndcg(ranked, dataset.grades[query.id]))
            recalls.append(metrics.recall(ranked, dataset.grades[query.id]))
    return float(np.mean(ndcgs)), float(np.mean([each for each in recalls if each is not None])), scores


def thresholds(scores: Matrix, grades: NDArray[np.int64]) -> tuple[float, float, float]:
    """Least probabilities of strong, fair and weak: as many pairs above each as judges gave grade 3, 2 and 1 or more."""
    ordered = np.sort(scores)[::-1]
    strong, fair, weak = (
        round(probability_of(float(ordered[max(0, int((grades >= grade).sum()) - 1)])), 3) for grade in (3, 2, 1)
    )
    return strong, fair, weak


def as_model(fitted: Fitted, cuts: tuple[float, float, float], version: str) -> RankingModel:
    """The ranking model of fitted text weights and prior weights."""
    values = zip(TEXT_SIGNALS, fitted.weights, fitted.means, strict=True)
    text = {name: Term(round(float(weight), 3), round(float(mean), 4)) for name, weight, mean in values}
    return RankingModel(version, round(fitted.intercept, 3), text | PRIORS, cuts)


async def main(arguments: argparse.Namespace) -> None:
    """Fit, cross-validate, print, and write the model where a file is given."""
    dataset = load(arguments.dataset)
    owner = await asyncpg.connect(arguments.database)
    try:
        await register_codecs(owner)
        examples = await gather(owner, dataset, arguments.model, arguments.cache)
    finally:
        await owner.close()
    ndcg, recall, scores = cross_validate(examples, dataset)
    error = expected_calibration_error(1 / (1 + np.exp(-scores)), examples.grades >= RELEVANT)
    print(
        f"cross-validated over {len(dataset.queries)} needs: nDCG@10 {ndcg:.3f}, recall@50 {recall:.3f}, "
        f"expected calibration error {error:.3f}"
    )
    fitted = fit(examples.readings, examples.grades >= RELEVANT)
    model = as_model(fitted, thresholds(scores, examples.grades), arguments.version)
    print(json.dumps(json.loads(to_json(model))))
    if arguments.out:
        arguments.out.write_text(to_json(model) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m matching.learning.fit", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--database", required=True, help="connection of an owner that may create a schema")
    parser.add_argument("--model", default=None, help="as DUIJIE_MODEL")
    parser.add_argument("--cache", type=Path, default=Path(".cache"))
    parser.add_argument("--version", default="default-5")
    parser.add_argument("--out", type=Path, default=None, help=f"for example {DEFAULT.name}")
    return parser.parse_args()


if __name__ == "__main__":
    asyncio.run(main(_arguments()))
