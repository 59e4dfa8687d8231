"""Which tests should catch a mutant, nearest first. Where a file has no line here, its room's suite comes first."""

from proof.mutation.mutants import Mutant

MATRIX = "tests/access/test_matrix.py"
POLICIES = ("tests/access/test_policies.py", "tests/access/test_row_policies.py")
# The longest beginning of a mutant's name, without its kind, wins.
NEAREST: dict[str, tuple[str, ...]] = {
    "": ("tests/http", "tests/access"),
    "service/access/tokens.py": (
        "tests/access/test_tokens.py",
        "tests/access/test_oidc.py",
    ),
    "service/access/issuer.py": ("tests/access/test_oidc.py",),
    "service/access/bearer.py": (
        "tests/access/test_keys.py",
        "tests/access/test_oidc.py",
        "tests/access/test_standing.py",
        "tests/access/test_scopes.py",
    ),
    "service/access/scopes.py": ("tests/access/test_scopes.py", "tests/access/test_people.py"),
    "service/access/grants.py": ("tests/access/test_people.py", "tests/access/test_keys.py"),
    "service/access/dependencies.py": ("tests/access/test_scopes.py", "tests/http/test_preconditions.py"),
    "service/access/keys.py": ("tests/access/test_keys.py", "tests/access/test_people.py"),
    "service/access/key_repository.py": ("tests/access/test_keys.py", "tests/access/test_people.py"),
    "service/access/passwords.py": ("tests/access/test_passwords.py",),
    "service/access/credit_code.py": ("tests/access/test_credit_code.py",),
    "service/access/administrators.py": ("tests/access/test_administrator.py",),
    "service/access/standing.py": ("tests/access/test_standing.py", "tests/access/test_administrator.py"),
    "service/access/repository.py": (
        "tests/access/test_standing.py",
        "tests/access/test_administrator.py",
        "tests/http/test_preconditions.py",
    ),
    "service/access/service.py": (
        "tests/access/test_standing.py",
        "tests/http/test_preconditions.py",
        "tests/http/test_access.py",
    ),
    "service/access/people": (
        "tests/access/test_people.py",
        "tests/access/test_oidc.py",
        "tests/access/test_passwords.py",
    ),
    "service/access/members.py": ("tests/access/test_people.py", "tests/access/test_oidc.py"),
    "service/access/": ("tests/access",),
    "service/audit/": ("tests/events",),
    "service/cases/": ("tests/cases", "tests/access/test_matrix.py"),
    "service/events/": ("tests/events",),
    "service/exchange/": ("tests/exchange",),
    "service/kit/idempotency.py": ("tests/kit/test_idempotency_key.py", "tests/http/test_idempotency.py"),
    "service/kit/etag.py": ("tests/http/test_preconditions.py",),
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
        "tests/http/test_needs.py",
        "tests/http/test_access.py",
        "tests/http/test_preconditions.py",
        "tests/access/test_standing.py",
    ),
    "service/workflows/": (
        "tests/workflows/test_parties.py",
        "tests/workflows",
        "tests/http/test_needs.py",
        "tests/http/test_access.py",
    ),
    "service/matches/decisions.py": ("tests/listings", "tests/matches/test_decisions.py", "tests/http/test_access.py"),
    "service/matches/consent": ("tests/access/test_tiers.py", "tests/http/test_consents.py"),
    "service/matches/schemas.py": ("tests/access/test_tiers.py", "tests/access/test_confidential.py"),
    "service/matches/lists.py": ("tests/access/test_confidential.py", "tests/matches/test_decisions.py"),
    "service/matches/": (
        "tests/matches/test_decisions.py",
        "tests/http/test_access.py",
        "tests/matches/test_worker.py",
    ),
    "service/matches/undo.py": ("tests/review/test_undo.py",),
    "service/review/": ("tests/review",),
    "service/brokers/": ("tests/brokers",),
    "service/responses/": ("tests/responses",),
    "review": (*POLICIES, "tests/review"),
    "broker": (*POLICIES, "tests/brokers"),
    "event": ("tests/events", *POLICIES),
    "api_key": (*POLICIES, "tests/access/test_keys.py"),
    "person": (*POLICIES, "tests/access/test_people.py", "tests/access/test_oidc.py", "tests/access/test_passwords.py"),
    "membership": (*POLICIES, "tests/access/test_people.py", "tests/access/test_oidc.py"),
    "organization": (*POLICIES, "tests/access/test_standing.py"),
    "organization_response": (*POLICIES, "tests/responses"),
    "idempotency_key": (*POLICIES, "tests/http/test_idempotency.py"),
    "rate_limit": ("tests/http/test_throttle.py",),
    "listing": (*POLICIES, "tests/http/test_needs.py"),
    "import": (*POLICIES, "tests/exchange"),
    "recommendation": (*POLICIES, "tests/matches/test_decisions.py", "tests/matches/test_worker.py"),
    "decision": (*POLICIES, "tests/matches/test_decisions.py"),
    "active_ranking_model": POLICIES,
    "ranking": POLICIES,
    "encoder_choice": (*POLICIES, "tests/matches/test_encoder_training.py"),
}
EVERYTHING = (
    "tests/access", "tests/http", "tests/events", "tests/kit", "tests/workflows", "tests/responses", "tests/exchange",
    "tests/matches", "tests/review", "tests/brokers",
)  # fmt: skip


def nearest(mutant: Mutant) -> tuple[str, ...]:
    """Test files and folders to run first, in order."""
    place = mutant.name.partition(":")[2]
    best = max((beginning for beginning in NEAREST if place.startswith(beginning)), key=len)
    return (*NEAREST[best], MATRIX) if place.startswith("service/") else NEAREST[best]
