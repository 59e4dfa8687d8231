"""Contracts by plain SQL: one signed and one draft between the organizations `own` and `counterpart`."""

STAFF = "broker operator authority administrator system"
REVIEWERS = "broker operator administrator system"
OPERATORS = "operator administrator system"
PARTIES = "own counterpart"
NAMED = "organization_id, key_id"

CONTRACT_ROWS: tuple[tuple[str, str], ...] = (
    ("contract", "contract (id, state, organization_id, origin_reason, terms, type, name, currency, turnover, technology_value,"
     " signed_on, registration_number, recommendation_id)"
     " values ({id}, 'signed', {own}, 'x', '{{}}', 'service', '合同', 'CNY', 1, 1, '2026-01-01', 'N-1', null)"),
    ("draft contract", "contract (id, organization_id, recommendation_id, terms, type, name, currency, turnover, technology_value)"
     " values ({id}, {own}, {accepted pair}, '{{}}', 'service', '草稿', 'CNY', 1, 1)"),
    ("party", "contract_party (contract_id, position, role, organization_id, name) values ({contract}, 1, 'buyer', {own}, '甲')"),
    ("other party", "contract_party (contract_id, position, role, organization_id, name)"
     " values ({contract}, 2, 'seller', {counterpart}, '乙')"),
    ("draft party", "contract_party (contract_id, position, role, organization_id, name)"
     " values ({draft contract}, 1, 'buyer', {own}, '甲')"),
    ("change", "contract_change (id, contract_id, kind, old, new, reason, effective_on, organization_id)"
     " values ({id}, {contract}, 'change', '{{}}', '{{}}', 'x', '2026-02-01', {own})"),
    ("filing", "contract_filing (id, contract_id, organization_id, draft) values ({id}, {contract}, {own}, '[]')"),
    ("receipt", "contract_receipt (id, contract_id, organization_id, received_on, amount)"
     " values ({id}, {contract}, {own}, '2026-02-01', 5)"),
    ("reversal", "contract_receipt (id, contract_id, organization_id, received_on, amount, reverses)"
     " values ({id}, {contract}, {own}, '2026-02-01', -5, {receipt})"),
)  # fmt: skip
_PROPOSED = "insert into contract_change (contract_id, kind, old, new, reason, effective_on, organization_id, key_id)"
_CONFIRMED = f"{_PROPOSED.removesuffix(')')}, confirmed_at)"
_FILED = "insert into contract_filing (contract_id, organization_id, key_id, draft)"
_RECEIVED = "insert into contract_receipt (contract_id, organization_id, key_id, received_on, amount)"
_ENTERED = "insert into contract (id, organization_id, key_id, origin_reason, terms, type, name, currency, turnover, technology_value)"
CONTRACT_PROBES: tuple[tuple[str, str, dict[int, str]], ...] = (
    ("contract", "select from contract", {2: f"own {STAFF}", 1: "counterpart"}),
    ("contract", f"{_ENTERED} values (uuidv7(), {{my organization}}, {{my key}}, 'x', '{{{{}}}}', 'service', 'n', 'CNY', 1, 1)",
     {1: f"{PARTIES} stranger broker operator authority administrator"}),
    # The service itself has no organization that it could enter one for.
    ("contract", f"{_ENTERED} values (uuidv7(), {{own}}, {{key of own}}, 'x', '{{{{}}}}', 'service', 'n', 'CNY', 1, 1)",
     {1: "own"}),
    ("contract", "update contract set name = 'x'", {2: f"own {REVIEWERS}", 1: "counterpart"}),
    ("contract_party", "select from contract_party", {3: f"own {STAFF}", 2: "counterpart"}),
    ("contract_party", "insert into contract_party (contract_id, position, role, name)"
     " values ({draft contract}, 9, 'seller', '丙')", {1: f"own {REVIEWERS}"}),
    ("contract_party", "insert into contract_party (contract_id, position, role, name)"
     " values ({contract}, 9, 'seller', '丙')", {}),
    ("contract_party", "insert into contract_party (contract_id, position, role, name, confirmed_at)"
     " values ({draft contract}, 9, 'seller', '丙', now())", {}),
    ("contract_party", "update contract_party set confirmed_at = now()", {2: "own", 1: "counterpart"}),
    ("contract_party", "delete from contract_party", {1: f"own {REVIEWERS}"}),
    ("contract_change", "select from contract_change", {1: f"{PARTIES} {STAFF}"}),
    ("contract_change", f"{_PROPOSED} values ({{draft contract}}, 'change', '{{{{}}}}', '{{{{}}}}', 'x', '2026-02-01',"
     " {my organization}, {my key})", {1: "own broker operator administrator"}),
    ("contract_change", f"{_PROPOSED} values ({{draft contract}}, 'change', '{{{{}}}}', '{{{{}}}}', 'x', '2026-02-01',"
     " {own}, {key of own})", {1: "own"}),
    # The change was proposed by `own`, to whom the other side answers.
    ("contract_change", "update contract_change set confirmed_at = now()", {1: f"counterpart {REVIEWERS}"}),
    ("contract_change", "update contract_change set superseded_at = now()", {1: f"{PARTIES} {REVIEWERS}"}),
    ("contract_change", f"{_CONFIRMED} values ({{contract}}, 'change', '{{{{}}}}', '{{{{}}}}', 'x', '2026-02-01',"
     " {my organization}, {my key}, now())", {1: "broker operator administrator"}),
    # The draft names no other side that is an organization of the service.
    ("contract_change", f"{_CONFIRMED} values ({{draft contract}}, 'change', '{{{{}}}}', '{{{{}}}}', 'x', '2026-02-01',"
     " {my organization}, {my key}, now())", {1: "own broker operator administrator"}),
    ("contract_change", f"{_CONFIRMED} values ({{contract}}, 'cancellation', '{{{{}}}}', '{{{{}}}}', 'x', '2026-02-01',"
     " {my organization}, {my key}, now())", {1: f"{PARTIES} broker operator administrator"}),
    ("contract_filing", "select from contract_filing", {1: f"{PARTIES} {STAFF}"}),
    ("contract_filing", f"{_FILED} values ({{draft contract}}, {{my organization}}, {{my key}}, '[]')",
     {1: "own broker operator administrator"}),
    ("contract_filing", f"{_FILED} values ({{draft contract}}, {{own}}, {{key of own}}, '[]')", {1: "own"}),
    ("contract_filing", "update contract_filing set decided_at = now(), decision = 'rejected', reason = 'x'", {1: OPERATORS}),
    ("contract_filing", "update contract_filing set decided_at = now(), decision = 'withdrawn'", {1: f"{PARTIES} {OPERATORS}"}),
    ("contract_receipt", "select from contract_receipt", {2: f"{PARTIES} {STAFF}"}),
    ("contract_receipt", f"{_RECEIVED} values ({{contract}}, {{my organization}}, {{my key}}, '2026-02-02', 1)",
     {1: f"{PARTIES} broker operator administrator"}),
    ("contract_receipt", f"{_RECEIVED} values ({{contract}}, {{own}}, {{key of own}}, '2026-02-02', 1)", {1: "own"}),
    ("subsidy_rule", "select from subsidy_rule", {3: f"{PARTIES} stranger {STAFF}"}),
    ("subsidy_rule", "insert into subsidy_rule (code, name_zh, name_en, recipient, basis, rate, valid_from, source, key_id)"
     " values ('probe', 'n', 'n', 'buyer', 'turnover', 0.1, '2026-01-01', 'x', {my key})", {1: OPERATORS}),
    ("subsidy_rule", "update subsidy_rule set valid_until = '2026-12-31'", {3: OPERATORS}),
)  # fmt: skip
