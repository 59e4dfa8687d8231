"""What may be there only once, and what nobody rewrites: statements that the schema itself refuses, to anybody."""

from uuid import UUID

import asyncpg

# By the unique index that stands in the way.
ONCE = {
    "api_key_digest_key": "insert into api_key (organization_id, label, digest, roles, scopes)"
    " select organization_id, label, digest, roles, scopes from api_key",
    "api_key_replaced_by_key": "update api_key set replaced_by = {key of own}",
    "broker_assignment_open": "insert into broker_assignment (need_id, broker_id, assigned_at)"
    " select need_id, broker_id, assigned_at from broker_assignment",
    "broker_once": "insert into broker (organization_id, person_id, name) select organization_id, person_id, name from broker",
    "broker_pkey": "insert into broker select * from broker",
    "broker_qualification_pkey": "insert into broker_qualification select * from broker_qualification",
    "contract_change_pkey": "insert into contract_change select * from contract_change",
    "contract_change_waiting": "insert into contract_change (contract_id, kind, old, new, reason, effective_on, organization_id)"
    " select contract_id, kind, old, new, reason, effective_on, organization_id from contract_change",
    "contract_draft_of_case": "insert into contract (id, organization_id, case_id, further, terms, type, name, currency, turnover,"
    " technology_value) select uuidv7(), organization_id, docking_case.id, true, contract.terms, type, name, currency, turnover,"
    " technology_value from contract, docking_case, generate_series(1, 2) where contract.state = 'draft'",
    "contract_draft_of_pair": "insert into contract (id, organization_id, recommendation_id, terms, type, name, currency, turnover,"
    " technology_value) select uuidv7(), organization_id, recommendation_id, terms, type, name, currency, turnover, technology_value"
    " from contract where state = 'draft'",
    "contract_under_way": "insert into contract (id, organization_id, recommendation_id, state, signed_on, terms, type, name,"
    " currency, turnover, technology_value) select uuidv7(), organization_id, recommendation_id, 'signed', current_date, terms, type,"
    " name, currency, turnover, technology_value from contract, generate_series(1, 2) where recommendation_id is not null",
    "contract_filing_open": "insert into contract_filing (contract_id, organization_id, draft)"
    " select contract_id, organization_id, draft from contract_filing",
    "contract_filing_pkey": "insert into contract_filing select * from contract_filing",
    "contract_number": "update contract set registration_number = 'N-1'",
    "contract_party_pkey": "insert into contract_party select * from contract_party",
    "contract_pkey": "insert into contract select * from contract where state = 'signed'",
    "contract_receipt_pkey": "insert into contract_receipt select * from contract_receipt where reverses is null",
    "contract_receipt_reversed": "insert into contract_receipt (contract_id, organization_id, received_on, amount, reverses)"
    " select contract_id, organization_id, received_on, amount, reverses from contract_receipt where reverses is not null",
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
    "listing_agreement_pkey": "insert into listing_agreement select * from listing_agreement",
    "listing_matching_pkey": "insert into listing_matching select * from listing_matching",
    "listing_revision_pkey": "insert into listing_revision select * from listing_revision",
    "membership_open": "insert into membership (person_id, organization_id, roles, scopes)"
    " select person_id, organization_id, roles, scopes from membership",
    "mail_digest_once": "insert into mail (person_id, kind, period_end, next_at, created_at)"
    " select person_id, kind, period_end, now(), now() from mail where kind = 'daily'",
    "notice_preference_once": "insert into notice_preference (organization_id, language)"
    " select organization_id, language from notice_preference",
    "notification_once": "insert into notification (event_id, organization_id, person_id, for_role, category, subject_kind, subject_id,"
    " action, text_zh, text_en, in_app, mailing, at, created_at) select event_id, organization_id, person_id, for_role, category,"
    " subject_kind, subject_id, action, text_zh, text_en, in_app, mailing, at, now() from notification",
    "outbox_pkey": "insert into outbox (event_id, subject_id) select event_id, subject_id from outbox",
    "webhook_attempt_pkey": "insert into webhook_attempt select * from webhook_attempt",
    "webhook_delivery_once": "insert into webhook_delivery (webhook_id, organization_id, event_id, subject_id, type, body, next_at,"
    " created_at) select webhook_id, organization_id, event_id, subject_id, type, body, now(), now() from webhook_delivery",
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
    "refinement_open": "insert into refinement (listing_id, organization_id, begun_at)"
    " select listing_id, organization_id, begun_at from refinement",
    "recommendation_pair": "insert into recommendation (need_id, outcome_id, score, probability, level, explanation, model_version)"
    " select need_id, outcome_id, score, probability, level, explanation, model_version from recommendation",
    "subsidy_rule_pkey": "insert into subsidy_rule select * from subsidy_rule",
    "subsidy_rule_version": "insert into subsidy_rule (code, name_zh, name_en, recipient, basis, rate, valid_from, source)"
    " select code, name_zh, name_en, recipient, basis, rate, valid_from, source from subsidy_rule",
}  # fmt: skip
# By the trigger that refuses.
KEPT = {
    "contract_is_kept": "update contract set terms = '[]'",
    "event_is_kept": "update event set action = 'x'",
    "event_is_not_truncated": "truncate event cascade",
    "event_seal_is_kept": "update event_seal set position = 99",
    "event_seal_is_not_truncated": "truncate event_seal",
    "event_checkpoint_is_kept": "delete from event_checkpoint",
    "event_checkpoint_is_not_truncated": "truncate event_checkpoint",
}
SEALED = "event_is_sealed"
# Triggers that refuse nothing and keep one table by another; tests of their rooms and of people see that they do.
FOLLOW = {
    "recommendation_enters_review", "recommendation_follows_review", "person_erased_as_broker", "person_erased_with_own_data",
    "contract_names_its_pair",
}  # fmt: skip
TOLD = "event_is_told"
# Refuses by who acts, not by what is written: the probes of tests/access and tests/cases see that it does.
BY_ACTOR = {"case_is_handed_over"}
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
        except asyncpg.IntegrityConstraintViolationError:
            wrong.append(name)
    for name, statement in KEPT.items():
        table = name.partition("_is_")[0]
        try:
            async with connection.transaction():
                await connection.execute(statement)
            wrong.append(name)
        except asyncpg.InsufficientPrivilegeError as error:
            wrong += [name] if not str(error).startswith(f"{table} is append-only") else []
    before = await connection.fetchval("select count(*) from event_seal")
    waiting = await connection.fetchval("select count(*) from outbox")
    async with connection.transaction():
        await connection.execute(APPEND)
        await connection.execute("set constraints all immediate")
    if await connection.fetchval("select count(*) from event_seal") != before + 1:
        wrong.append(SEALED)
    if await connection.fetchval("select count(*) from outbox") != waiting + 1:
        wrong.append(TOLD)
    return wrong
