"""How much of what the need says is answered by some passage of the outcome."""

import numpy as np

from matching.signals.base import Pair, Signal, cosine_share
from matching.types import Evidence, Reading

MOST_EVIDENCE = 3
# Weaker pairs of passages explain nothing to a reader.
LEAST_SHOWN = 0.3


def read(pair: Pair) -> Reading:
    """Weighted mean, over the need's passages, of the cosine with the outcome's best passage.

    Maximum similarity as in Khattab and Zaharia 2020 (ColBERT, arXiv:2004.12832), over passages in place of tokens.
    """
    similarities = pair.need.encoded.passages @ pair.outcome.encoded.passages.T
    best = similarities.argmax(axis=1)
    values = similarities[np.arange(len(best)), best]
    weights = np.array([passage.weight for passage in pair.need.profile.passages], dtype=np.float32)
    raw = float(np.average(values, weights=weights)) if weights.sum() > 0 else float(values.mean())
    evidence: list[Evidence] = []
    # The titles are shown anyway; the strongest of the other passages are what a reader wants quoted.
    for position in np.argsort(-(values * weights), kind="stable"):
        asked, answer = pair.need.profile.passages[position], pair.outcome.profile.passages[best[position]]
        if position == 0 or values[position] < LEAST_SHOWN or asked.is_gloss or answer.is_gloss:
            continue
        if len(evidence) == MOST_EVIDENCE:
            break
        evidence.append(Evidence("passages", (asked.text, answer.text, f"{values[position]:.2f}")))
    return Reading(cosine_share(raw), tuple(evidence))


COVERAGE = Signal("coverage", read)
