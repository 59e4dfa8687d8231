"""Ranking models as JSON: of which kind one is, and what a definition must hold."""

import json
import math
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from matching.fusion.model import RankingModel, RankingModelError, Term, Thresholds
from matching.fusion.trees import TreeModel
from matching.types import LEVELS

DEFAULT = Path(__file__).with_name("default.json")
# Both kinds say the same of a pair: signals' parts that add up to a score in log-odds, and the levels' thresholds.
Ranking = RankingModel | TreeModel


def from_json(text: str) -> Ranking:
    """A model from its definition; one that names no kind is logistic.

    Raises:
        RankingModelError: an entry is missing or no finite number, or the thresholds do not descend.
        TreesUnavailableError: the model is one of trees, and LightGBM cannot be loaded here.
    """
    try:
        values = json.loads(text)
        kind = values.get("kind", "logistic")
        if kind not in READERS:
            raise RankingModelError(f"the ranking model's kind is {kind!r}: {' or '.join(READERS)}")
        return READERS[kind](values)
    except RankingModelError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RankingModelError(f"the ranking model lacks or misstates {error}") from error


def _logistic(values: dict[str, Any]) -> RankingModel:
    terms = {name: Term(float(term["weight"]), float(term["neutral"])) for name, term in values["terms"].items()}
    intercept, thresholds = float(values["intercept"]), _thresholds(values)
    _check_finite([intercept, *(number for term in terms.values() for number in (term.weight, term.neutral))])
    return RankingModel(str(values["version"]), intercept, MappingProxyType(terms), thresholds)


def _trees(values: dict[str, Any]) -> TreeModel:
    signals = tuple(str(name) for name in values["signals"])
    neutrals = tuple(float(values["signals"][name]["neutral"]) for name in signals)
    weights = tuple(float(values["signals"][name]["weight"]) for name in signals)
    intercept, scale, thresholds = float(values["intercept"]), float(values["scale"]), _thresholds(values)
    _check_finite([intercept, scale, *neutrals, *weights])
    if scale <= 0:
        raise RankingModelError("the scale of a ranking model of trees is above 0")
    model = TreeModel(
        str(values["version"]), intercept, signals, neutrals, weights, scale, str(values["booster"]), thresholds
    )
    model.check()
    return model


READERS: dict[str, Callable[[dict[str, Any]], Ranking]] = {"logistic": _logistic, "trees": _trees}


def _thresholds(values: dict[str, Any]) -> Thresholds:
    strong, fair, weak = (float(values["thresholds"][level]) for level in LEVELS[:3])
    _check_finite([strong, fair, weak])
    if not 1 >= strong >= fair >= weak >= 0:
        raise RankingModelError("the thresholds of a ranking model descend from strong to weak, between 1 and 0")
    return strong, fair, weak


def _check_finite(numbers: Iterable[float]) -> None:
    if not all(math.isfinite(number) for number in numbers):
        raise RankingModelError("the ranking model holds a number that is not finite")


def to_json(model: Ranking) -> str:
    """The definition of a model."""
    thresholds = dict(zip(LEVELS[:3], model.thresholds, strict=True))
    if isinstance(model, RankingModel):
        terms = {name: {"weight": term.weight, "neutral": term.neutral} for name, term in model.terms.items()}
        own: dict[str, Any] = {"version": model.version, "intercept": model.intercept, "terms": terms}
    else:
        signals = {
            name: {"weight": weight, "neutral": neutral}
            for name, weight, neutral in zip(model.signals, model.weights, model.neutrals, strict=True)
        }
        own = {
            "version": model.version,
            "kind": "trees",
            "intercept": model.intercept,
            "scale": model.scale,
            "signals": signals,
            "booster": model.booster,
        }
    return json.dumps(own | {"thresholds": thresholds}, indent=1)


@cache
def default_model() -> RankingModel:
    """The model that ships with the code."""
    model = from_json(DEFAULT.read_text(encoding="utf-8"))
    if not isinstance(model, RankingModel):
        raise RankingModelError("the model that ships is logistic, so that ranking needs no library of the system")
    return model
