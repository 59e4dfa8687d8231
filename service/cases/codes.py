"""Why a case ends: the codes of brokers' decisions where they fit, and those that only a case has."""

from enum import StrEnum

from service.taxonomy.schemas import DeclineCode


class LostCode(StrEnum):
    """Why nothing came of a case (对接未成的原因)."""

    TOO_EARLY = DeclineCode.TOO_EARLY.value
    UNCLEAR_ADVANTAGE = DeclineCode.UNCLEAR_ADVANTAGE.value
    UNCLEAR_PATH = DeclineCode.UNCLEAR_PATH.value
    VAGUE = DeclineCode.VAGUE.value
    INDICATORS_UNMET = DeclineCode.INDICATORS_UNMET.value
    PRICE_MISMATCH = DeclineCode.PRICE_MISMATCH.value
    MODE_MISMATCH = DeclineCode.MODE_MISMATCH.value
    REGION_OR_QUALIFICATION = DeclineCode.REGION_OR_QUALIFICATION.value
    ALREADY_SOLVED = DeclineCode.ALREADY_SOLVED.value
    DUPLICATE = DeclineCode.DUPLICATE.value
    # Only where the two have talked.
    NO_AGREEMENT = "no_agreement"
    NO_FUNDS = "no_funds"
    NO_ANSWER = "no_answer"
    LEFT_MARKET = "left_market"
    CONTRACT_ENDED = "contract_ended"
    OTHER = DeclineCode.OTHER.value


class WonCode(StrEnum):
    """What came of a case (对接成效)."""

    PERFORMED = "performed"
    IN_USE = "in_use"
    CONTINUED = "continued"


UNDONE = "decision_undone"
