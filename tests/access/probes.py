"""Each table × actor × command by plain SQL: how many rows every kind of actor should reach.

Changes are blind (no condition, nothing read), so that the policy of the change itself decides and not the one of
reading. The expectations say once more, on purpose, what the comments of the policies say.
"""

from dataclasses import dataclass
from uuid import UUID, uuid4

import asyncpg

from service.kit.db import SET_ACTOR
from tests.access.probes_cases import CASE_PROBES, CASE_ROWS
from tests.access.probes_contracts import CONTRACT_PROBES, CONTRACT_ROWS
from tests.access.probes_notices import NOTICE_PROBES, NOTICE_ROWS

ORGANIZATIONS = ("own", "counterpart", "stranger", "suspended", "broker", "operator", "authority", "administrator")
ROLE_OF = {"own": "enterprise", "counterpart": "provider", "stranger": "enterprise", "suspended": "enterprise"}
# A person who logged in and acts for no organization; the doorkeeper; the service; nobody at all.
ACTORS = (*(name for name in ORGANIZATIONS if name != "suspended"), "person", "door", "system", "nobody")


@dataclass(frozen=True, slots=True)
class World:
    """Ids of what is there, by name, and a connection that owns everything and one of the application."""

    ids: dict[str, UUID]
    application: "asyncpg.Connection[asyncpg.Record]"

    async def reached(self, actor: str, statement: str) -> int:
        """How many rows a statement reaches in the name of an actor; 0 where the database refuses it."""
        change = self.application.transaction()
        await change.start()
        try:
            await self.application.execute(SET_ACTOR, *self._identity(actor))
            status = await self.application.execute(self._filled(statement, actor))
            return int(status.rpartition(" ")[2])
        except asyncpg.InsufficientPrivilegeError:
            return 0
        except asyncpg.IntegrityConstraintViolationError:
            # Constraints are looked at after the policies.
            return 1
        finally:
            await change.rollback()

    def _identity(self, actor: str) -> tuple[str, str, str, str, str, str]:
        key = str(self.ids.get(f"key of {actor}", ""))
        person = str(self.ids["member"]) if actor == "person" else ""
        roles = {"person": "", "nobody": ""}.get(actor, ROLE_OF.get(actor, actor))
        return key, str(self.ids.get(actor, "")) if key else "", roles, "probe", "unknown", person

    def _filled(self, statement: str, actor: str) -> str:
        """The statement with ids in the place of `{names}`; `{my key}` and `{my organization}` are the actor's."""
        key = self.ids.get(f"key of {actor}")
        mine = {
            "my key": f"'{key}'" if key else "null",
            "my organization": f"'{self.ids[actor]}'" if key else "null",
            "my person": f"""'{{"by_person": "{self.ids["member"]}"}}'""" if actor == "person" else "'{}'",
        }
        return statement.format_map({name: f"'{value}'" for name, value in self.ids.items()} | mine)


# One row a line: what it is called, and how it is made; ids of earlier ones in braces.
ROWS: tuple[tuple[str, str], ...] = (
    ("member", "person (id, name, email, created_at) values ({id}, '甲', 'a@example.org', '2026-01-01')"),
    ("other member", "person (id, name, email, created_at) values ({id}, '乙', 'b@example.org', '2026-01-01')"),
    ("membership", "membership (id, person_id, organization_id, roles, scopes)"
     " values ({id}, {member}, {own}, '{{enterprise}}', '{{read}}')"),
    ("other membership", "membership (id, person_id, organization_id, roles, scopes)"
     " values ({id}, {other member}, {stranger}, '{{enterprise}}', '{{read}}')"),
    ("personal key", "api_key (id, organization_id, label, digest, roles, scopes, person_id, membership_id)"
     " values ({id}, {own}, 'own', sha256('personal'), '{{enterprise}}', '{{read}}', {member}, {membership})"),
    ("identity", "person_identity (id, person_id, issuer, subject) values ({id}, {member}, 'https://i.example', 's')"),
    ("password", "person_password (person_id, hash) values ({member}, '$argon2id$x')"),
    ("need", "listing (id, kind, organization_id, state, title) values ({id}, 'need', {own}, 'draft', '草稿')"),
    ("outcome", "listing (id, kind, organization_id, state, title) values ({id}, 'outcome', {counterpart}, 'published', '成果')"),
    ("draft outcome", "listing (id, kind, organization_id, state, title) values ({id}, 'outcome', {counterpart}, 'draft', '样机')"),
    ("hidden need", "listing (id, kind, organization_id, state, title) values ({id}, 'need', {suspended}, 'published', '停用')"),
    ("right", "ip_right (listing_id, position, kind) values ({outcome}, 1, 'trade_secret')"),
    ("draft right", "ip_right (listing_id, position, kind) values ({draft outcome}, 1, 'trade_secret')"),
    ("revision", "listing_revision (listing_id, version, content) values ({need}, 1, '{{}}')"),
    ("refinement", "refinement (id, listing_id, organization_id, key_id, begun_at)"
     " values ({id}, {need}, {broker}, {key of broker}, '2026-01-01')"),
    ("listing question", "listing_question (id, listing_id, question, organization_id, key_id, asked_at)"
     " values ({id}, {need}, 'x', {broker}, {key of broker}, now())"),
    ("agreement", "listing_agreement (listing_id, revision, organization_id, key_id, agreed_at)"
     " values ({need}, 1, {own}, {key of own}, now())"),
    ("other revision", "listing_revision (listing_id, version, content) values ({need}, 5, '{{}}')"),
    ("event", "event (key_id, organization_id, subject_kind, subject_id, action, data)"
     " values ({key of own}, {own}, 'need', {need}, 'create', jsonb_build_object('by_person', {member}::text))"),
    ("checkpoint", "event_checkpoint (position, hash) values (1, sha256('x'))"),
    ("model", "ranking_model (version, definition) values ('x', '{{}}')"),
    ("activation", "ranking_activation (id, version, action, chosen) values ({id}, 'x', 'install', false)"),
    ("active", "active_ranking_model (version, activation_id) values ('x', {activation})"),
    ("encoder", "encoder_choice (source, action) values ('bundled', 'activate')"),
    ("pair", "recommendation (id, need_id, outcome_id, score, probability, level, explanation, model_version)"
     " values ({id}, {need}, {outcome}, 1, 0.5, 'fair', '{{}}', 'x')"),
    ("decision", "decision (recommendation_id, action, rank, model_version, features) values ({pair}, 'accept', 1, 'x', '{{}}')"),
    ("accepted pair", "recommendation (id, need_id, outcome_id, state, score, probability, level, explanation, model_version)"
     " values ({id}, {need}, {draft outcome}, 'accepted', 1, 0.5, 'fair', '{{}}', 'x')"),
    ("consent", "consent (recommendation_id, side, organization_id, key_id, purpose)"
     " values ({accepted pair}, 'need', {own}, {key of own}, 'x')"),
    ("question", "organization_response (organization_id, kind, subject_id, asked_at) values ({own}, 'revision', {need}, now())"),
    ("profile", "broker (id, organization_id, name) values ({id}, {broker}, '演示技术经理人')"),
    ("certificate", "broker_qualification (broker_id, position, title, issuer) values ({profile}, 1, 'a', 'b')"),
    ("assignment", "broker_assignment (need_id, broker_id, assigned_at) values ({need}, {profile}, now())"),
    ("run", "import_run (id, kind, organization_id, key_id, file_name, dry_run) values ({id}, 'need', {own}, {key of own}, 'a', true)"),
    ("row", "import_row (run_id, line, position, field, rule, message_zh, message_en) values ({run}, 1, 1, 'a', 'a', 'a', 'a')"),
    ("matching", "listing_matching (listing_id, indexed_version) values ({need}, 1)"),
    ("other matching", "listing_matching (listing_id, indexed_version) values ({outcome}, 1)"),
    ("answer", "idempotency_key (caller, key, method, path, digest, created_at)"
     " values ({key of own}, 'k', 'POST', '/', sha256('x'), now())"),
    *CONTRACT_ROWS,
    *NOTICE_ROWS,
    *CASE_ROWS,
)  # fmt: skip


async def fill(owner: "asyncpg.Connection[asyncpg.Record]") -> dict[str, UUID]:
    """One row or a few in every table, made by a superuser, whom no policy binds; their ids by name."""
    ids: dict[str, UUID] = {}
    async with owner.transaction():
        for name in ("active_ranking_model", "ranking_activation", "ranking_model"):
            await owner.execute(f"delete from {name}")
        for name in ORGANIZATIONS:
            ids[name], ids[f"key of {name}"] = uuid4(), uuid4()
            await owner.execute(
                "insert into organization (id, name, kind) values ($1, $2, 'enterprise')", ids[name], f"单位 {name}"
            )
            await owner.execute(
                "insert into api_key (id, organization_id, label, digest, roles, scopes)"
                " values ($1, $2, 'own', sha256($3::text::bytea), array[$4], '{read}')",
                ids[f"key of {name}"], ids[name], name, ROLE_OF.get(name, name),
            )  # fmt: skip
        await owner.execute(
            "update organization set state = 'suspended', suspended_at = now() where id = $1", ids["suspended"]
        )
        for name, row in ROWS:
            ids[name] = uuid4()
            filled = row.format_map({known: f"'{value}'" for known, value in ids.items()} | {"id": f"'{ids[name]}'"})
            await owner.execute(f"insert into {filled}")
    return ids


STAFF = "broker operator authority administrator system"
REVIEWERS = "broker operator administrator system"
OVERSEERS = "operator authority administrator system"
OPERATORS = "operator administrator system"
CALLERS = f"own counterpart stranger {STAFF}"
# Table, statement, and how many rows whom it reaches; whoever is not named reaches none.
PROBES: tuple[tuple[str, str, dict[int, str]], ...] = (
    ("organization", "select from organization", {8: f"{STAFF} door", 2: "own stranger", 1: "counterpart person"}),
    ("organization", "insert into organization (name, kind) values ('新单位', 'enterprise')", {1: OPERATORS}),
    ("organization", "update organization set website = 'x'",
     {8: OPERATORS, 1: "own counterpart stranger broker authority"}),
    ("api_key", "select from api_key",
     {9: f"{OPERATORS} door", 2: "own", 1: "counterpart stranger broker authority person"}),
    ("api_key", "insert into api_key (organization_id, label, digest, roles, scopes)"
     " values ({own}, 'x', sha256('x'), '{{enterprise}}', '{{read}}')", {1: f"own {OPERATORS}"}),
    # An operator ends its own key, and the keys of memberships.
    ("api_key", "update api_key set last_used_at = now()",
     {9: "administrator system door", 2: "own operator", 1: "counterpart stranger broker authority person"}),
    ("person", "select from person", {2: f"{OPERATORS} door", 1: "own stranger person"}),
    # Whoever notes a person sees the row at once.
    ("person", "insert into person (name, email) values ('丙', 'c@example.org') returning id", {1: CALLERS}),
    ("person", "update person set phone = '1'", {2: OPERATORS, 1: "person"}),
    ("person", "select from person for update", {2: f"{OPERATORS} door", 1: "person"}),
    ("membership", "select from membership", {2: f"{OPERATORS} door", 1: "own stranger person"}),
    ("membership", "insert into membership (person_id, organization_id, roles, scopes)"
     " values ({other member}, {own}, '{{enterprise}}', '{{read}}')", {1: f"own {OPERATORS}"}),
    ("membership", "update membership set version = 9", {2: OPERATORS, 1: "own stranger person"}),
    ("person_identity", "select from person_identity", {1: "person administrator system door"}),
    ("person_identity", "insert into person_identity (person_id, issuer, subject)"
     " values ({other member}, 'https://i.example', 't')", {1: "administrator system door"}),
    ("person_identity", "update person_identity set last_login_at = now()", {1: "door"}),
    ("person_identity", "delete from person_identity", {1: "person administrator system"}),
    ("person_password", "select from person_password", {1: "person administrator system"}),
    ("person_password", "insert into person_password (person_id, hash) values ({other member}, '$argon2id$x')", {1: "system"}),
    ("person_password", "update person_password set failures = 0", {1: "system"}),
    ("person_password", "delete from person_password", {1: "person administrator system"}),
    ("listing", "select from listing", {4: STAFF, 2: "own counterpart", 1: "stranger"}),
    ("listing", "insert into listing (kind, organization_id, state, title) values ('need', {own}, 'draft', '新')",
     {1: f"own {REVIEWERS}"}),
    ("listing", "update listing set title = 'x'", {4: REVIEWERS, 2: "counterpart", 1: "own"}),
    ("ip_right", "select from ip_right", {2: f"counterpart {STAFF}", 1: "own stranger"}),
    ("ip_right", "insert into ip_right (listing_id, position, kind) values ({draft outcome}, 2, 'trade_secret')",
     {1: f"counterpart {REVIEWERS}"}),
    ("ip_right", "delete from ip_right", {2: f"counterpart {REVIEWERS}"}),
    ("listing_revision", "select from listing_revision", {2: f"own {STAFF}"}),
    ("listing_revision", "insert into listing_revision (listing_id, version, content, key_id)"
     " values ({need}, 2, '{{}}', {my key})", {1: f"own {REVIEWERS}"}),
    ("listing_revision", "insert into listing_revision (listing_id, version, content, key_id)"
     " values ({need}, 2, '{{}}', {key of own})", {1: "own"}),
    ("refinement", "select from refinement", {1: f"own {STAFF}"}),
    ("refinement", "insert into refinement (listing_id, organization_id, key_id, begun_at)"
     " values ({outcome}, {my organization}, {my key}, now())", {1: "broker operator administrator"}),
    ("refinement", "insert into refinement (listing_id, organization_id, key_id, begun_at)"
     " values ({outcome}, {broker}, {key of broker}, now())", {1: "broker"}),
    ("refinement", "update refinement set ended_at = now()", {1: f"own {REVIEWERS}"}),
    ("listing_question", "select from listing_question", {1: f"own {STAFF}"}),
    ("listing_question", "insert into listing_question (listing_id, question, organization_id, key_id, asked_at)"
     " values ({need}, 'x', {my organization}, {my key}, now())", {1: "broker operator administrator"}),
    ("listing_question", "insert into listing_question (listing_id, question, organization_id, key_id, asked_at)"
     " values ({need}, 'x', {broker}, {key of broker}, now())", {1: "broker"}),
    ("listing_question", "update listing_question set answer = 'x', answered_at = now(), answered_by_key = {my key}", {1: "own"}),
    ("listing_question", "update listing_question set answer = 'x', answered_at = now(), answered_by_key = {key of broker}", {}),
    ("listing_agreement", "select from listing_agreement", {1: f"own {STAFF}"}),
    ("listing_agreement", "insert into listing_agreement (listing_id, revision, organization_id, key_id, agreed_at)"
     " values ({need}, 5, {my organization}, {my key}, now())", {1: "own"}),
    ("listing_agreement", "insert into listing_agreement (listing_id, revision, organization_id, key_id, agreed_at)"
     " values ({need}, 5, {own}, {key of own}, now())", {1: "own"}),
    ("event", "select from event", {1: f"own person {OVERSEERS}"}),
    ("event", "insert into event (key_id, organization_id, subject_kind, subject_id, action, data)"
     " values ({my key}, {my organization}, 'need', {need}, 'submit', {my person})", {1: f"person {CALLERS}"}),
    ("event", "insert into event (key_id, organization_id, subject_kind, subject_id, action)"
     " values ({key of own}, {own}, 'need', {need}, 'submit')", {1: "own"}),
    ("event", "insert into event (key_id, organization_id, subject_kind, subject_id, action, data)"
     " values ({my key}, {my organization}, 'need', {need}, 'submit', jsonb_build_object('by_person', {member}::text))",
     {1: "person"}),
    ("event", "insert into event (key_id, organization_id, subject_kind, subject_id, action)"
     " values ({my key}, {my organization}, 'person', {member}, 'link')", {1: f"door {CALLERS}"}),
    ("event_seal", "select from event_seal", {1: OVERSEERS}),
    ("event_checkpoint", "select from event_checkpoint", {1: OVERSEERS}),
    ("recommendation", "select from recommendation", {2: f"own counterpart {STAFF}"}),
    ("recommendation", "insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)"
     " values ({hidden need}, {draft outcome}, 1, 0.5, 'fair', '{{}}', 'x')", {1: "system"}),
    ("recommendation", "update recommendation set state = 'superseded'", {2: REVIEWERS, 1: "own counterpart"}),
    ("recommendation", "update recommendation set state = 'accepted'", {2: REVIEWERS}),
    ("consent", "select from consent", {1: f"own counterpart {STAFF}"}),
    ("consent", "insert into consent (recommendation_id, side, organization_id, key_id, purpose)"
     " values ({accepted pair}, 'outcome', {my organization}, {my key}, 'x')", {1: "counterpart"}),
    ("consent", "insert into consent (recommendation_id, side, organization_id, key_id, purpose)"
     " values ({accepted pair}, 'outcome', {counterpart}, {key of counterpart}, 'x')", {1: "counterpart"}),
    ("consent", "insert into consent (recommendation_id, side, organization_id, key_id, purpose)"
     " values ({pair}, 'outcome', {my organization}, {my key}, 'x')", {}),
    ("consent", "update consent set withdrawn_at = now(), withdrawn_by_key = {my key}", {1: "own"}),
    ("consent", "update consent set withdrawn_at = now(), withdrawn_by_key = {key of stranger}", {}),
    ("decision", "select from decision", {1: STAFF}),
    ("decision", "insert into decision (recommendation_id, key_id, organization_id, action, rank, model_version, features)"
     " values ({pair}, {my key}, {my organization}, 'accept', 1, 'x', '{{}}')", {1: "broker administrator system"}),
    ("decision", "insert into decision (recommendation_id, key_id, organization_id, action, rank, model_version, features)"
     " values ({pair}, {key of broker}, {broker}, 'accept', 1, 'x', '{{}}')", {1: "broker"}),
    # Of the one decision that holds; whoever undoes says so in the own name.
    ("decision", "update decision set undone_at = now() + interval '1 minute', undone_by_key = {my key}",
     {1: "broker administrator system"}),
    ("decision", "update decision set undone_at = now() + interval '1 minute', undone_by_key = {key of own}", {}),
    # The proposed pair; the accepted one waits for nobody.
    ("review_item", "select from review_item", {1: STAFF}),
    ("review_item", "select from review_item for no key update", {1: "broker administrator system"}),
    ("review_item", "update review_item set leased_to = {my key}, leased_organization = {my organization}, leased_until = now()",
     {1: "broker administrator system"}),
    ("review_item", "update review_item set leased_to = {key of own}, leased_organization = {own}, leased_until = now()", {}),
    ("review_item", "update review_item set leased_to = null, leased_organization = null, leased_until = null",
     {1: "broker administrator system"}),
    ("review_unsettled", "select from review_unsettled", {2: "system"}),
    ("broker", "select from broker", {1: CALLERS}),
    ("broker", "insert into broker (organization_id, name) values ({my organization}, 'x')", {1: "broker"}),
    ("broker", "insert into broker (organization_id, name) values ({stranger}, 'x')", {}),
    ("broker", "update broker set name = 'x'", {1: "broker"}),
    ("broker_qualification", "select from broker_qualification", {1: CALLERS}),
    ("broker_qualification", "insert into broker_qualification (broker_id, position, title, issuer)"
     " values ({profile}, 2, 'a', 'b')", {1: "broker"}),
    ("broker_qualification", "delete from broker_qualification", {1: "broker"}),
    ("broker_assignment", "select from broker_assignment", {1: STAFF}),
    ("broker_assignment", "insert into broker_assignment (need_id, broker_id, assigned_at)"
     " values ({hidden need}, {profile}, now())", {1: OPERATORS}),
    ("broker_assignment", "update broker_assignment set ended_at = now() + interval '1 minute'", {1: OPERATORS}),
    ("organization_response", "select from organization_response", {1: f"own {STAFF}"}),
    ("organization_response", "insert into organization_response (organization_id, kind, subject_id, asked_at)"
     " values ({own}, 'revision', {hidden need}, now())", {1: REVIEWERS}),
    ("organization_response", "update organization_response set answered = false", {1: f"own {REVIEWERS}"}),
    ("import_run", "select from import_run", {1: f"own {OPERATORS}"}),
    ("import_run", "insert into import_run (kind, organization_id, key_id, file_name, dry_run)"
     " values ('need', {my organization}, {my key}, 'b', true)", {1: CALLERS}),
    ("import_run", "insert into import_run (kind, organization_id, key_id, file_name, dry_run)"
     " values ('need', {own}, {key of own}, 'b', true)", {1: "own"}),
    ("import_run", "update import_run set rows_total = 1", {1: "own"}),
    ("import_row", "select from import_row", {1: f"own {OPERATORS}"}),
    ("import_row", "insert into import_row (run_id, line, position, field, rule, message_zh, message_en)"
     " values ({run}, 2, 1, 'a', 'a', 'a', 'a')", {1: "own"}),
    ("listing_matching", "select from listing_matching", {2: f"own {STAFF}", 1: "counterpart stranger"}),
    ("listing_matching", "insert into listing_matching (listing_id, indexed_version) values ({draft outcome}, 1)", {1: "system"}),
    ("listing_matching", "update listing_matching set indexed_version = 2", {2: "system"}),
    ("listing_matching", "delete from listing_matching", {2: REVIEWERS, 1: "own counterpart"}),
    ("ranking_model", "select from ranking_model", {1: CALLERS}),
    ("ranking_model", "insert into ranking_model (version, definition) values ('y', '{{}}')", {1: "system"}),
    ("ranking_model", "update ranking_model set activated_at = now()", {1: "system"}),
    ("active_ranking_model", "select from active_ranking_model", {1: CALLERS}),
    ("active_ranking_model", "insert into active_ranking_model (version, activation_id) values ('x', {activation})", {1: "system"}),
    ("active_ranking_model", "update active_ranking_model set version = 'x'", {1: "system"}),
    ("ranking_activation", "select from ranking_activation", {1: "administrator system"}),
    ("ranking_activation", "insert into ranking_activation (version, action, chosen) values ('x', 'train', true)", {1: "system"}),
    ("encoder_choice", "select from encoder_choice", {1: "administrator system"}),
    ("encoder_choice", "insert into encoder_choice (source, action) values ('bundled', 'train')", {1: "system"}),
    ("idempotency_key", "select from idempotency_key", {1: "own system"}),
    ("idempotency_key", "insert into idempotency_key (caller, key, method, path, digest, created_at)"
     " values ({key of own}, 'l', 'POST', '/', sha256('x'), now())", {1: "own"}),
    ("idempotency_key", "update idempotency_key set status = 200", {1: "own"}),
    ("idempotency_key", "select from idempotency_key for update", {1: "own system"}),
    ("idempotency_key", "delete from idempotency_key", {1: "own system"}),
    *CONTRACT_PROBES,
    *NOTICE_PROBES,
    *CASE_PROBES,
)  # fmt: skip


async def surprises(world: World, table: str) -> list[tuple[str, dict[str, int]]]:
    """The statements on a table that reach other rows than they should, and for whom how many."""
    wrong = []
    for _, statement, reaching in (probe for probe in PROBES if probe[0] == table):
        expected = {name: count for count, names in reaching.items() for name in names.split()}
        found = {actor: await world.reached(actor, statement) for actor in ACTORS}
        if different := {name: count for name, count in found.items() if count != expected.get(name, 0)}:
            wrong.append((statement, different))
    return wrong
