"""What may be there only once, and what nobody rewrites: statements that the schema itself refuses, to anybody."""

from uuid import UUID

import asyncpg

# By the unique index that stands in the way.
ONCE = {
    "api_key_digest_key": "insert into api_key (organization_id, label, digest, roles, scopes)"
    " select organization_id, label, digest, roles, scopes from api_key",
    "api_key_replaced_by_key": "update api_key set replaced_by = {key of own}",
    "case_attachment_pkey": "insert into case_attachment select * from case_attachment",
    "case_message_number": "insert into case_message (case_id, number, channel, party, body, sent_at)"
    " select case_id, number, channel, party, body, sent_at from case_message",
    "case_read_mark_pkey": "insert into case_read_mark select * from case_read_mark",
    "case_wait_open": "insert into case_wait (case_id, party, what, asked_at, begun_at, due_at, days, provisional)"
    " select case_id, party, what, asked_at, begun_at, due_at, days, provisional from case_wait",
    "consent_open": "insert into consent (recommendation_id, side, organization_id, purpose)"
    " select recommendation_id, side, organization_id, purpose from consent",
    "docking_case_active": "insert into docking_case (recommendation_id, need_id, outcome_id, need_organization_id,"
    " outcome_organization_id, opened_at, state_since, updated_at) select recommendation_id, need_id, outcome_id,"
    " need_organization_id, outcome_organization_id, opened_at, state_since, updated_at from docking_case where state = 'invited'",
    "encoder_choice_pkey": "insert into encoder_choice (id, source, action) overriding system value"
    " select id, source, action from encoder_choice",
    "event_checkpoint_pkey": "insert into event_checkpoint select * from event_checkpoint",
    "event_seal_event_id_key": "insert into event_seal select position + 99, event_id, digest, hash from event_seal",
    "event_seal_pkey": "insert into event_seal select * from event_seal",
    "follow_up_once": "insert into follow_up (case_id, side, months, asked_at, due_at, provisional)"
    " select case_id, side, months, asked_at, due_at, provisional from follow_up",
    "idempotency_key_pkey": "insert into idempotency_key select * from idempotency_key",
    "import_row_pkey": "insert into import_row select * from import_row",
    "ip_right_pkey": "insert into ip_right select * from ip_right",
    "listing_external_id": "update listing set external_id = 'N-1' where organization_id = {counterpart}",
    "listing_matching_pkey": "insert into listing_matching select * from listing_matching",
    "listing_revision_pkey": "insert into listing_revision select * from listing_revision",
    "membership_open": "insert into membership (person_id, organization_id, roles, scopes)"
    " select person_id, organization_id, roles, scopes from membership",
    "organization_credit_code_key": "update organization set credit_code = '919900000000000005'",
    "organization_external_id_key": "update organization set external_id = 'O-1'",
    "organization_response_open": "insert into organization_response (organization_id, kind, subject_id, asked_at)"
    " select organization_id, kind, subject_id, asked_at from organization_response",
    "partner_operator_open": "insert into partner_operator (from_region, to_region, program, organization_id, assigned_at)"
    " select from_region, to_region, program, organization_id, assigned_at from partner_operator",
    "person_email": "insert into person (name, email) values ('丁', 'A@Example.org')",
    "person_identity_login": "insert into person_identity (person_id, issuer, subject)"
    " select {other member}, issuer, subject from person_identity",
    "person_password_pkey": "insert into person_password select * from person_password",
    "ranking_model_id_key": "insert into ranking_model (version, definition, id) select 'y', definition, id from ranking_model",
    "ranking_model_pkey": "insert into ranking_model (version, definition) values ('x', '{{}}')",
    "rate_limit_pkey": "insert into rate_limit values ('key:a', now()), ('key:a', now())",
    "recommendation_pair": "insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)"
    " select need_id, outcome_id, score, probability, level, explanation, model_version from recommendation",
}  # fmt: skip
# By the trigger that refuses.
KEPT = {
    "event_is_kept": "update event set action = 'x'",
    "event_is_not_truncated": "truncate event cascade",
    "event_seal_is_kept": "update event_seal set position = 99",
    "event_seal_is_not_truncated": "truncate event_seal",
    "event_checkpoint_is_kept": "delete from event_checkpoint",
    "event_checkpoint_is_not_truncated": "truncate event_checkpoint",
}
SEALED = "event_is_sealed"
APPEND = """
insert into event (subject_kind, subject_id, action) values ('need', '00000000-0000-0000-0000-000000000001', 'submit')
"""


async def let_through(connection: "asyncpg.Connection[asyncpg.Record]", ids: dict[str, UUID]) -> list[str]:
    """The names of those that let their statement through, or left it to another; made for a superuser's connection."""
    wrong = []
    named = {name: f"'{value}'" for name, value in ids.items()}
    for name, statement in ONCE.items():
        try:
            async with connection.transaction():
                await connection.execute(statement.format_map(named))
            wrong.append(name)
        except asyncpg.UniqueViolationError as error:
            wrong += [name] if error.constraint_name != name else []
    for name, statement in KEPT.items():
        table = name.partition("_is_")[0]
        try:
            async with connection.transaction():
                await connection.execute(statement)
            wrong.append(name)
        except asyncpg.InsufficientPrivilegeError as error:
            wrong += [name] if not str(error).startswith(f"{table} is append-only") else []
    before = await connection.fetchval("select count(*) from event_seal")
    async with connection.transaction():
        await connection.execute(APPEND)
        await connection.execute("set constraints all immediate")
    if await connection.fetchval("select count(*) from event_seal") != before + 1:
        wrong.append(SEALED)
    return wrong
