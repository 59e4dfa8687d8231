"""Which of the figures that a need asks for the outcome meets (技术指标)."""

from matching.indicators.compare import compare
from matching.indicators.types import Indicator, IndicatorVerdict, Verdict
from matching.indicators.wording import figure
from matching.signals.base import Pair, Signal
from matching.types import Evidence, Reading

WORTH: dict[Verdict, float] = {"met": 1.0, "close": 0.5, "not_met": 0.0}
MOST_EVIDENCE = 12
# An explanation is stored with every pair; a text without full stops is one sentence.
MOST_QUOTED = 300


def read(pair: Pair) -> Reading:
    """The share of asked figures that are met, close ones counting half, among those that the outcome states; None without any.

    Evidence is one row a figure asked for: verdict, the need's sentence, the outcome's or "", quantity, and both figures.
    """
    asked = pair.need.profile.indicators
    if not asked:
        return Reading(None)
    verdicts = compare(asked, pair.outcome.profile.indicators)
    answered = [WORTH[each.verdict] for each in verdicts if each.verdict != "not_stated"]
    evidence = tuple(_evidence(each) for each in verdicts[:MOST_EVIDENCE])
    return Reading(sum(answered) / len(answered) if answered else None, evidence)


def _evidence(verdict: IndicatorVerdict) -> Evidence:
    asked, answered = verdict.asked, verdict.answered
    values = (verdict.verdict, _quoted(asked), _quoted(answered) if answered else "", asked.quantity, figure(asked))
    return Evidence("indicator", (*values, figure(answered) if answered else ""))


def _quoted(indicator: Indicator) -> str:
    return indicator.text if len(indicator.text) <= MOST_QUOTED else indicator.text[:MOST_QUOTED] + "…"


INDICATORS = Signal("indicators", read)
