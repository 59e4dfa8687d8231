"""The rules of the code by themselves: they let nobody through whom the database's policies would stop anyway.

Each is asked over a connection for which every row is there, as if a policy had been lost.
"""

from collections.abc import Awaitable, Callable
from uuid import UUID, uuid4

import pytest

from service.access import keys, members
from service.access.dependencies import Transaction
from service.access.people_schemas import MemberContent
from service.cases import service as cases
from service.contracts import service as contracts
from service.errors import NotFound
from service.exchange import endpoints as exchange
from service.exchange.rows import GoodRow
from service.exchange.runs import _Importer
from service.kit.actor import SYSTEM, Actor, Role, Scope
from service.kit.db import Connection, Pool, transaction
from service.listings import service as listings
from service.listings.schemas import Kind
from service.listings.search import Filters, search
from service.matches import decisions, lists
from service.needs.schemas import NeedContent
from service.settings import Settings
from tests.access.indexing import build_market
from tests.access.market import Market

Reading = Callable[[Connection, Actor, UUID], Awaitable[object]]


def read(kind: Kind) -> Reading:
    return lambda connection, actor, identifier: listings.read(connection, actor, kind, identifier)


def read_import(connection: Connection, actor: Actor, identifier: UUID) -> Awaitable[object]:
    return exchange._run(Transaction(connection, actor, Settings()), identifier)


READINGS: dict[str, tuple[Reading, set[str]]] = {
    "need": (read(Kind.NEED), {"draft", "submitted", "refining", "withdrawn", "expired"}),
    "outcome": (read(Kind.OUTCOME), {"draft", "submitted", "verified", "withdrawn", "expired"}),
    "recommendation": (decisions.read_as_side_or_staff, {"accepted"}),
    "case": (cases.read, set()),
    "contract": (contracts.read, set()),
    "import": (read_import, set()),
}


@pytest.fixture
async def market(owner_url: str) -> Market:
    return await build_market(owner_url, [frozenset({"enterprise"})])


async def test_a_stranger_finds_nothing_where_every_row_is_there(market: Market, pool: Pool) -> None:
    stranger = Actor(uuid4(), market.houses["X"].id, frozenset({Role.ENTERPRISE, Role.PROVIDER}))
    operator = Actor(uuid4(), market.houses["T"].id, frozenset({Role.OPERATOR}))
    async with transaction(pool, SYSTEM) as connection:
        for kind, (reading, states) in READINGS.items():
            found = [
                each
                for each in market.subjects
                if each.kind == kind
                and each.house in "AP"
                and (not states or each.state in states)
                # Who operates a partner pair only the database knows.
                and not each.about.get("partner")
            ]
            assert found, kind
            for each in found:
                assert await reading(connection, operator, each.id)
                with pytest.raises(NotFound):
                    await reading(connection, stranger, each.id)


async def test_a_list_names_no_organization_that_posted_a_need(market: Market, pool: Pool) -> None:
    stranger = Actor(uuid4(), market.houses["X"].id, frozenset({Role.PROVIDER}))
    async with transaction(pool, SYSTEM) as connection:
        listed = await search(connection, Kind.NEED, Filters(), stranger, before=None, limit=100)
        others = await lists._counterparts(connection, stranger, [each.id for each in listed], [])
    assert listed
    assert {each.organization for each in (*listed, *others.values())} == {None}
    assert len(others) == len(listed)


async def test_nobody_manages_the_people_and_keys_of_another_organization(market: Market, pool: Pool) -> None:
    everything = frozenset(Scope)
    stranger = Actor(uuid4(), market.houses["X"].id, frozenset({Role.ENTERPRISE}), scopes=everything)
    own = market.houses["A"].id
    membership = next(each for each in market.subjects if each.kind == "membership" and each.state == "active")
    content = MemberContent(roles=["enterprise"], scopes=["read"])
    async with transaction(pool, SYSTEM) as connection:
        for managing in (
            members.list_members(connection, stranger, own, ended=True),
            members.change_member(connection, stranger, own, membership.id, "*", content),
            members.end_member(connection, stranger, own, membership.id),
            keys.list_keys(connection, stranger, own),
        ):
            with pytest.raises(NotFound):
                await managing


async def test_a_row_of_a_table_names_no_organization_that_one_does_not_post_for(market: Market, pool: Pool) -> None:
    stranger = Actor(uuid4(), market.houses["X"].id, frozenset({Role.ENTERPRISE}))
    named = GoodRow(2, NeedContent(title="枸杞快速干燥"), "house A", "N-1")
    async with transaction(pool, SYSTEM) as connection:
        await connection.execute("update organization set external_id = 'house A' where id = $1", market.houses["A"].id)
        stored = await _Importer(stranger, "needs", None, "draft").store(connection, named)
        assert isinstance(stored, list)
        assert [each.rule for each in stored] == ["known_organization"]
