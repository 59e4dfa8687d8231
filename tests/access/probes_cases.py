"""Rows of cases and what every kind of actor reaches of them: joined to the probes of the other tables."""

STAMPS = "now(), now(), now()"
# `own` has the need's side, `counterpart` the outcome's, `broker` handles the case; `stranger` operates a partner pair.
CASE_ROWS: tuple[tuple[str, str], ...] = (
    ("case", "docking_case (id, recommendation_id, need_id, outcome_id, need_organization_id, outcome_organization_id,"
     " broker_organization_id, opened_at, state_since, updated_at) values ({id}, {accepted pair}, {need}, {draft outcome}, {own},"
     f" {{counterpart}}, {{broker}}, {STAMPS})"),
    ("partner case", "docking_case (id, recommendation_id, need_id, outcome_id, need_organization_id, outcome_organization_id,"
     " partner_pairs, state, closed_as, code, closed_at, opened_at, state_since, updated_at) values ({id}, {accepted pair}, {need},"
     f" {{draft outcome}}, {{own}}, {{counterpart}}, '{{{{350000:640000:minning}}}}', 'closed', 'lost', 'other', now(), {STAMPS})"),
    ("wait", "case_wait (id, case_id, party, what, asked_at, begun_at, due_at, days, provisional)"
     f" values ({{id}}, {{case}}, 'need', 'invitation', {STAMPS}, 5, false)"),
    ("word to both", "case_message (id, case_id, number, channel, party, body, sent_at)"
     " values ({id}, {case}, 1, 'shared', 'need', 'x', now())"),
    ("word of the need", "case_message (id, case_id, number, channel, party, body, sent_at)"
     " values ({id}, {case}, 2, 'need', 'need', 'x', now())"),
    ("word of the outcome", "case_message (id, case_id, number, channel, party, body, organization_id, sent_at)"
     " values ({id}, {case}, 3, 'outcome', 'outcome', 'x', {counterpart}, now())"),
    ("note", "case_message (id, case_id, number, channel, party, body, sent_at)"
     " values ({id}, {case}, 4, 'broker', 'broker', 'x', now())"),
    ("file", "case_attachment (message_id, case_id, name, media_type, size, digest, content)"
     " values ({word of the need}, {case}, 'a.txt', 'text/plain', 1, sha256('x'), 'x')"),
    ("mark", "case_read_mark (case_id, caller, party, number, at) values ({case}, {key of own}, 'need', 1, now())"),
    ("meeting", "case_meeting (case_id, title, starts_at, ends_at, updated_at)"
     " values ({case}, 'x', now(), now() + interval '1 hour', now())"),
    ("milestone", "case_milestone (case_id, title, due_on, updated_at) values ({case}, 'x', '2099-01-01', now())"),
    ("follow-up", "follow_up (case_id, side, months, asked_at, due_at, provisional) values ({case}, 'need', 3, now(), now(), false)"),
    ("partner operator", "partner_operator (from_region, to_region, program, organization_id, assigned_at)"
     " values ('350000', '640000', 'minning', {stranger}, now())"),
)  # fmt: skip

STAFF = "broker operator authority administrator system"
REVIEWERS = "broker operator administrator system"
OPERATORS = "operator administrator system"
CALLERS = f"own counterpart stranger {STAFF}"
TALKERS = f"own counterpart {REVIEWERS}"
CASE_PROBES: tuple[tuple[str, str, dict[int, str]], ...] = (
    ("docking_case", "select from docking_case", {2: f"own counterpart {STAFF}", 1: "stranger"}),
    ("docking_case", "insert into docking_case (recommendation_id, need_id, outcome_id, need_organization_id,"
     " outcome_organization_id, broker_organization_id, opened_at, state_since, updated_at)"
     f" values ({{pair}}, {{need}}, {{outcome}}, {{own}}, {{counterpart}}, {{my organization}}, {STAMPS})",
     {1: "broker administrator system"}),
    ("docking_case", "insert into docking_case (recommendation_id, need_id, outcome_id, need_organization_id,"
     " outcome_organization_id, broker_organization_id, opened_at, state_since, updated_at)"
     f" values ({{pair}}, {{need}}, {{outcome}}, {{own}}, {{counterpart}}, {{broker}}, {STAMPS})", {1: "broker"}),
    ("docking_case", "update docking_case set mode = 'license'", {2: TALKERS}),
    # Whose case it is its broker changes, and operators; who its sides are nobody does.
    ("docking_case", "update docking_case set broker_organization_id = {counterpart}", {2: REVIEWERS}),
    ("docking_case", "update docking_case set need_organization_id = {stranger}", {}),
    ("case_wait", "select from case_wait", {1: f"own counterpart {STAFF}"}),
    ("case_wait", "insert into case_wait (case_id, party, what, asked_at, begun_at, due_at, days, provisional)"
     f" values ({{case}}, 'outcome', 'invitation', {STAMPS}, 5, false)", {1: TALKERS}),
    ("case_wait", "update case_wait set days = 4", {1: TALKERS}),
    ("case_message", "select from case_message", {4: "broker administrator system", 3: "operator", 2: "own counterpart"}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'shared', 'need', 'x', {my organization}, {my key}, now())", {1: "own"}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'shared', 'broker', 'x', {my organization}, {my key}, now())", {1: REVIEWERS}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'outcome', 'outcome', 'x', {my organization}, {my key}, now())", {1: "counterpart"}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'outcome', 'broker', 'x', {my organization}, {my key}, now())", {1: REVIEWERS}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'broker', 'broker', 'x', {my organization}, {my key}, now())", {1: "broker administrator system"}),
    ("case_message", "insert into case_message (case_id, number, channel, party, body, organization_id, key_id, sent_at)"
     " values ({case}, 9, 'shared', 'need', 'x', {own}, {key of own}, now())", {1: "own"}),
    ("case_attachment", "select from case_attachment", {1: f"own {REVIEWERS}"}),
    ("case_attachment", "insert into case_attachment (message_id, case_id, name, media_type, size, digest, content)"
     " values ({word of the outcome}, {case}, 'b.txt', 'text/plain', 1, sha256('x'), 'x')", {1: "counterpart"}),
    ("case_read_mark", "select from case_read_mark", {1: TALKERS}),
    ("case_read_mark", "insert into case_read_mark (case_id, caller, party, number, at)"
     " values ({case}, {my key}, 'need', 1, now())", {1: "own counterpart broker operator administrator"}),
    ("case_read_mark", "update case_read_mark set number = 2", {1: "own"}),
    ("case_meeting", "select from case_meeting", {1: TALKERS}),
    ("case_meeting", "insert into case_meeting (case_id, title, starts_at, ends_at, updated_at)"
     " values ({case}, 'y', now(), now() + interval '1 hour', now())", {1: TALKERS}),
    ("case_meeting", "update case_meeting set title = 'y'", {1: TALKERS}),
    ("case_milestone", "select from case_milestone", {1: TALKERS}),
    ("case_milestone", "insert into case_milestone (case_id, title, due_on, updated_at)"
     " values ({case}, 'y', '2099-01-01', now())", {1: TALKERS}),
    ("case_milestone", "update case_milestone set title = 'y'", {1: TALKERS}),
    ("follow_up", "select from follow_up", {1: f"own {STAFF}"}),
    ("follow_up", "insert into follow_up (case_id, side, months, asked_at, due_at, provisional)"
     " values ({case}, 'outcome', 3, now(), now(), false)", {1: REVIEWERS}),
    ("follow_up", "update follow_up set note = 'y'", {1: "own system"}),
    ("partner_operator", "select from partner_operator", {1: CALLERS}),
    ("partner_operator", "insert into partner_operator (from_region, to_region, program, organization_id, assigned_at)"
     " values ('320000', '640000', 'tech_cooperation', {stranger}, now())", {1: OPERATORS}),
    ("partner_operator", "update partner_operator set ended_at = now()", {1: OPERATORS}),
)  # fmt: skip
