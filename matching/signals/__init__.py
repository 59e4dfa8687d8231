"""What speaks for a pair, one file a signal. Adding one touches its file, this tuple, its weight and its test."""

from matching.signals.base import Pair, Signal, pairs_of
from matching.signals.coverage import COVERAGE
from matching.signals.deadline import DEADLINE
from matching.signals.field import FIELD
from matching.signals.freshness import FRESHNESS
from matching.signals.indicators import INDICATORS
from matching.signals.interaction import INTERACTION
from matching.signals.lexical import LEXICAL
from matching.signals.maturity import MATURITY
from matching.signals.modes import MODES
from matching.signals.price import PRICE
from matching.signals.region import REGION
from matching.signals.responsiveness import RESPONSIVENESS
from matching.signals.semantic import SEMANTIC
from matching.signals.title import TITLE

SIGNALS: tuple[Signal, ...] = (
    SEMANTIC,
    COVERAGE,
    TITLE,
    INTERACTION,
    LEXICAL,
    INDICATORS,
    FIELD,
    MODES,
    MATURITY,
    DEADLINE,
    PRICE,
    REGION,
    FRESHNESS,
    RESPONSIVENESS,
)

__all__ = ["SIGNALS", "Pair", "Signal", "pairs_of"]
