"""Every field of the answers that show somebody's business: guarded, with a canary behind it, or open to who sees the object.

A field that stands in neither list has no rule, and fails the suite.
"""

from typing import Final

_LISTING: Final = (
    "abstract actions closed_at confidential created_at currency description expires_on field id indicators industry "
    "keywords language modes published_at region state submitted_at title updated_at version"
)
_SUMMARY: Final = "confidential currency excerpt field id language maturity modes price_max price_min region title"
_STAMPS: Final = "created_at id updated_at version"

GUARDED: Final = {
    "Need": "contact_email contact_name contact_phone external_id organization",
    "Outcome": "contact_email contact_name contact_phone external_id organization",
    "Summary": "organization",
    "Counterpart": "organization",
    "Organization": "external_id name introduction",
    "Person": "email name phone",
    "Key": "label",
    "Identity": "subject",
    "Decision": "note to_provider",
    "Qualification": "number",
    "DeclinedFor": "told",
    "DeclinesOfOutcome": "title",
    "BrokerCard": "organization",
    "EarlierDecision": "note",
    "Revision": "content reason",
    "Question": "answer question",
    "Step": "changes reason",
    "AuditEvent": "data",
    "ImportProblem": "value",
    "Contract": "close_reason origin_reason parties terms",
    "ContractSummary": "name parties",
    "ContractChange": "new old reason",
    "Filing": "reason",
    "Receipt": "note",
    "Notification": "message",
    "Webhook": "description url",
    "DeliveryReport": "body",
    "Case": "terms",
    "Message": "attachment body",
    "Attachment": "name sha256",
    "Meeting": "agenda title",
    "Milestone": "title",
    "FollowUp": "note",
}
OPEN: Final = {
    "Need": f"{_LISTING} background budget_max budget_min budget_negotiable foundation goals maturity_min needed_by "
    "partner_regions partner_requirements",
    "Outcome": f"{_LISTING} applications awards completed_on funding_project funding_source innovations ip_rights maturity "
    "outcome_type price_max price_min price_negotiable prospects publicly_funded registration_number stage team",
    "Summary": f"{_SUMMARY} expires_on keywords price_negotiable published_at region_class state updated_at version",
    "Counterpart": _SUMMARY,
    # Whoever sees the organization at all sees these; the canaries in its name and introduction say who does.
    "Organization": f"{_STAMPS} credit_code kind name_en region state suspended_at verified_at website",
    "Person": f"{_STAMPS} state",
    "Key": "created_at expires_at id last_used_at membership_id organization_id person_id replaced_by revoked_at roles scopes",
    "Identity": "created_at id issuer last_login_at person_id",
    "Decision": "action case_id code decided_at features id model_version rank recommendation_id snoozed_until undone_at",
    "Qualification": "issued_on issuer title valid_until",
    "DeclinedFor": "code helps label last_at times",
    "DeclinesOfOutcome": "outcome_id reasons times",
    # A profile is for the market to choose by; workload is null for all but staff.
    "BrokerCard": "available fields figures id introduction languages name qualifications regions workload",
    "EarlierDecision": "action code counterpart_id decided_at recommendation_id",
    "Revision": "at version",
    "Question": "answered_at asked_at field id organization",
    "Step": "agreed_at at by organization revision stage",
    "AuditEvent": "action address_class at digest from_state hash id key_id organization_id position request_id subject_id "
    "subject_kind to_state",
    "Notification": "action at category event_id id personal read_at subject_id subject_kind",
    "Webhook": f"{_STAMPS} disabled_reason failing_since old_secret_until ordered state types",
    "DeliveryReport": "attempts created_at delivered_at event_id id last_error last_status log next_at state subject_id type webhook_id",
    "Case": "actions awaiting broker_organization_id closed_as closed_at code contracted_at id missing mode need need_region "
    "opened_at outcome outcome_region partner partner_pairs recommendation_id state state_since unread version your_sides",
    "Message": "channel id number party read_by sent_at",
    "Attachment": "media_type size",
    # Whoever reads a case's meetings and milestones at all sees these too.
    "Meeting": "cancelled ends_at id place starts_at updated_at version",
    "Milestone": "done_on due_on id updated_at version",
    # The canary in its note says who sees a follow-up at all.
    "FollowUp": "amount answered_at asked_at currency due_at id months paid provisional side used",
    "ImportProblem": "column external_id line message rule",
    # Whoever sees the contract at all sees these; the canaries in what it says tell who does.
    "Contract": f"{_STAMPS} actions case_id closed_at filed_at further next_due_on received recommendation_id registered_on registration "
    "signed_on state sums waiting",
    "ContractSummary": "currency ends_on field id next_due_on overdue received registered_on signed_on state technology_value "
    "turnover type version",
    "ContractChange": "at confirmed_at effective_on id kind organization_id signed_on superseded_at",
    "Filing": "decided_at decision filed_at id number office registered_on",
    "Receipt": "amount at id received_on reverses",
}
