"""Who sees, changes and publishes a listing, and what of it: the rules by themselves, actor by actor."""

from uuid import UUID

import pytest

from service.errors import Forbidden, OutOfTurn
from service.kit.actor import Actor, Role
from service.listings import service as listings
from service.listings.schemas import Brief, Kind, Listing
from service.matches.decisions import check_may_read_list

OWN, OTHER = UUID(int=1), UUID(int=2)
CONTACT = {"contact_name": "张三", "contact_phone": "13800000000", "contact_email": "z@example.org"}


def listing(state: str, kind: Kind = Kind.NEED, organization_state: str = "verified") -> Listing:
    organization = Brief.model_construct(id=OWN, name="测试演示单位")
    return Listing.model_construct(
        id=UUID(int=9), kind=kind, organization_id=OWN, state=state, version=1, external_id="N-1",
        organization=organization, organization_state=organization_state, **CONTACT,
    )  # fmt: skip


def actor(role: Role, organization: UUID = OTHER) -> Actor:
    return Actor(None, organization, frozenset({role}))


OWNER = actor(Role.ENTERPRISE, OWN)
STRANGER = actor(Role.ENTERPRISE)


def test_strangers_see_what_organizations_in_good_standing_have_published() -> None:
    assert listings.may_see(STRANGER, listing("published"))
    assert not listings.may_see(STRANGER, listing("draft"))
    assert not listings.may_see(STRANGER, listing("published", organization_state="suspended"))
    assert listings.may_see(OWNER, listing("draft"))
    assert listings.may_see(actor(Role.AUTHORITY), listing("draft"))


def test_each_field_is_for_whom_it_is_for() -> None:
    def hidden(to: Actor, kind: Kind = Kind.NEED) -> set[str]:
        shown = listings.redacted(to, listing("published", kind))
        return {name for name in (*CONTACT, "external_id", "organization") if getattr(shown, name) is None}

    assert hidden(OWNER) == set()
    assert hidden(actor(Role.BROKER)) == set(CONTACT)
    assert hidden(STRANGER, Kind.OUTCOME) == {*CONTACT, "external_id"}
    assert hidden(STRANGER) == {*CONTACT, "external_id", "organization"}


@pytest.mark.parametrize(
    ("who", "state", "refusal"),
    [
        (OWNER, "draft", None),
        (OWNER, "published", OutOfTurn),
        (actor(Role.BROKER), "published", None),
        (actor(Role.BROKER), "withdrawn", OutOfTurn),
        (STRANGER, "draft", Forbidden),
        (actor(Role.AUTHORITY), "draft", Forbidden),
    ],
)
def test_who_may_edit_when(who: Actor, state: str, refusal: type[Exception] | None) -> None:
    if refusal is None:
        listings._check_may_edit(who, listing(state))
    else:
        with pytest.raises(refusal):
            listings._check_may_edit(who, listing(state))


def test_ranked_lists_are_for_the_owner_and_staff() -> None:
    check_may_read_list(OWNER, OWN)
    check_may_read_list(actor(Role.AUTHORITY), OWN)
    with pytest.raises(Forbidden):
        check_may_read_list(STRANGER, OWN)
