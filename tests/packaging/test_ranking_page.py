"""Every number of the worked example in docs/ranking.md, computed anew by the functions that rank."""

import re
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import numpy as np
import pytest

from matching.embedding.protocol import Encoded
from matching.embedding.tokens import TokenVectors
from matching.fusion import default_model, probability_of
from matching.index.candidates import Rarity
from matching.index.tokens import TokenRarity
from matching.index.vocabulary import K1, document_weights, inverse_document_frequency, query_weights
from matching.indicators.asked import asked_of, stated_of
from matching.pipeline import score_pair
from matching.signals import SIGNALS, Pair, pairs_of
from matching.signals.answers import FULL_WEIGHT
from matching.types import (
    AnswerHistory,
    Contribution,
    EmbeddedProfile,
    Facets,
    Floats,
    Kind,
    Match,
    Passage,
    Profile,
    Terms,
)
from tests.packaging.markdown import ROOT, Markdown

PAGE = Markdown(ROOT / "docs" / "ranking.md")
EXAMPLE = PAGE.prose.partition("## A worked example\n")[2].partition("\n## ")[0]
DAY = date(2026, 1, 1)
OUTCOMES = 100
LENGTH = 8
# Of multilingual-e5-small.
MODEL_DIMENSIONS = 384
# Numbers on the page have at most four places.
PLACES = 0.5e-4 + 1e-6
Row = dict[str, str]


def table(first: str) -> list[Row]:
    """The rows of the example's table whose first heading is this, by heading."""
    lines = EXAMPLE.splitlines()
    (start,) = [place for place, line in enumerate(lines) if line.startswith(f"| {first} |")]
    found = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return [dict(zip(found[0], cells, strict=True)) for cells in found[2:]]


def vectors(text: str) -> Floats:
    """The vectors in a text, such as (0.6, 0, 0.8); each has to have length 1."""
    rows = [[float(number) for number in group.split(",")] for group in re.findall(r"\(([-\d., ]+,[-\d., ]+)\)", text)]
    found = np.array(rows, dtype=np.float32)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    return found


def paragraph(begin: str) -> str:
    """The paragraph of the example that begins like this."""
    (found,) = [part for part in EXAMPLE.split("\n\n") if part.startswith(begin)]
    return found


PASSAGES, TOKENS, TERMS = map(table, ("need's passage", "need's token", "need's term"))
FACTS = {row["fact"]: row for row in table("fact")}
WHOLE, COVERED, POOLED = map(vectors, map(paragraph, ("**Semantic.**", "**Coverage.**", "**Tokens.**")))
NUMBERS = {row["need's term"]: number for number, row in enumerate(TERMS, start=1)}
ANSWERED = Counter(
    {row["need's term"]: int(row["times in outcome"]) for row in TERMS if row["times in outcome"] != "0"}
)
# What the outcome says besides, up to its length.
OTHERS = Counter({"other": LENGTH - ANSWERED.total()})


def facets(column: str) -> Facets:
    """What a side states, from the table of facts."""
    region, region_class = FACTS["region"][column].split(", ")
    days = re.match(r"\d+", FACTS["freshness"][column])
    amount = Decimal(FACTS["price"][column])
    return Facets(
        field=FACTS["field"][column],
        industry=FACTS["field"]["reading"][-1],
        region=region,
        region_class=region_class,
        modes=frozenset(FACTS["modes"][column].split(", ")),
        maturity=int(FACTS["maturity"][column]),
        price_min=amount,
        price_max=amount,
        published_on=DAY - timedelta(int(days[0])) if days else None,
    )


def history() -> AnswerHistory:
    """How the outcome's provider has answered, from the table of facts."""
    return AnswerHistory(*(int(number) for number in re.findall(r"\d+", FACTS["responsiveness"]["outcome"])))


def side(kind: Kind, passages: list[Passage], encoded: Encoded, weights: dict[str, float]) -> EmbeddedProfile:
    """One side of the example."""
    read = asked_of if kind == "need" else stated_of
    figures = read(("indicators", text) for text in re.split("；", FACTS["indicators"][kind]))
    profile = Profile(
        UUID(int=1 if kind == "need" else 2), kind, "", (), tuple(passages), facets(kind), "zh", indicators=figures
    )
    known = sorted(NUMBERS[term] for term in weights if term in NUMBERS)
    by_number = {NUMBERS[term]: weight for term, weight in weights.items() if term in NUMBERS}
    terms = Terms(np.array(known, dtype=np.int32), np.array([by_number[n] for n in known], dtype=np.float32))
    return EmbeddedProfile(profile, encoded, terms, history() if kind == "outcome" else None)


@pytest.fixture(scope="module")
def example() -> Pair:
    """The pair of the example, made of what its tables give."""
    names = [row["need's passage"] for row in PASSAGES]
    asked = Encoded(
        WHOLE[0],
        np.concatenate([vectors(row["vector"]) for row in PASSAGES]),
        TokenVectors(
            np.concatenate([vectors(row["vector"]) for row in TOKENS]),
            np.arange(len(TOKENS), dtype=np.int32),
            np.array([names.index(row["passage"]) for row in TOKENS], dtype=np.int32),
        ),
    )
    nothing = np.zeros(0, dtype=np.int32)
    answered = Encoded(WHOLE[1], COVERED, TokenVectors(POOLED, nothing, nothing))
    wanted = query_weights(Counter({row["need's term"]: int(row["times in need"]) for row in TERMS}))
    stated = document_weights(ANSWERED + OTHERS, LENGTH)
    need = side(
        "need",
        [Passage(name, name, float(row["weight"])) for name, row in zip(names, PASSAGES, strict=True)],
        asked,
        wanted,
    )
    outcome = side("outcome", [Passage("description", "", 1.0)] * len(COVERED), answered, stated)
    rarities = {
        number: (row["need's term"], inverse_document_frequency(int(row["in outcomes"]), OUTCOMES))
        for number, row in enumerate(TERMS, start=1)
    }
    tokens = TokenRarity(OUTCOMES, {place: int(row["in outcomes"]) for place, row in enumerate(TOKENS)})
    (pair,) = pairs_of(need, [outcome], Rarity(rarities), tokens, DAY)
    return pair


@pytest.fixture(scope="module")
def match(example: Pair) -> Match:
    """What the shipped model makes of it."""
    return score_pair(example, default_model())


def column(rows: list[Row], heading: str) -> list[float]:
    """A column of numbers."""
    return [float(row[heading]) for row in rows]


def near(values: object) -> object:
    """Equal to the places that the page has."""
    return pytest.approx(values, abs=PLACES)


def numbers(begin: str) -> list[float]:
    """Every number that a paragraph gives, in order."""
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", paragraph(begin))]


def stated(match: Match) -> dict[str, Contribution]:
    """The signals that state something, by name."""
    return {part.signal: part for part in match.contributions if part.raw is not None}


def test_the_table_of_passages(example: Pair, match: Match) -> None:
    cosines = (example.need.encoded.passages @ example.outcome.encoded.passages.T).max(axis=1)
    assert column(PASSAGES, "nearest") == near(cosines.tolist())
    weights = column(PASSAGES, "weight")
    terms = zip(weights, column(PASSAGES, "nearest"), strict=True)
    formula = " + ".join(f"{weight:g} · {cosine:g}" for weight, cosine in terms)
    assert (
        EXAMPLE.replace("\n", " ").count(f"({formula}) / {sum(weights):g} = {stated(match)['coverage'].raw:.4g}.") == 1
    )


def test_the_table_of_tokens(example: Pair, match: Match) -> None:
    answers = example.answers
    assert answers is not None
    weights, nearest = answers.asking.weights, np.maximum(answers.nearest, 0)
    rarity = TokenRarity(OUTCOMES, dict(enumerate(map(int, column(TOKENS, "in outcomes")))))
    assert column(TOKENS, "rarity") == near(rarity.array(np.arange(len(TOKENS), dtype=np.int32)).tolist())
    assert column(TOKENS, "weight w") == near(weights.tolist())
    assert column(TOKENS, "nearest c") == near(nearest.tolist())
    assert column(TOKENS, "w·c²") == near((weights * nearest**2).tolist())
    title = answers.asking.of_title
    assert title.tolist() == [row["passage"] == "title" for row in TOKENS]
    met = [place for place in range(len(TOKENS)) if title[place] and nearest[place] > 0]
    formula = [number for place in met for number in (weights[place], nearest[place])]
    found = [float((weights * nearest**2).sum()), float(weights.sum()), stated(match)["interaction"].raw]
    found += [*map(float, formula), float(weights[title].sum()), stated(match)["title"].raw]
    assert numbers("Interaction is") == near(found)


def test_the_table_of_terms(example: Pair, match: Match) -> None:
    need, outcome = example.need.terms, example.outcome.terms
    answered = dict(zip(outcome.identifiers.tolist(), outcome.weights.tolist(), strict=True))
    rarity = example.rarity.array(need.identifiers.tolist())
    weights = [answered.get(number, 0.0) for number in need.identifiers.tolist()]
    assert column(TERMS, "q") == near(need.weights.tolist())
    assert column(TERMS, "r") == near(rarity.tolist())
    assert column(TERMS, "d") == near(weights)
    assert column(TERMS, "q·r") == near((need.weights * rarity).tolist())
    parts = need.weights * rarity * np.array(weights, dtype=np.float32)
    assert column(TERMS, "q·r·d") == near(parts.tolist())
    most = float((need.weights * rarity).sum())
    assert numbers("Lexical is") == near([float(parts.sum()), 2.2, most, stated(match)["lexical"].raw])
    assert f"has {LENGTH} terms" in paragraph("**Terms.**")


def test_the_table_of_facts(match: Match) -> None:
    read = {name: float(re.match(r"[\d.]+", row["reading"])[0]) for name, row in FACTS.items()}  # type: ignore[index]
    assert read == near({name: stated(match)[name].raw for name in FACTS})
    verdicts = [evidence.values[0].replace("_", " ") for evidence in stated(match)["indicators"].evidence]
    assert FACTS["indicators"]["reading"].partition(": ")[2] == ", ".join(verdicts)


def test_the_table_of_signals_is_that_of_the_shipped_model(match: Match) -> None:
    """Fails where weights were fitted anew or a signal was added: the message has the rows as they should be."""
    terms = default_model().terms
    rows = [
        f"| {name} | {part.raw:.4f} | {part.weight:g} | {terms[name].neutral:g} | {part.part:+.4f} |"
        for name, part in stated(match).items()
    ]
    shown = paragraph("| signal |").splitlines()[2:]
    assert shown == rows, "docs/ranking.md should have:\n" + "\n".join(rows)


def test_the_score_is_that_of_the_shipped_model(example: Pair, match: Match) -> None:
    model = default_model()
    total = sum(part.part for part in match.contributions)
    text = {"semantic", "coverage", "title", "interaction", "lexical"}
    alone = model.intercept + sum(part.part for part in match.contributions if part.signal in text)
    probability = probability_of(alone)
    unknown = score_pair(replace(example, outcome=replace(example.outcome, history=None)), model)
    wanted = (
        f"The parts add up to {total:.4f}. With the intercept of {model.intercept:g} the score is {match.score:.4f}, "
        f"the probability {match.probability:.4f}, the level **{match.level}** (from {thresholds()[match.level]:g} on). "
        f"With a provider of whom nothing is known it would be {unknown.score:.4f}. "
        f"By its text alone the pair would have {alone:.4f}, {probability:.4f} and **{model.level(probability)}**."
    )
    assert wanted in EXAMPLE.replace("\n", " "), f"docs/ranking.md should have: {wanted}"


def thresholds() -> dict[str, float]:
    """The least probability of each level."""
    return dict(zip(("strong", "fair", "weak"), default_model().thresholds, strict=True)) | {"none": 0.0}


def test_semantic_is_said_in_its_paragraph(match: Match) -> None:
    assert f"the cosine is {stated(match)['semantic'].raw:.4g}." in paragraph("**Semantic.**").replace("\n", " ")


def test_what_the_prose_gives_besides() -> None:
    prose = EXAMPLE.replace("\n", " ")
    weight = float(PASSAGES[-1]["weight"])
    share = min(1.0, weight / FULL_WEIGHT)
    once, twice = (document_weights(Counter(a=count, b=LENGTH - count), LENGTH)["a"] for count in (1, 2))
    said = (
        f"the vectors have three numbers in place of {MODEL_DIMENSIONS},",
        f"and {OUTCOMES} outcomes are in the index. Lengths are 1,",
        f"weighs {weight:g}, so its token counts {weight:g} / {FULL_WEIGHT:g} = {share:g}.",
        f"once in it weighs {once:g} and one twice in it {K1 + 1:g} · 2 / (2 + {K1:g}) = {twice:g}.",
    )
    assert [each for each in said if each not in prose] == []


def test_every_signal_is_described() -> None:
    described = PAGE.prose.partition("## Signals\n")[2].partition("\n## ")[0]
    names = re.findall(r"^- \*\*(\w+)\*\*:", described, re.MULTILINE)
    assert {signal.name for signal in SIGNALS} <= set(names)
