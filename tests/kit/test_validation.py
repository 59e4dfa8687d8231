"""Every rule that a schema can break has a sentence in both languages."""

import re
from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from service.access.people_schemas import IdentityRequest, MemberContent, MemberRequest, PersonContent
from service.access.schemas import KeyRequest, OrganizationContent, RotationRequest, StandingReason
from service.cases.schemas import AnswerRequest, CloseRequest, LeaveRequest
from service.contracts.schemas import ContractContent
from service.contracts.subsidy_rules import SubsidyRuleContent
from service.contracts.views import ChangeRequest, ReceiptRequest, StepRequest
from service.kit.validation import MESSAGES, NAMED, PATTERNS, problems_of
from service.matches.schemas import AdHocRequest, DecisionRequest
from service.needs.schemas import NeedContent
from service.outcomes.schemas import OutcomeContent
from service.review.schemas import BatchRequest

SCHEMAS: tuple[type[BaseModel], ...] = (
    NeedContent,
    OutcomeContent,
    OrganizationContent,
    KeyRequest,
    RotationRequest,
    StandingReason,
    PersonContent,
    MemberContent,
    MemberRequest,
    IdentityRequest,
    AdHocRequest,
    DecisionRequest,
    ContractContent,
    ChangeRequest,
    StepRequest,
    ReceiptRequest,
    SubsidyRuleContent,
)
JUNK: tuple[Any, ...] = (
    None, "", "x", "长" * 30_000, 0, -1, 10**30, 1.5, float("nan"), float("inf"), True, [], ["x" * 2_000] * 200, [1], {},
    "2027-13-45", "2027-01-01T10:00:00", "1e5", [{"kind": "x"}], "\x00",
)  # fmt: skip


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.__name__)
def test_every_finding_has_a_chinese_and_an_english_sentence(schema: type[BaseModel]) -> None:
    seen = set()
    for name in [*schema.model_fields, "no_such_field"]:
        for junk in JUNK:
            try:
                schema.model_validate({name: junk})
            except ValidationError as error:
                for finding, problem in zip(error.errors(), problems_of(error.errors()), strict=True):
                    seen.add(finding["type"])
                    assert finding["type"] in MESSAGES, finding
                    assert re.search(r"[\u4e00-\u9fff]", problem.message.zh), finding
                    assert not re.search(r"[\u4e00-\u9fff]", problem.message.en.replace("Must match", "")), finding
                    if finding["type"] == "string_pattern_mismatch":
                        assert finding["ctx"]["pattern"] in PATTERNS, finding
    assert "extra_forbidden" in seen


def test_a_nested_field_is_named_by_its_path() -> None:
    with pytest.raises(ValidationError) as refused:
        OutcomeContent.model_validate({"title": "干燥工艺", "ip_rights": [{"kind": "patent"}]})
    (problem,) = problems_of(refused.value.errors())
    assert problem.field == "ip_rights.0.kind"
    assert "invention_patent" in problem.message.zh


def test_a_reversed_range_names_both_ends() -> None:
    with pytest.raises(ValidationError) as refused:
        NeedContent.model_validate({"title": "干燥工艺", "budget_min": 5, "budget_max": 3})
    (problem,) = problems_of(refused.value.errors())
    assert problem.rule == "range_order"
    assert problem.message.en == "budget_min must not exceed budget_max"


@pytest.mark.parametrize(
    ("schema", "content", "field"),
    [
        (AnswerRequest, {"answer": "no"}, "code"),
        (AnswerRequest, {"answer": "yes"}, "purpose"),
        (LeaveRequest, {"code": "other"}, "text"),
        (CloseRequest, {"closed_as": "won", "code": "no_funds"}, "code"),
        (
            BatchRequest,
            {"decisions": [{"recommendation_id": str(UUID(int=1)), "action": "decline"}]},
            "decisions.0.code",
        ),
    ],
)
def test_a_rule_over_several_fields_names_the_one_to_change(
    schema: type[BaseModel], content: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        schema.model_validate(content)
    (problem,) = problems_of(refused.value.errors())
    assert problem.field == field


def test_what_is_possible_is_listed_in_the_language_of_the_sentence() -> None:
    with pytest.raises(ValidationError) as refused:
        AnswerRequest.model_validate({"answer": "vielleicht"})
    (problem,) = problems_of(refused.value.errors())
    assert problem.message.zh == "应为其中之一：'yes'、'no'、'question'"
    assert problem.message.en == "Must be one of: 'yes', 'no' or 'question'"


def test_every_rule_that_names_a_field_is_one() -> None:
    assert set(NAMED) <= set(MESSAGES)
