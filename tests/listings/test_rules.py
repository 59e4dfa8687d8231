"""Who sees, changes and publishes a listing: the rules by themselves, actor by actor."""

from uuid import UUID

import pytest

from service.errors import Forbidden, OutOfTurn
from service.kit.actor import Actor, Role
from service.listings import service as listings
from service.listings.schemas import Kind, Listing
from service.matches.decisions import check_may_read_list

OWN, OTHER = UUID(int=1), UUID(int=2)


def listing(state: str, kind: Kind = Kind.NEED, organization_state: str = "verified") -> Listing:
    return Listing.model_construct(
        id=UUID(int=9), kind=kind, organization_id=OWN, state=state, version=1, organization_state=organization_state
    )


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
