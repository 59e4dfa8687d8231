"""Fine-tune an encoder on graded pairs, on a CPU.

LoRA (Hu et al. 2021, arXiv:2106.09685) adds to each attention projection W a product of two thin matrices, W + (alpha /
rank) B A, and trains only those: a few hundred thousand numbers, which a few hundred pairs cannot lead far astray. The
loss ranks a need's outcome before all others of the batch and before a mined negative (Henderson et al. 2017,
arXiv:1705.00652). Texts are the tokens that the service itself would encode, cut to their first part for speed.
"""

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, set_peft_model_state_dict
from torch.nn import functional

from matching.embedding.protocol import Encoder, EncoderError, Role, Vector, unit
from matching.embedding.sentence import SentenceEncoder
from matching.evaluation import metrics
from matching.learning.encoder_batches import Row, batches, pairs_of
from matching.learning.encoder_data import JudgedTexts, Passages, Split, TooFewError, sample_of_outcomes
from matching.learning.encoder_terms import Terms

# Step, steps in all, and the step's loss.
Progress = Callable[[int, int, float], None]
# Texts embedded of those in all, before training and after each epoch.
Embedding = Callable[[int, int], None]
Text = tuple[Passages, Role]
# Texts that are in memory at a time with what their gradient takes.
SLICE = 8
ATTENTION = ("attention", "attn")
WARM_UP = 0.1


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train. `scale` multiplies cosines in the loss; `patience` is how many epochs may pass without a gain."""

    rank: int = 8
    alpha: int = 16
    rate: float = 3e-4
    scale: float = 40.0
    batch: int = 8
    term_batch: int = 64
    term_weight: float = 1.0
    most_tokens: int = 128
    most_outcomes: int = 600
    epochs: int = 3
    patience: int = 1
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Tuned:
    """What training came to. `watched` is the figure on the watched needs before the first and after each epoch."""

    encoder: SentenceEncoder
    adapter: Mapping[str, Vector] = field(repr=False)
    losses: tuple[float, ...]
    watched: tuple[float, ...]
    kept: int

    @property
    def has_learned(self) -> bool:
        """Whether any epoch did better than the model that training began with."""
        return self.kept > 0


def fine_tune(
    encoder: SentenceEncoder,
    texts: JudgedTexts,
    parts: Split,
    recipe: Recipe = Recipe(),
    terms: Terms | None = None,
    *,
    progress: Progress = lambda *_: None,
    embedding: Embedding = lambda *_: None,
) -> Tuned:
    """Train `encoder`, which must be in float32, and leave the best epoch's weights merged into it.

    The figure on the watched needs says after each epoch whether to go on, and which epoch is kept; where none gained,
    the weights are what they were. The same seed on the same machine gives the same model.

    Raises:
        TooFewError: no batch can be made. EncoderError: the model has no attention projections that are known here.
    """
    outcomes = sample_of_outcomes(texts, recipe.most_outcomes, recipe.seed)
    before = _encoded(encoder, texts.outcomes, outcomes, "document", embedding)
    asked = _encoded(encoder, texts.needs, parts.learn, "query", embedding)
    pairs = pairs_of(texts, parts.learn, outcomes, _centred(asked) @ _centred(before).T)
    plan = [list(batches(pairs, recipe.batch, np.random.default_rng([recipe.seed, e]))) for e in range(recipe.epochs)]
    if not any(plan):
        raise TooFewError("no pair to learn from: none fits, or there is nothing to tell it from")
    watching = _encoded(encoder, texts.needs, parts.watch, "query", embedding)
    watched = [_watched(watching, before, texts, parts.watch, outcomes)]
    losses: list[float] = []
    with _reproducible(recipe.seed), _adapted(encoder, recipe) as adapted:
        trainer = _Trainer(encoder, adapted, texts, recipe, terms, sum(map(len, plan)))
        best, kept = trainer.state(), 0
        for epoch, rows in enumerate(plan, start=1):
            losses.append(trainer.epoch(rows, progress))
            watched.append(watch(encoder, texts, parts.watch, outcomes, embedding))
            if watched[-1] > watched[kept]:
                best, kept = trainer.state(), epoch
            elif epoch - kept > recipe.patience:
                break
        set_peft_model_state_dict(adapted, best)
    matrices = {name: tensor.detach().float().numpy().copy() for name, tensor in best.items()}
    return Tuned(encoder, matrices, tuple(losses), tuple(watched), kept)


def watch(
    encoder: Encoder,
    texts: JudgedTexts,
    needs: Sequence[str],
    outcomes: Sequence[str],
    embedding: Embedding = lambda *_: None,
) -> float:
    """Mean figure of the dense ranking of `outcomes` over `needs`, with centred vectors; 0 where nothing can be measured.

    The means that are taken out are those of these texts: measuring the fixed ones anew each epoch would cost more than
    the epoch.
    """
    asked = _encoded(encoder, texts.needs, needs, "query", embedding)
    offered = _encoded(encoder, texts.outcomes, outcomes, "document", embedding)
    return _watched(asked, offered, texts, needs, outcomes)


def _watched(
    asked: Vector, offered: Vector, texts: JudgedTexts, needs: Sequence[str], outcomes: Sequence[str]
) -> float:
    found = dense_figures(_centred(asked), _centred(offered), texts, needs, outcomes)
    values = [value for value in found.values() if value is not None]
    return fmean(values) if values else 0.0


def dense_figures(
    asked: Vector, offered: Vector, texts: JudgedTexts, needs: Sequence[str], outcomes: Sequence[str]
) -> dict[str, float | None]:
    """nDCG@10 of each need's ranking by inner product, or on decisions the AUC; None where a need tells nothing.

    `asked` has one row a need, `offered` one an outcome.
    """
    figures: dict[str, float | None] = {}
    for need, scores in zip(needs, asked @ offered.T, strict=True):
        ranked = [outcomes[place] for place in np.argsort(-scores, kind="stable")]
        grades = texts.grades[need]
        if texts.is_complete:
            figures[need] = metrics.ndcg(ranked, grades)
        else:
            figures[need] = metrics.auc([outcome for outcome in ranked if outcome in grades], grades)
    return figures


def _encoded(
    encoder: Encoder, texts: Mapping[str, Passages], names: Sequence[str], role: Role, embedding: Embedding
) -> Vector:
    rows = []
    for number, name in enumerate(names, start=1):
        rows.append(encoder.encode([texts[name]], role)[0].vector)
        embedding(number, len(names))
    return np.stack(rows)


def _centred(vectors: Vector) -> Vector:
    mean: Vector = vectors.mean(axis=0)
    return unit(vectors - mean)


@contextlib.contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextlib.contextmanager
def _adapted(encoder: SentenceEncoder, recipe: Recipe) -> Iterator[Any]:
    """The model with thin matrices beside its attention projections; at the end they are merged into the weights."""
    transformer: Any = encoder.model[0]
    inner = transformer.auto_model
    names = [
        name
        for name, module in inner.named_modules()
        if isinstance(module, torch.nn.Linear) and any(part in name.lower() for part in ATTENTION)
    ]
    if not names:
        raise EncoderError("this model has no attention projections that could be trained: choose a transformer model")
    config = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, lora_dropout=0.0, target_modules=names)
    adapted: Any = get_peft_model(inner, config)
    encoder.model.eval()
    try:
        yield adapted
    finally:
        # The layers were changed in place, so the model underneath is whole again after this.
        adapted.merge_and_unload()
        encoder.model.requires_grad_(requires_grad=False)


class _Trainer:
    """The state of one training: optimizer, schedule, how far it is."""

    def __init__(
        self,
        encoder: SentenceEncoder,
        adapted: Any,
        texts: JudgedTexts,
        recipe: Recipe,
        terms: Terms | None,
        steps: int,
    ) -> None:
        self.encoder, self.adapted, self.texts, self.recipe, self.terms = encoder, adapted, texts, recipe, terms
        self.total = steps
        self.step = 0
        self.generator = np.random.default_rng([recipe.seed, 0])
        self.weights = [weight for weight in adapted.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(self.weights, lr=recipe.rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, self._share)

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of the thin matrices."""
        return {name: tensor.detach().clone() for name, tensor in get_peft_model_state_dict(self.adapted).items()}

    def epoch(self, plan: Sequence[list[Row]], progress: Progress) -> float:
        """One pass over the pairs; the mean loss."""
        losses = []
        for batch in plan:
            self.optimizer.zero_grad()
            loss = self._learn_pairs(batch)
            if self.terms is not None:
                loss += self._learn_terms(self.terms)
            torch.nn.utils.clip_grad_norm_(self.weights, 1.0)
            self.optimizer.step()
            self.schedule.step()
            self.step += 1
            losses.append(loss)
            progress(self.step, self.total, loss)
        return fmean(losses) if losses else math.nan

    def _share(self, step: int) -> float:
        """Linear up over the first tenth of the steps, then linear down to nothing."""
        up = max(1, round(self.total * WARM_UP))
        return min((step + 1) / up, max(0.0, (self.total - step) / max(1, self.total - up)))

    def _learn_pairs(self, rows: list[Row]) -> float:
        """Each need's outcome before every other outcome of the batch."""
        outcomes = [row.fits for row in rows] + [row.does_not for row in rows if row.does_not is not None]
        asked: list[Text] = [(self.texts.needs[row.need], "query") for row in rows]
        offered: list[Text] = [(self.texts.outcomes[outcome], "document") for outcome in outcomes]

        def loss_of(vectors: torch.Tensor) -> torch.Tensor:
            needs, others = vectors[: len(rows)], vectors[len(rows) :]
            return functional.cross_entropy(self.recipe.scale * needs @ others.T, torch.arange(len(rows)))

        return self._backward([*asked, *offered], loss_of)

    def _learn_terms(self, terms: Terms) -> float:
        """Draws each language's words to where the untrained model has the Chinese ones (Reimers and Gurevych 2020,
        arXiv:2004.09813)."""
        drawn = terms.draw(self.recipe.term_batch, self.generator)
        roles: list[Role] = ["query" if place % 4 < 2 else "document" for place in range(len(drawn))]
        with torch.no_grad(), self.adapted.disable_adapter():
            goals = self._vectors([((each.main,), role) for each, role in zip(drawn, roles, strict=True)])

        def loss_of(vectors: torch.Tensor) -> torch.Tensor:
            scores = self.recipe.scale * vectors @ goals.T
            return self.recipe.term_weight * functional.cross_entropy(scores, torch.arange(len(drawn)))

        return self._backward([((each.other,), role) for each, role in zip(drawn, roles, strict=True)], loss_of)

    def _backward(self, texts: list[Text], loss_of: Callable[[torch.Tensor], torch.Tensor]) -> float:
        """Add the loss's gradient to the weights, a few texts in memory at a time; the loss.

        Gradient caching (Gao et al. 2021, arXiv:2101.06983): first all vectors without a graph, then the loss's gradient
        by vector, then each slice again with a graph, into which that gradient is fed.
        """
        lengths = [sum(map(len, passages)) for passages, _ in texts]
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        slices = [order[start : start + SLICE] for start in range(0, len(order), SLICE)]
        with torch.no_grad():
            found = torch.cat([self._vectors([texts[place] for place in places]) for places in slices])
            vectors = found[torch.argsort(torch.tensor(order))]
        vectors.requires_grad_()
        loss = loss_of(vectors)
        loss.backward()  # type: ignore[no-untyped-call]
        gradient = vectors.grad
        assert gradient is not None
        for places in slices:
            again = self._vectors([texts[place] for place in places])
            (again * gradient[places]).sum().backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _vectors(self, texts: Sequence[Text]) -> torch.Tensor:
        """Unit vectors of texts, one a row. Dropout stays off, so that the same texts have the same vectors again."""
        rows = [self.encoder.first_tokens(passages, role, self.recipe.most_tokens) for passages, role in texts]
        width = max(map(len, rows))
        pad = self.encoder.model.tokenizer.pad_token_id or 0
        features: Any = {
            "input_ids": torch.tensor([row + [pad] * (width - len(row)) for row in rows]),
            "attention_mask": torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows]),
        }
        vectors: torch.Tensor = self.encoder.model(features)["sentence_embedding"]
        return functional.normalize(vectors, dim=-1)
