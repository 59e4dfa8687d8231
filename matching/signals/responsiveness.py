"""How soon the outcome's provider answers what it is asked."""

from matching.signals.base import Pair, Signal
from matching.types import AnswerHistory, Evidence, Reading

# Fewer questions say nothing of an organization.
LEAST_QUESTIONS = 3
# Rules of thumb of ours: within a day is as good as at once, and four days later the reading is a half.
AT_ONCE_DAYS = 1
HALF_LIFE_DAYS = 4
HOURS = 24


def read(pair: Pair) -> Reading:
    """The reading of the provider's median, with the median in days and what it was taken over.

    None where the provider was asked too little, or is not known: whoever posts for others has no history of its own.
    """
    history = pair.outcome.history
    raw = promptness(history)
    if history is None or raw is None:
        return Reading(None)
    code = "prompt_answers" if raw >= 1 / 2 else "slow_answers"
    days = f"{round(history.median_hours / HOURS, 1):g}"
    return Reading(raw, (Evidence(code, (days, str(history.answered), str(history.overdue))),))


def promptness(history: AnswerHistory | None) -> float | None:
    """1 for a median of up to a day, then halved every four days: 1/2 at five days; None for fewer than three questions.

    >>> [promptness(AnswerHistory(3, 0, 24 * days)) for days in (0.5, 1, 5, 9)]
    [1.0, 1.0, 0.5, 0.25]
    >>> promptness(AnswerHistory(2, 0, 24))
    """
    if history is None or history.answered + history.overdue < LEAST_QUESTIONS:
        return None
    late = max(0.0, history.median_hours / HOURS - AT_ONCE_DAYS)
    return float(0.5 ** (late / HALF_LIFE_DAYS))


RESPONSIVENESS = Signal("responsiveness", read)
