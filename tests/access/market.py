"""One market for all probes: organizations, callers of every kind, an object in every state, a canary in every guarded field."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

import asyncpg

from tests.access.market_notices import make_notices
from tests.access.market_review import add_review

ROLES: Final = ("enterprise", "provider", "broker", "operator", "authority", "administrator")
SCOPES: Final = frozenset({"read", "write", "admin"})
STATES: Final = {
    "need": ("draft", "submitted", "refining", "published", "docking", "fulfilled", "withdrawn", "expired"),
    "outcome": ("draft", "submitted", "verified", "published", "transferred", "withdrawn", "expired"),
    "recommendation": ("proposed", "accepted", "declined", "snoozed", "superseded"),
    "organization": ("registered", "verified", "suspended"),
    "contract": ("draft", "signed", "filed", "registered", "rejected", "settled", "changed", "cancelled"),
    "case": ("invited", "consented", "consulting", "negotiating", "contracted", "following", "closed", "lapsed"),
}
NOBODY: Final = UUID("00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class House:
    """An organization as the rules know it."""

    label: str
    id: UUID
    state: str
    administrators: bool = False
    has_credit_code: bool = True
    was_verified: bool = True


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sends a request: roles and scopes of a key, its organization, and whether it is let in at all."""

    name: str
    house: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = SCOPES
    standing: str = "good"
    key: str | None = None
    person: str | None = None
    key_id: UUID | None = None

    def has(self, *roles: str) -> bool:
        """Whether one of the roles is carried."""
        return not self.roles.isdisjoint(roles)

    @property
    def unlimited(self) -> bool:
        """Whether nothing but its roles and organization limits the caller."""
        return self.standing == "good" and self.scopes == SCOPES

    @property
    def staff(self) -> bool:
        """Whose work is to see every organization."""
        return self.has("broker", "operator", "authority", "administrator")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a request is about; `about` holds what only some kinds have."""

    kind: str
    id: UUID
    house: str = ""
    state: str = ""
    about: dict[str, Any] = field(default_factory=dict)
    of: UUID | None = None

    @property
    def label(self) -> str:
        """For the list of wrong cells."""
        return f"{self.kind} {self.state or '-'} of {self.house or 'nobody'}"


@dataclass(frozen=True, slots=True)
class Canary:
    """A value that stands in one guarded field and nowhere else."""

    text: str
    guard: str
    house: str
    subject: Subject | None = None


class Aviary:
    """Makes canaries: tokens that one pattern finds in any answer."""

    # Words, telephone numbers (which may hold digits only), and keys of callers.
    PATTERN: Final = r"qz\d{5}q|0951-77\d{5}|dj_probe[0-9a-f]{32}"

    def __init__(self) -> None:
        self._numbers: Iterator[int] = itertools.count(10_000)
        self.canaries: dict[str, Canary] = {}

    def word(self, guard: str, house: str, subject: Subject | None = None) -> str:
        """A fresh word."""
        return self._keep(f"qz{next(self._numbers)}q", guard, house, subject)

    def phone(self, guard: str, house: str, subject: Subject | None = None) -> str:
        """A fresh telephone number."""
        return self._keep(f"0951-77{next(self._numbers)}", guard, house, subject)

    def key(self, name: str) -> str:
        """A key, which no answer ever shows."""
        return self._keep("dj_probe" + hashlib.sha256(name.encode()).hexdigest()[:32], "secret", "")

    def _keep(self, text: str, guard: str, house: str, subject: Subject | None = None) -> str:
        self.canaries[text] = Canary(text, guard, house, subject)
        return text


@dataclass(slots=True)
class Market:
    """Everything that probes are made of."""

    houses: dict[str, House] = field(default_factory=dict)
    callers: list[Caller] = field(default_factory=list)
    subjects: list[Subject] = field(default_factory=list)
    aviary: Aviary = field(default_factory=Aviary)
    # Profiles by the label of their organization.
    brokers: dict[str, UUID] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[Subject]:
        """The objects of a kind, and one that does not exist."""
        return [*(each for each in self.subjects if each.kind == kind), Subject(kind, NOBODY)]


# label: kind, state, has administrators, has a credit code, was verified. A posts needs, P offers outcomes and is the
# counterpart of A's pairs, X is a stranger to both, T is where the market's staff sit; S and U are suspended.
HOUSES: Final = {
    "A": ("enterprise", "verified", True, True, True),
    "P": ("university", "verified", True, True, True),
    "X": ("enterprise", "verified", True, True, True),
    "T": ("market", "verified", True, True, True),
    "S": ("enterprise", "suspended", False, True, True),
    "U": ("enterprise", "suspended", False, False, False),
    "R": ("enterprise", "registered", False, False, False),
    "V": ("enterprise", "verified", False, True, True),
    "N": ("institute", "registered", False, True, False),
}
WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(number: int) -> str:
    """A unified social credit code with its check character (GB 32100-2015, 4.6)."""
    body = f"91640100MA{number:07d}"
    total = sum(ALPHABET.index(sign) * weight for sign, weight in zip(body, WEIGHTS, strict=True))
    return body + ALPHABET[-total % 31]


INSERT_HOUSE = """
insert into organization (external_id, name, kind, credit_code, region, introduction, state, verified_at, suspended_at)
values ($1, $2, $3, $4, '640100', $5, $6, case when $7 then now() end, case when $6 = 'suspended' then now() end) returning id
"""
INSERT_KEY = """
insert into api_key (organization_id, label, digest, roles, scopes, membership_id, person_id, expires_at, revoked_at, last_used_at)
values ($1, $2, $3, $4, $5, $6, $7, case when $8 = 'expired' then now() end, case when $8 = 'revoked' then now() end,
        now() + interval '1 day')
returning id
"""
INSERT_LISTING = """
insert into listing (kind, organization_id, external_id, state, version, title, description, contact_name, contact_phone,
                     contact_email, background, team, field, region, modes, expires_on)
values ($1, $2, $3, $4, 2, $5, $6, $7, $8, $9, case when $1 = 'need' then $10 end, case when $1 = 'outcome' then $10 end,
        'goji', '640100', '{transfer}', '2099-12-31')
returning id
"""
INSERT_REVISION = "insert into listing_revision (listing_id, version, content, reason) values ($1, $2, $3, $4)"
INSERT_PERSON = "insert into person (name, email, phone) values ($1, $2, $3) returning id"
INSERT_MEMBERSHIP = """
insert into membership (person_id, organization_id, roles, scopes, valid_from, ended_at)
values ($1, $2, $3, '{read,write,admin}', now() - interval '1 day', case when $4 then now() end) returning id
"""
INSERT_PAIR = """
insert into recommendation (need_id, outcome_id, state, score, probability, level, explanation, model_version, snoozed_until)
values ($1, $2, $3, 0.5, 0.5, 'fair', $4, 'probe', case when $3 = 'snoozed' then now() + interval '9 days' end) returning id
"""
INSERT_DECISION = """
insert into decision (recommendation_id, action, code, note, rank, model_version, features)
values ($1, 'decline', 'too_early', $2, 1, 'probe', '{}')
"""


class Builder:
    """Builds a market in an empty database, as its owner: also in states that no request leads to."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.market = Market()
        self.bird = self.market.aviary

    async def build(self, *, role_sets: list[frozenset[str]]) -> Market:
        """All of it; one key for each set of roles in each of four organizations."""
        for number, label in enumerate(HOUSES):
            await self._house(label, number)
        people = {label: await self._person(label) for label in ("A", "P", "X")}
        await self._callers(role_sets, people)
        listings = [
            await self._listing(kind, house, state)
            for kind, owner in (("need", "A"), ("outcome", "P"))
            for house in (owner, "S")
            for state in STATES[kind]
        ]
        for kind, state in (("need", "submitted"), ("need", "refining"), ("outcome", "verified")):
            listings.append(await self._listing(kind, "R", state))
        await self._pairs(listings)
        await self._imports()
        await add_review(self, people["A"][0].id)
        houses = {label: house.id for label, house in self.market.houses.items()}
        members = {label: person.id for label, (person, _) in people.items()}
        self.market.subjects += [
            Subject(*each) for each in await make_notices(self.connection, houses, members, self.bird.word)
        ]
        # Imported here: that file needs the types of this one.
        from tests.access.market_cases import add_cases

        await add_cases(self.connection, self.market, listings)
        return self.market

    async def _house(self, label: str, number: int) -> None:
        kind, state, administrators, coded, verified = HOUSES[label]
        guard = "offerer" if label == "P" else "house"
        word = self.bird.word
        identifier = await self.connection.fetchval(
            INSERT_HOUSE, word(guard, label), f"演示单位 {word(guard, label)}", kind, credit_code(number) if coded else None,
            word("house", label), state, verified,
        )  # fmt: skip
        house = House(label, identifier, state, administrators, coded, verified)
        self.market.houses[label] = house
        self.market.subjects.append(Subject("organization", identifier, label, state))

    async def _person(self, label: str) -> tuple[Subject, UUID]:
        """A person of an organization with a membership of every role, an ended one, and a login."""
        word = self.bird.word
        stub = Subject("person", NOBODY, label, "active", {"name": f"person of {label}"})
        identifier = await self.connection.fetchval(
            INSERT_PERSON, f"演示 {word('person', label, stub)}", f"{word('contact_of_person', label, stub)}@example.com",
            self.bird.phone("contact_of_person", label, stub),
        )  # fmt: skip
        person = replace(stub, id=identifier)
        house = self.market.houses[label].id
        grants = (("active", ["enterprise", "provider"], False), ("ended", ["enterprise"], True))
        ids: dict[str, UUID] = {}
        for state, roles, ended in grants:
            ids[state] = await self.connection.fetchval(
                INSERT_MEMBERSHIP,
                identifier,
                house,
                list(ROLES) if state == "active" and label == "A" else roles,
                ended,
            )
            about = {"roles": frozenset(ROLES if state == "active" and label == "A" else roles)}
            self.market.subjects.append(Subject("membership", ids[state], label, state, about, of=house))
        login = await self.connection.fetchval(
            "insert into person_identity (person_id, issuer, subject) values ($1, 'https://login.example', $2) returning id",
            identifier, word("login", label, stub),
        )  # fmt: skip
        self.market.subjects += [person, Subject("identity", login, label, "linked", of=identifier)]
        return person, ids["active"]

    async def _key(self, house: str, roles: frozenset[str], name: str, **more: Any) -> tuple[UUID, str]:
        key = self.bird.key(name)
        identifier = await self.connection.fetchval(
            INSERT_KEY, self.market.houses[house].id, self.bird.word("key", house), hashlib.sha256(key.encode()).digest(),
            sorted(roles), sorted(more.get("scopes", SCOPES)), more.get("membership"), more.get("person"), more.get("standing"),
        )  # fmt: skip
        return identifier, key

    async def _callers(self, role_sets: list[frozenset[str]], people: dict[str, tuple[Subject, UUID]]) -> None:
        callers = self.market.callers
        for house, roles in itertools.product("APXT", role_sets):
            name = f"{'+'.join(sorted(roles))} of {house}"
            identifier, key = await self._key(house, roles, name)
            callers.append(Caller(name, house, roles, key=key, key_id=identifier))
        for role, scope in itertools.product(ROLES, sorted(SCOPES)):
            name, roles = f"{role} of A, {scope} only", frozenset({role})
            identifier, key = await self._key("A", roles, name, scopes={scope})
            callers.append(Caller(name, "A", roles, frozenset({scope}), key=key, key_id=identifier))
        person, membership = people["A"]
        for role in ROLES:
            name, roles = f"{role} of A, a person", frozenset({role})
            identifier, key = await self._key("A", roles, name, membership=membership, person=person.id)
            callers.append(Caller(name, "A", roles, key=key, person="A", key_id=identifier))
        for role, standing in itertools.product(
            ("enterprise", "administrator"), ("expired", "revoked", "suspended", "ended")
        ):
            house, name, roles = "S" if standing == "suspended" else "A", f"{role}, {standing}", frozenset({role})
            ended = next(each for each in self.market.subjects if each.kind == "membership" and each.state == "ended")
            more = {"membership": ended.id, "person": person.id} if standing == "ended" else {}
            _, key = await self._key(house, roles, name, standing=standing, **more)
            callers.append(Caller(name, house, roles, standing=standing, key=key))
        callers += [
            Caller("no key", "", standing="none"),
            Caller("unknown key", "", standing="unknown", key="dj_unknown"),
        ]
        for house, state in itertools.product("AX", ("valid", "expired", "revoked", "personal", "rotated")):
            more = {"membership": people[house][1], "person": people[house][0].id} if state == "personal" else {}
            identifier, _ = await self._key(
                house,
                frozenset({"enterprise"}),
                f"subject {house} {state}",
                standing=state,
                scopes={"read", "write"},
                **more,
            )
            if state == "rotated":
                successor, _ = await self._key(house, frozenset({"enterprise"}), f"successor {house}")
                await self.connection.execute(
                    "update api_key set replaced_by = $2 where id = $1", identifier, successor
                )
            self.market.subjects.append(Subject("key", identifier, house, state))

    async def _listing(self, kind: str, house: str, state: str) -> Subject:
        stub = Subject(kind, NOBODY, house, state)
        word = self.bird.word
        identifier = await self.connection.fetchval(
            INSERT_LISTING, kind, self.market.houses[house].id, word("number", house), state,
            f"枸杞干燥 {word('text', house, stub)}", f"真空脉动干燥，含水率≤13%。{word('text', house, stub)}",
            word("contact", house), self.bird.phone("contact", house), f"{word('contact', house)}@example.com",
            word("text", house, stub),
        )  # fmt: skip
        before = {"title": f"旧稿 {word('history', house)}", "contact_name": word("contact", house)}
        await self.connection.execute(INSERT_REVISION, identifier, 1, before, word("history", house))
        after = {"title": f"旧稿 {word('history', house)}", "contact_name": word("contact", house)}
        await self.connection.execute(INSERT_REVISION, identifier, 2, after, None)
        await self.connection.execute(
            "insert into event (subject_kind, subject_id, action, data) values ($1, $2, 'change', $3)",
            kind, identifier, {"note": word("event", house)},
        )  # fmt: skip
        made = replace(stub, id=identifier)
        self.market.subjects.append(made)
        return made

    async def _pairs(self, listings: list[Subject]) -> None:
        """Pairs in every state: of one published need; accepted ones of a need that is in touch, and of one withdrawn since."""
        of = {(each.kind, each.house, each.state): each.id for each in listings}
        need, outcomes = of["need", "A", "published"], [of["outcome", "P", state] for state in STATES["outcome"]]
        both = [(need, outcome, state) for outcome, state in zip(outcomes, STATES["recommendation"], strict=False)]
        withdrawn = (of["need", "A", "withdrawn"], of["outcome", "P", "published"], "accepted")
        open_pair = (of["need", "A", "docking"], of["outcome", "P", "published"], "accepted")
        states = {each.id: each.state for each in listings}
        for need_id, outcome_id, state in [*both, withdrawn, open_pair]:
            empty = {"signals": [], "indicators": [], "score": 0.5, "level": "fair", "conflicts": []}
            identifier = await self.connection.fetchval(INSERT_PAIR, need_id, outcome_id, state, empty)
            await self.connection.execute(INSERT_DECISION, identifier, self.bird.word("decision", "A"))
            about = {"A": states[need_id], "P": states[outcome_id]}
            self.market.subjects.append(Subject("recommendation", identifier, "A", state, about))

    async def _imports(self) -> None:
        for house in "AX":
            run = await self.connection.fetchval(
                "insert into import_run (kind, organization_id, file_name, dry_run, state) values ('need', $1, $2, false, "
                "'finished') returning id",
                self.market.houses[house].id, f"{self.bird.word('import', house)}.csv",
            )  # fmt: skip
            await self.connection.execute(
                "insert into import_row (run_id, line, position, field, rule, message_zh, message_en, value) "
                "values ($1, 2, 0, 'title', 'missing', '必填', 'Required', $2)",
                run, self.bird.word("import", house),
            )  # fmt: skip
            self.market.subjects.append(Subject("import", run, house, "finished"))
