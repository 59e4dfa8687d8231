"""Which tests should catch a mutant, nearest first. Where a file has no line here, its room's suite comes first."""

from proof.mutation.mutants import Mutant

MATRIX = "tests/access/test_matrix.py"
VERSIONS = "tests/http/test_preconditions.py"
LOGINS = ("tests/access/test_oidc.py", "tests/access/test_logins.py")
AT_ONCE = "tests/access/test_at_once.py"
SECOND_LOCK = "tests/access/test_second_lock.py"
# The document says which tier each field has.
DOCUMENT = "tests/http/test_manners.py"
POLICIES = ("tests/access/test_policies.py", "tests/access/test_row_policies.py")
# The longest beginning of a mutant's name, without its kind, wins.
NEAREST: dict[str, tuple[str, ...]] = {
    "": ("tests/http", "tests/access"),
    "service/access/tokens.py": (
        "tests/access/test_tokens.py",
        *LOGINS,
    ),
    "service/access/issuer.py": LOGINS,
    "service/access/bearer.py": (
        "tests/access/test_keys.py",
        *LOGINS,
        "tests/access/test_standing.py",
        "tests/access/test_scopes.py",
    ),
    "service/access/scopes.py": ("tests/access/test_scopes.py", "tests/access/test_people.py"),
    "service/access/grants.py": ("tests/access/test_people.py", "tests/access/test_keys.py"),
    "service/access/dependencies.py": ("tests/access/test_scopes.py", VERSIONS),
    "service/access/keys.py": ("tests/access/test_keys.py", "tests/access/test_people.py"),
    "service/access/key_repository.py": ("tests/access/test_keys.py", "tests/access/test_people.py"),
    "service/access/passwords.py": ("tests/access/test_passwords.py",),
    "service/access/credit_code.py": ("tests/access/test_credit_code.py",),
    "service/access/administrators.py": ("tests/access/test_administrator.py",),
    "service/access/standing.py": ("tests/access/test_standing.py", "tests/access/test_administrator.py"),
    "service/access/repository.py": (
        "tests/access/test_standing.py",
        "tests/access/test_administrator.py",
        VERSIONS,
    ),
    "service/access/service.py": (
        "tests/access/test_standing.py",
        VERSIONS,
        "tests/http/test_access.py",
    ),
    "service/access/people": (
        "tests/access/test_people.py",
        *LOGINS,
        "tests/access/test_passwords.py",
    ),
    "service/access/members.py": ("tests/access/test_people.py", *LOGINS),
    "service/access/": ("tests/access",),
    "service/audit/": ("tests/events",),
    "service/cases/": ("tests/cases/test_refusals.py", VERSIONS, "tests/cases"),
    "service/cases/attachments.py": ("tests/cases/test_messages.py",),
    "service/cases/handing_over.py": ("tests/cases/test_handing_over.py",),
    "service/cases/message": ("tests/cases/test_messages.py", VERSIONS, "tests/cases"),
    "service/cases/partners.py": ("tests/cases/test_partners_first.py", "tests/cases"),
    "service/contracts/": ("tests/contracts/test_refusals.py", VERSIONS, "tests/contracts"),
    "service/contracts/amendments.py": ("tests/contracts/test_changes.py", VERSIONS, "tests/contracts"),
    "service/contracts/subsidy": ("tests/contracts/test_subsidies.py", "tests/contracts"),
    "service/events/": ("tests/events",),
    "service/exchange/": ("tests/exchange",),
    "service/kit/idempotency.py": ("tests/kit/test_idempotency_key.py", "tests/http/test_idempotency.py"),
    "service/kit/etag.py": (VERSIONS,),
    "service/kit/places.py": ("tests/exchange/test_imports.py", "tests/http/test_needs.py"),
    "service/kit/redaction.py": (
        "tests/http/test_log_secrets.py",
        "tests/access/test_tiers.py",
        "tests/access/test_confidential.py",
        "tests/http/test_consents.py",
    ),
    "service/kit/throttle.py": ("tests/http/test_throttle.py",),
    "service/kit/rates.py": ("tests/http/test_throttle.py",),
    "service/kit/limits.py": ("tests/http/test_throttle.py",),
    "service/kit/masking.py": ("tests/kit", "tests/http/test_log_secrets.py"),
    "service/kit/web.py": ("tests/http/test_headers.py", "tests/http/test_manners.py"),
    "service/listings/schemas.py": (
        "tests/access/test_tiers.py",
        "tests/access/test_confidential.py",
        "tests/listings",
    ),
    "service/listings/refinement": ("tests/listings/test_refinement.py", "tests/listings"),
    "service/listings/tiers.py": ("tests/access/test_tiers.py", "tests/access/test_confidential.py"),
    "service/listings/search.py": ("tests/access/test_tiers.py", "tests/access/test_confidential.py", "tests/http"),
    "service/needs/": ("tests/access/test_tiers.py", "tests/access/test_confidential.py", "tests/http/test_needs.py"),
    "service/outcomes/": (
        "tests/access/test_tiers.py",
        "tests/access/test_confidential.py",
        "tests/http/test_needs.py",
    ),
    "service/listings/": (
        "tests/listings",
        "tests/access/test_confidential.py",
        "tests/http/test_needs.py",
        "tests/http/test_access.py",
        VERSIONS,
        "tests/access/test_standing.py",
    ),
    "service/workflows/": (
        "tests/workflows/test_parties.py",
        "tests/workflows",
        "tests/http/test_needs.py",
        "tests/http/test_access.py",
    ),
    "service/matches/decisions.py": (
        "tests/matches/test_decisions.py",
        VERSIONS,
        "tests/review",
        "tests/http/test_access.py",
    ),
    "service/matches/consent": (
        "tests/access/test_tiers.py",
        "tests/http/test_consents.py",
        "tests/review/test_undo.py",
    ),
    "service/matches/schemas.py": ("tests/access/test_tiers.py", "tests/access/test_confidential.py"),
    "service/matches/lists.py": ("tests/access/test_confidential.py", "tests/matches/test_decisions.py"),
    "service/matches/": (
        "tests/matches/test_decisions.py",
        "tests/http/test_access.py",
        "tests/matches/test_worker.py",
    ),
    "service/matches/models.py": ("tests/matches/test_training.py", "tests/matches"),
    "service/matches/samples.py": ("tests/matches/test_reports.py", "tests/matches"),
    "service/matches/undo.py": ("tests/review/test_undo.py", VERSIONS),
    "service/review/": ("tests/review",),
    "service/brokers/": ("tests/brokers/test_brokers.py", "tests/brokers", VERSIONS),
    "service/hints/": ("tests/http/test_hints.py",),
    "service/notices/mail": ("tests/notices/test_mail.py", "tests/notices"),
    "service/notices/": ("tests/notices/test_notifications.py", VERSIONS, "tests/notices"),
    "service/webhooks/": (
        "tests/notices/test_webhooks.py",
        VERSIONS,
        "tests/notices/test_delivering.py",
        "tests/notices",
    ),
    "service/webhooks/addresses.py": ("tests/notices/test_addresses.py", "tests/notices/test_webhooks.py"),
    "docking_case": (*POLICIES, "tests/cases/test_handing_over.py", "tests/cases"),
    "service/responses/": ("tests/responses",),
    "review": (*POLICIES, "tests/review"),
    "broker": (*POLICIES, "tests/brokers"),
    "event": ("tests/events", *POLICIES),
    "api_key": (*POLICIES, "tests/access/test_keys.py"),
    "person.person_erased_as_broker": ("tests/brokers",),
    "person.person_erased_with_own_data": ("tests/access/test_people.py", "tests/notices"),
    "person": (*POLICIES, "tests/access/test_people.py", *LOGINS, "tests/access/test_passwords.py"),
    "membership": (*POLICIES, "tests/access/test_people.py", *LOGINS),
    "organization": (*POLICIES, "tests/access/test_standing.py"),
    "organization_response": (*POLICIES, "tests/responses"),
    "idempotency_key": (*POLICIES, "tests/http/test_idempotency.py"),
    "rate_limit": ("tests/http/test_throttle.py",),
    "listing": (*POLICIES, "tests/http/test_needs.py"),
    "import": (*POLICIES, "tests/exchange"),
    "recommendation": (*POLICIES, "tests/matches/test_decisions.py", "tests/matches/test_worker.py"),
    "recommendation.recommendation_enters_review": ("tests/review/test_queue.py", "tests/review"),
    "recommendation.recommendation_follows_review": ("tests/review/test_queue.py", "tests/review"),
    "decision": (*POLICIES, "tests/matches/test_decisions.py"),
    "active_ranking_model": POLICIES,
    "ranking": POLICIES,
    "encoder_choice": (*POLICIES, "tests/matches/test_encoder_training.py"),
}
# The tags whose endpoints the matrix asks for a mutant of a room; all of them where the room is not named.
TAGS: dict[str, str] = {
    "brokers": "brokers",
    "cases": "cases review",
    "contracts": "contracts",
    "exchange": "exchange",
    "hints": "hints",
    "listings": "refinement needs outcomes",
    "matches": "matches review cases",
    "needs": "needs",
    "notices": "notifications",
    "outcomes": "outcomes",
    "review": "review",
    "webhooks": "webhooks",
}
EVERYTHING = (
    "tests/access", "tests/http", "tests/events", "tests/kit", "tests/workflows", "tests/responses", "tests/exchange",
    "tests/matches", "tests/review", "tests/brokers", "tests/cases", "tests/contracts", "tests/notices", "tests/listings",
)  # fmt: skip


# What a kind of mutant meets first, wherever it is.
FIRST: dict[str, tuple[str, ...]] = {
    "clause": ("tests/database/test_guarded.py", "tests/access/test_two_people.py"),
    "lock": ("tests/database/test_locks.py",),
}


def nearest(mutant: Mutant) -> tuple[str, ...]:
    """Test files and folders to run first, in order."""
    place = mutant.name.partition(":")[2]
    best = max((beginning for beginning in NEAREST if place.startswith(beginning)), key=len)
    suites = (*FIRST.get(mutant.kind, ()), *NEAREST[best])
    return (*suites, SECOND_LOCK, AT_ONCE, MATRIX, DOCUMENT) if place.startswith("service/") else suites


def tags(mutant: Mutant) -> str:
    """What TAGS is set to for the matrix."""
    parts = mutant.path.split("/")
    return TAGS.get(parts[1], "") if len(parts) > 1 else ""
