"""Bodies of probes about cases, by the end of their path and the variant."""

from typing import Any, Final

MEETING: Final = {"title": "演示会议", "starts_at": "2099-01-01T09:00:00+08:00", "ends_at": "2099-01-01T10:00:00+08:00"}
MILESTONE: Final = {"title": "演示里程碑", "due_on": "2099-01-01"}
ANSWERS: Final[dict[str, Any]] = {
    "yes": {"answer": "yes", "purpose": "就中试与许可条件洽谈"},
    "no": {"answer": "no", "code": "too_early"},
    "question": {"answer": "question", "text": "样机何时可看？"},
}
CASE_KINDS: Final = {
    "case_id": "case", "message_id": "message", "meeting_id": "meeting", "milestone_id": "milestone",
    "follow_up_id": "follow_up", "assignment_id": "assignment",
}  # fmt: skip
CASE_PARTS: Final = {"message_id", "meeting_id", "milestone_id", "follow_up_id"}


def case_value(path: str, variant: str, organization: str, broker: str) -> Any:
    """The body of a probe."""
    return {
        "answer": ANSWERS.get(variant),
        "leave": {"code": "no_agreement"},
        "close": {"closed_as": "won", "code": "in_use"} if variant == "won" else {"closed_as": "lost", "code": "no_funds"},
        "extensions": {"party": "need", "days": 3},
        "broker": {"broker_id": broker, "reason": "leaves"},
        "terms": {"mode": "service", "terms": {}},
        "messages": {"channel": variant, "body": "演示消息"},
        "read": {"number": 1},
        "meetings": MEETING,
        "{meeting_id}": MEETING,
        "milestones": MILESTONE,
        "{milestone_id}": MILESTONE,
        "{follow_up_id}": {"used": True, "paid": False},
        "partner-operators": {
            "from_region": "350000", "to_region": "640000", "program": "minning", "organization_id": organization,
        },
    }.get(path.rpartition("/")[2])  # fmt: skip
