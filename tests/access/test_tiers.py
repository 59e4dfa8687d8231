"""Tiers as declarations: a field without one makes no response, and each tier sees what the ones before it see."""

import inspect
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, get_args
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from service.app import create_app
from service.kit.actor import STAFF, Actor, Role
from service.kit.tiers import KEY, Tier, Tiered, View, Visible, guarded, hidden, redact, tiers_of
from service.listings.tiers import tier_of
from service.matches.consent_endpoints import router as consents
from service.matches.consent_schemas import Contact
from service.matches.endpoints import router as matches
from service.matches.relations import Relation
from service.matches.schemas import Counterpart
from service.needs.endpoints import router as needs
from service.needs.schemas import Need, NeedContent
from service.outcomes.endpoints import router as outcomes
from service.outcomes.schemas import Outcome, OutcomeContent
from service.settings import Settings

# What of these rooms' answers holds no listing: pages and lists are looked into, and these say what was decided or found.
NO_LISTING = {
    "Revision",
    "MatchPage",
    "StoredMatch",
    "AdHocResult",
    "AdHocMatch",
    "Recommendation",
    "Decision",
    "Consents",
    "Contacts",
}


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an answer's type names, pages and lists opened."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        if annotation.__name__.startswith("Page["):
            yield from models_in(annotation.model_fields["items"].annotation)
        else:
            yield annotation
            if annotation.__name__ in NO_LISTING:
                for field in annotation.model_fields.values():
                    yield from models_in(field.annotation)
    for part in get_args(annotation):
        yield from models_in(part)


def answers(*routers: Any) -> set[type[BaseModel]]:
    return {
        model
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for model in models_in(route.response_model)
    }


def test_every_answer_with_a_listing_in_it_declares_the_tier_of_each_field() -> None:
    shown = {model for model in answers(needs, outcomes, matches, consents) if model.__name__ not in NO_LISTING}
    tiered = {model for model in shown if issubclass(model, Tiered)}
    assert {"Need", "NeedAfterStep", "Outcome", "OutcomeAfterStep", "Summary", "Counterpart", "Contact"} == {
        model.__name__ for model in tiered
    }
    # The rest are parts of these rooms' answers that no listing goes into.
    assert {model.__name__ for model in shown - tiered} == {"IndicatorVerdict", "Consent"}
    for model in tiered:
        assert set(tiers_of(model)) == set(model.model_fields)


def test_a_field_without_a_tier_does_not_compile_into_a_response() -> None:
    with pytest.raises(TypeError, match="without a visibility tier: added"):

        class _(Need):
            added: str = ""

    class Plain(BaseModel):
        title: Annotated[str, Visible(Tier.MEMBER)]
        note: str = ""

    with pytest.raises(TypeError, match="Plain shows fields without a visibility tier: note"):
        redact(Plain(title="x"), View(Tier.OWNER))


def test_the_openapi_document_shows_the_tiers() -> None:
    schemas = create_app(Settings(model="fake")).openapi()["components"]["schemas"]
    for model in (Need, Outcome, Counterpart, Contact):
        for name, visible in tiers_of(model).items():
            told = schemas[model.__name__]["properties"][name]
            assert {key: value for key, value in told.items() if key.startswith(KEY)} == visible.declared(), name
    assert schemas["Need"]["properties"]["contact_phone"][KEY] == "owner"
    assert schemas["Need"]["properties"]["goals"][f"{KEY}-confidential"] == "counterpart"
    assert schemas["Contact"]["properties"]["contact_phone"][KEY] == "consented"


NEED_DETAIL = {"description", "indicators", "background", "goals", "foundation", "partner_requirements"}
OUTCOME_DETAIL = {
    "description", "indicators", "innovations", "applications", "prospects", "registration_number", "funding_project",
    "ip_rights", "awards", "team",
}  # fmt: skip
CONTACTS = {"contact_name", "contact_phone", "contact_email"}


def test_what_confidentiality_guards() -> None:
    assert guarded(Need) == guarded(NeedContent) == NEED_DETAIL
    assert guarded(Outcome) == guarded(OutcomeContent) == OUTCOME_DETAIL


@pytest.mark.parametrize(
    ("tier", "staff", "confidential", "need", "outcome"),
    [
        (Tier.MEMBER, False, False, {"external_id", "organization"} | CONTACTS, {"external_id"} | CONTACTS),
        (
            Tier.MEMBER, False, True,
            {"external_id", "organization"} | CONTACTS | NEED_DETAIL, {"external_id"} | CONTACTS | OUTCOME_DETAIL,
        ),
        (Tier.COUNTERPART, False, True, {"external_id", "organization"} | CONTACTS, {"external_id"} | CONTACTS),
        (Tier.COUNTERPART, True, True, CONTACTS, CONTACTS),
        (Tier.CONSENTED, False, True, {"external_id"} | CONTACTS, {"external_id"} | CONTACTS),
        (Tier.OWNER, False, True, set(), set()),
    ],
)  # fmt: skip
def test_what_each_tier_is_not_shown(
    tier: Tier, staff: bool, confidential: bool, need: set[str], outcome: set[str]
) -> None:
    assert hidden(Need, View(tier, staff, confidential)) == need
    assert hidden(Outcome, View(tier, staff, confidential, outcome=True)) == outcome


def test_without_a_key_nothing_of_a_listing_is_shown() -> None:
    for model in (Need, Outcome, Counterpart, Contact):
        assert hidden(model, View(Tier.PUBLIC, outcome=True)) == set(model.model_fields)


@given(st.sampled_from([Need, Outcome, Counterpart, Contact]), st.booleans(), st.booleans(), st.booleans())
def test_a_nearer_tier_never_sees_less(
    model: type[BaseModel], staff: bool, confidential: bool, is_outcome: bool
) -> None:
    seen = [hidden(model, View(tier, staff, confidential, is_outcome)) for tier in sorted(Tier)]
    assert all(nearer <= farther for farther, nearer in pairwise(seen))
    for tier in Tier:
        assert hidden(model, View(tier, staff, False, is_outcome)) <= hidden(model, View(tier, staff, True, is_outcome))


OWN, OTHER = uuid4(), uuid4()


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("consented", [False, True])
@pytest.mark.parametrize("role", list(Role))
def test_which_tier_a_caller_has(role: Role, accepted: bool, consented: bool) -> None:
    actor = Actor(None, OWN, frozenset({role}))
    relation = Relation(accepted, consented)
    assert tier_of(actor, OWN, relation) is Tier.OWNER
    expected = (
        Tier.OWNER
        if role is Role.SYSTEM
        else Tier.CONSENTED
        if accepted and consented
        else Tier.COUNTERPART
        if accepted or role in STAFF
        else Tier.MEMBER
    )
    assert tier_of(actor, OTHER, relation) is expected


def test_who_carries_no_role_is_the_public() -> None:
    assert tier_of(Actor(None, None, frozenset()), OTHER) is Tier.PUBLIC


def test_what_is_hidden_looks_as_if_nothing_had_been_said() -> None:
    content = OutcomeContent(
        title="保密样机", confidential=True, abstract="一种样机", description="详述", indicators=["转速≥3 rpm"],
        ip_rights=[{"kind": "trade_secret"}], awards=["奖"], team="某某", contact_name="某某",
    )  # fmt: skip
    shown = redact(content, View(Tier.MEMBER, confidential=True, outcome=True))
    assert shown == OutcomeContent(title="保密样机", confidential=True, abstract="一种样机")
    assert redact(content, View(Tier.OWNER, confidential=True, outcome=True)) == content
