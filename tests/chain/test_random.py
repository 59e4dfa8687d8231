"""Random requests by random actors across all rooms, under a clock that jumps: what holds after each of them."""

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from service.contracts.amounts import amounts
from service.contracts.schemas import Terms
from service.kit.db import prepare_connection
from service.workflows.tables import CONTRACT
from tests.chain.test_no import second_broker
from tests.chain.test_whole import terms
from tests.chain.walking import AGREED, LATEST, YES, Market
from tests.contracts.helpers import TERMS

STEPS = 240
LISTING = """
insert into listing (
    kind, organization_id, state, title, field, region, published_at, contact_name, contact_phone, contact_email
)
values ($1, $2, 'published', $3, 'goji', $4, now(), $5, $6, $7) returning id
"""
PAIR = """
insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)
values ($1, $2, $3, $3, 'fair', '{"signals": [], "indicators": []}', 'test') returning id
"""
STATE = """
select recommendation.state, case_.id as case_id, case_.state as case_state,
       (select count(*) from consent where recommendation_id = recommendation.id and withdrawn_at is null) = 2 as both,
       array(
           select contract.id from contract where contract.recommendation_id = recommendation.id
           or contract.case_id in (select id from docking_case where docking_case.recommendation_id = recommendation.id)
           order by contract.id
       ) as contracts,
       array(
           select contract.state from contract where contract.recommendation_id = recommendation.id
           or contract.case_id in (select id from docking_case where docking_case.recommendation_id = recommendation.id)
           order by contract.id
       ) as contract_states
from recommendation
left join lateral (
    select id, state from docking_case where recommendation_id = recommendation.id order by id desc limit 1
) as case_ on true
where recommendation.id = $1
"""
# What must never be found, over all rows of all rooms.
NEVER = {
    "a pair with two active cases": """
        select need_id, outcome_id from docking_case where state not in ('closed', 'lapsed')
        group by need_id, outcome_id having count(*) > 1
    """,
    "an active case of a pair that is not accepted": """
        select docking_case.id from docking_case join recommendation on recommendation.id = recommendation_id
        where docking_case.state not in ('closed', 'lapsed') and recommendation.state <> 'accepted'
    """,
    "an accepted pair that never had a case": """
        select id from recommendation
        where state = 'accepted' and not exists (select from docking_case where recommendation_id = recommendation.id)
    """,
    "sides that talk without both consents, or are invited with them": """
        select docking_case.id from docking_case
        where (state in ('consented', 'consulting', 'negotiating') or state = 'invited') and (state = 'invited') = (
            select count(*) = 2 from consent where recommendation_id = docking_case.recommendation_id and withdrawn_at is null
        )
    """,
    "a need that is not docking while it is talked about, or is and is not": """
        select listing.id from listing where kind = 'need' and state in ('published', 'docking') and (state = 'docking') <> exists (
            select from docking_case where need_id = listing.id and (
                docking_case.state in ('consented', 'consulting', 'negotiating', 'contracted', 'following')
                or closed_as = 'won' and closed_at >= published_at
            )
        )
    """,
    "a side that consents twice": """
        select recommendation_id from consent where withdrawn_at is null group by recommendation_id, side having count(*) > 1
    """,
    "a contract without case, pair or reason": """
        select id from contract where num_nonnulls(case_id, recommendation_id, origin_reason) <> 1
    """,
    "a contracted case without a signed contract": """
        select id from docking_case where contracted_at is not null and not exists (
            select from contract where signed_on is not null
            and (case_id = docking_case.id or contract.recommendation_id = docking_case.recommendation_id)
        )
    """,
    "a signed contract whose case goes on talking": """
        select contract.id from contract join docking_case on docking_case.id = case_id
        where signed_on is not null and contracted_at is null
    """,
    "two contracts of one pair under way of which neither was said to be a further one": """
        select pair_id from contract where not further and state not in ('settled', 'cancelled')
        group by pair_id having count(*) > 1 and pair_id is not null
    """,
    "two drafts of one case": """
        select case_id from contract where state = 'draft' and case_id is not null group by case_id having count(*) > 1
    """,
    "receipts that do not add up, or exceed the turnover": """
        select contract.id from contract
        left join contract_receipt on contract_id = contract.id
        group by contract.id having coalesce(sum(contract_receipt.amount), 0) <> contract.received or contract.received < 0
    """,
    "an active case that awaits nobody, or an ended one that awaits somebody": """
        select docking_case.id from docking_case
        where (state in ('closed', 'lapsed')) = exists (
            select from case_wait where case_id = docking_case.id and ended_at is null
        )
    """,
    "an event that is not in the chain": """
        select event.id from event where not exists (select from event_seal where event_seal.event_id = event.id)
    """,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair, and the role of the outcome's side."""

    id: UUID
    provider: str


@dataclass
class Run:
    """One sequence, and what has been seen of it."""

    market: Market
    chance: random.Random
    pairs: list[Pair]
    know: set[str] = field(default_factory=set)
    taken: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    number: int = 0

    async def step(self) -> bool:
        """Somebody asks for something about a pair: often what comes next, often anything. Whether it was done."""
        self.number += 1
        pair = self.chance.choice(self.pairs)
        row = await self.market.pool.fetchrow(STATE, pair.id)
        assert row is not None
        role, action = self._next(pair, row) if self.chance.random() < 0.6 else self._anything(pair)
        if action == "clock":
            self.market.clock.go(timedelta(days=self.chance.choice((1, 3, 8, 40))))
            await self.market.house()
            return True
        asked = await self._request(action, pair, row)
        if asked is None:
            return False
        method, path, body = asked
        before = await self.market.pool.fetchval(LATEST)
        headers = (
            {"If-Match": self.chance.choice(('"1"', "*", "*", "*"))} if method == "PUT" or action == "confirm" else {}
        )
        self.market.acquainted = True
        answer = await self.market.ask(role, method, path, body, headers)
        left = await self.market.since(before)
        if answer.status_code >= 400:
            self.refused += 1
            # What left no event changed nothing: there is nothing to look at anew.
            assert left == [], (action, left)
            return False
        self.taken[action] += 1
        assert bool(left) == (action not in ("lease", "release")), (action, left)
        # An action leaves its event once: in the room that it was asked of, and in those that follow it.
        assert len(set(left)) == len(left), (action, left)
        assert row["both"] or not action.startswith("draft"), "a contract came of a pair without both consents"
        return True

    def _next(self, pair: Pair, row: Any) -> tuple[str, str]:
        """What usually comes next."""
        own, staff = self.chance.choice(("enterprise", pair.provider)), "broker"
        match row["case_state"]:
            case None | "closed" if row["state"] in ("proposed", "snoozed"):
                return self.chance.choice(("broker", "broker", "second")), self.chance.choice(
                    ("accept", "accept", "lease")
                )
            case "invited":
                usual = [(own, "yes")] * 5
                return self.chance.choice(
                    [*usual, (own, "question"), (staff, "undo"), (staff, "message"), ("", "clock")]
                )
            case "consented":
                return self.chance.choice(((staff, "consult"), (own, "consult"), (own, "contacts")))
            case "consulting":
                return own, self.chance.choice(("negotiate", "message", "terms", "draft_of_case"))
            case "negotiating":
                return own, self.chance.choice(
                    ("terms", "draft_of_case", "draft_of_pair", "confirm", "confirm", "sign", "sign")
                )
            case "contracted" | "following":
                return self.chance.choice((
                    (staff, "follow"), (own, "file"), (own, "file"), ("operator", "register"), ("operator", "register"),
                    (own, "receipt"), ("operator", "reject"), (own, "change"), (own, "confirm"), (staff, "close_won"),
                    ("enterprise", "follow_up"), (pair.provider, "follow_up"), ("", "clock"),
                ))  # fmt: skip
            case "lapsed":
                return staff, "reopen"
            case _:
                return self._anything(pair)

    def _anything(self, pair: Pair) -> tuple[str, str]:
        """Anything by anybody."""
        role = self.chance.choice(
            (
                "enterprise",
                pair.provider,
                "broker",
                "second",
                "operator",
                "administrator",
                "authority",
                "stranger",
                "other_provider",
            )
        )
        actions = (
            "accept", "decline", "lease", "release", "undo", "yes", "no", "leave", "question", "withdraw", "contacts", "consult",
            "negotiate", "terms", "message", "draft_of_case", "draft_of_pair", "confirm", "sign", "file", "register",
            "reject", "receipt", "change", "cancel", "follow", "follow_up", "close_won", "close_lost", "reopen", "clock",
        )  # fmt: skip
        return role, self.chance.choice(actions)

    async def _request(self, action: str, pair: Pair, row: Any) -> tuple[str, str, Any] | None:
        """Method, address and body of an action; None where its object is not there."""
        case = f"/cases/{row['case_id']}" if row["case_id"] else None
        contract = self._contract(action, row)
        at, today, number = f"/recommendations/{pair.id}", str(self.market.clock.today), self.number
        # Everything that a filing needs, since these listings say next to nothing.
        whole = TERMS | terms(self.market)
        some = str(self.chance.randrange(1, 400_000))
        of_pair: dict[str, tuple[str, str, Any]] = {
            "accept": ("POST", f"{at}/decisions", {"action": "accept"}),
            "decline": ("POST", f"{at}/decisions", {"action": "decline", "code": "vague"}),
            "lease": ("POST", "/review/leases", {"limit": 1}),
            "release": ("DELETE", "/review/leases", None),
            "undo": ("POST", f"{at}/decisions/undo", None),
            "withdraw": ("DELETE", f"{at}/consent", None),
            "contacts": ("GET", f"{at}/contacts", None),
            "draft_of_pair": ("POST", "/contracts", whole | {"recommendation_id": str(pair.id)}),
        }
        of_case: dict[str, tuple[str, str, Any]] = {
            "yes": ("POST", f"{case}/answer", YES),
            "no": ("POST", f"{case}/answer", {"answer": "no", "code": "too_early"}),
            "leave": ("POST", f"{case}/leave", {"code": "no_agreement"}),
            "question": ("POST", f"{case}/answer", {"answer": "question", "text": "何时可看样机？"}),
            "message": ("POST", f"{case}/messages", {"channel": "shared", "body": f"第 {number} 条"}),
            "terms": ("PUT", f"{case}/terms", AGREED),
            "draft_of_case": (
                "POST",
                "/contracts",
                whole | {"case_id": str(row["case_id"]), "further": number % 3 == 0},
            ),
            "close_won": ("POST", f"{case}/close", {"closed_as": "won", "code": "in_use"}),
            "close_lost": ("POST", f"{case}/close", {"closed_as": "lost", "code": "no_agreement"}),
            **{name: ("POST", f"{case}/{name}", None) for name in ("consult", "negotiate", "follow", "reopen")},
        }
        changed = {"terms": {"deductions": []}, "reason": "改由买方自购", "effective_on": today, "signed_on": today}
        of_contract: dict[str, tuple[str, str, Any]] = {
            "confirm": ("POST", f"{contract}/confirm", None),
            "sign": ("POST", f"{contract}/sign", {"signed_on": today}),
            "file": ("POST", f"{contract}/file", None),
            "register": (
                "POST", f"{contract}/register", {"number": f"R-{number:05}", "registered_on": today, "office": "演示登记处"},
            ),
            "reject": ("POST", f"{contract}/reject", {"reason": "缺少附件"}),
            "receipt": ("POST", f"{contract}/receipts", {"received_on": today, "amount": some}),
            "change": ("POST", f"{contract}/changes", changed),
            "cancel": ("POST", f"{contract}/cancel", {"reason": "双方协议解除", "effective_on": today}),
        }  # fmt: skip
        if action == "follow_up":
            open_ones = (
                "select id from follow_up where case_id = $1 order by answered_at is null desc, asked_at limit 2"
            )
            found = await self.market.pool.fetch(open_ones, row["case_id"])
            answer = {"used": True, "paid": True, "amount": some}
            return ("POST", f"{case}/follow-ups/{self.chance.choice(found)['id']}", answer) if found else None
        if action in of_pair:
            return of_pair[action]
        return of_case[action] if case and action in of_case else of_contract.get(action) if contract else None

    def _contract(self, action: str, row: Any) -> str | None:
        """The address of a contract of the pair, as a rule of one whose turn it is."""
        sources = {source for each in CONTRACT.transitions if each.action == action for source in each.sources}
        known = list(zip(row["contracts"], row["contract_states"], strict=True))
        fitting = [one for one, state in known if state in sources] or row["contracts"]
        usual = self.chance.random() < 0.8
        return f"/contracts/{self.chance.choice(fitting if usual else row['contracts'])}" if known else None

    async def check(self) -> None:
        """What must hold at every moment."""
        for what, statement in NEVER.items():
            assert await self.market.pool.fetch(statement) == [], (what, self.number)
        rows = {pair: await self.market.pool.fetchrow(STATE, pair.id) for pair in self.pairs}
        # By one pair to whose contact data both consent a provider knows whose need it is, also in its other pairs.
        introduced = {pair.provider for pair, row in rows.items() if row["both"]}
        self.know |= introduced
        for pair, row in rows.items():
            await self._check_closed(pair, row["case_id"], pair.provider in introduced)
        for contract in (await self.market.read("operator", "/contracts?limit=100"))["items"]:
            shown = await self.market.read("operator", f"/contracts/{contract['id']}")
            sums = amounts(Terms.model_validate(shown["terms"]))
            assert Decimal(shown["sums"]["turnover"]) == sums.turnover
            assert Decimal(shown["sums"]["technology_value"]) == sums.technology_value
            assert Decimal(shown["received"]) <= sums.turnover

    async def _check_closed(self, pair: Pair, case_id: UUID | None, introduced: bool) -> None:
        """While not both consent, no case names the need's side; before they ever did, nothing at all does."""
        self.market.acquainted = pair.provider in self.know
        if case_id is not None:
            case = await self.market.read(pair.provider, f"/cases/{case_id}")
            assert introduced or case["need"] is None or case["need"]["organization"] is None, self.number
        hidden = not self.market.acquainted
        for path in ("/cases", "/contracts", "/needs", f"/recommendations/{pair.id}"):
            answer = await self.market.ask(pair.provider, "GET", path)
            if hidden:
                told = [word for word in self.market.named("enterprise") if word in answer.text]
                assert told == [], (pair.provider, path, self.number)


async def pairs_of(market: Market, owner: asyncpg.Connection) -> list[Pair]:
    """A need, and outcomes of two providers that are proposed for it."""
    organization = {name: member.organization_id for name, member in market.keys.members.items()}

    async def listing(kind: str, role: str, region: str) -> UUID:
        contact = market.named(role)[-3:] if role in ("enterprise", "provider") else (None, None, None)
        made: UUID = await owner.fetchval(LISTING, kind, organization[role], f"演示{kind}", region, *contact)
        return made

    need, found = await listing("need", "enterprise", "640500"), []
    for role, probability in (("provider", 0.8), ("other_provider", 0.7), ("provider", 0.6), ("provider", 0.5)):
        outcome = await listing("outcome", role, "350100")
        found.append(Pair(await owner.fetchval(PAIR, need, outcome, probability), role))
    await owner.fetchval("select settle_review(1000)")
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_random_requests_across_rooms_keep_every_invariant(market: Market, owner_url: str, seed: int) -> None:
    market.strangers = ("stranger",)
    await second_broker(market)
    owner = await asyncpg.connect(owner_url)
    await prepare_connection(owner)
    try:
        run = Run(market, random.Random(seed), await pairs_of(market, owner))
    finally:
        await owner.close()
    for _ in range(STEPS):
        if await run.step():
            await run.check()
    await market.told()
    await market.holds()
    registered = await market.pool.fetchrow(
        "select count(*) as contracts, coalesce(sum(turnover), 0) as turnover from contract"
        " where registered_on is not null and state <> 'cancelled'"
    )
    figures = (await market.read("authority", "/contracts/figures?by=type"))["figures"]
    assert sum(each["contracts"] for each in figures) == registered["contracts"]
    assert sum((Decimal(each["turnover"]) for each in figures), Decimal(0)) == registered["turnover"]
    # The sequences are not only refusals, and get as far as a contract.
    assert len(run.taken) >= 16, run.taken
    assert run.taken["sign"] >= 1, run.taken
    assert run.refused >= 20
