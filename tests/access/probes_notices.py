"""Rows of the outbox, notifications, mail and webhooks, and who reaches how many of them by plain SQL."""

NOTICE_ROWS: tuple[tuple[str, str], ...] = (
    ("mail", "mail (id, organization_id, kind, next_at, created_at) values ({id}, {own}, 'at_once', now(), now())"),
    ("digest", "mail (id, person_id, kind, period_end, next_at, created_at)"
     " values ({id}, {member}, 'daily', '2026-01-01', now(), now())"),
    ("notification", "notification (id, event_id, organization_id, category, subject_kind, subject_id, action, text_zh, text_en,"
     " in_app, mailing, at, created_at)"
     " values ({id}, {event}, {own}, 'listing', 'need', {need}, 'publish', 'x', 'x', true, 'off', now(), now())"),
    ("personal notification", "notification (id, event_id, person_id, category, subject_kind, subject_id, action, text_zh, text_en,"
     " in_app, mailing, at, created_at)"
     " values ({id}, {event}, {member}, 'account', 'person', {member}, 'link', 'x', 'x', true, 'off', now(), now())"),
    ("operators' notification", "notification (id, event_id, organization_id, for_role, category, subject_kind, subject_id, action,"
     " text_zh, text_en, in_app, mailing, at, created_at)"
     " values ({id}, {event}, {operator}, 'operator', 'review', 'need', {need}, 'submit', 'x', 'x', true, 'off', now(), now())"),
    ("brokers' notification", "notification (id, event_id, organization_id, for_role, category, subject_kind, subject_id, action,"
     " text_zh, text_en, in_app, mailing, at, created_at)"
     " values ({id}, {event}, {own}, 'broker', 'match', 'need', {need}, 'submit', 'x', 'x', true, 'off', now(), now())"),
    ("preference", "notice_preference (organization_id, language) values ({own}, 'zh')"),
    ("own preference", "notice_preference (person_id, language) values ({member}, 'zh')"),
    ("webhook", "webhook (id, organization_id, url, secret)"
     " values ({id}, {own}, 'https://a.example/', sha256('a') || sha256('b'))"),
    ("delivery", "webhook_delivery (id, webhook_id, organization_id, event_id, subject_id, type, body, next_at, created_at)"
     " values ({id}, {webhook}, {own}, {event}, {need}, 'need.publish', '{{}}', now(), now())"),
    ("attempt", "webhook_attempt (delivery_id, number, organization_id, at, milliseconds) values ({delivery}, 1, {own}, now(), 1)"),
)  # fmt: skip

NOTIFIED = (
    "insert into notification (event_id, organization_id, category, subject_kind, subject_id, action, text_zh, text_en, in_app,"
    " mailing, at, created_at)"
    " values ({need}, {own}, 'listing', 'need', {need}, 'publish', 'x', 'x', true, 'off', now(), now())"
)
NOTICE_PROBES: tuple[tuple[str, str, dict[int, str]], ...] = (
    # The one event of the rows above.
    ("outbox", "select from outbox", {1: "system"}),
    ("outbox", "update outbox set attempts = 1", {1: "system"}),
    ("outbox", "delete from outbox", {1: "system"}),
    ("mail", "select from mail", {2: "system", 1: "own person"}),
    ("mail", "insert into mail (organization_id, kind, next_at, created_at) values ({own}, 'at_once', now(), now())", {1: "system"}),
    ("mail", "update mail set attempts = 1", {2: "system"}),
    ("mail", "delete from mail", {2: "system"}),
    # A broker's notice within an organization is not for its other keys.
    ("notification", "select from notification", {4: "system", 1: "own operator person"}),
    ("notification", NOTIFIED, {1: "system"}),
    ("notification", "update notification set read_at = now()", {4: "system", 1: "own operator person"}),
    ("notification", "update notification set text_zh = 'y'", {}),
    ("notification", "delete from notification", {4: "system"}),
    ("notice_preference", "select from notice_preference", {2: "system", 1: "own person"}),
    ("notice_preference", "insert into notice_preference (organization_id, language) values ({my organization}, 'zh')",
     {1: "own counterpart stranger broker operator authority administrator"}),
    ("notice_preference", "insert into notice_preference (organization_id, language) values ({stranger}, 'zh')", {1: "stranger"}),
    ("notice_preference", "insert into notice_preference (person_id, language) values ({member}, 'zh')", {1: "person"}),
    ("notice_preference", "update notice_preference set language = 'en'", {1: "own person"}),
    ("webhook", "select from webhook", {1: "own system"}),
    ("webhook", "insert into webhook (organization_id, url, secret)"
     " values ({own}, 'https://b.example/', sha256('a') || sha256('b'))", {1: "own"}),
    ("webhook", "update webhook set failing_since = now()", {1: "own system"}),
    ("webhook", "delete from webhook", {1: "own"}),
    ("webhook_delivery", "select from webhook_delivery", {1: "own system"}),
    ("webhook_delivery", "insert into webhook_delivery (webhook_id, organization_id, subject_id, type, body, next_at, created_at)"
     " values ({webhook}, {own}, {need}, 'webhook.test', '{{}}', now(), now())", {1: "own system"}),
    ("webhook_delivery", "insert into webhook_delivery (webhook_id, organization_id, subject_id, type, body, next_at, created_at)"
     " values ({webhook}, {my organization}, {need}, 'webhook.test', '{{}}', now(), now())", {1: "own system"}),
    ("webhook_delivery", "update webhook_delivery set tries = 0", {1: "own system"}),
    ("webhook_delivery", "update webhook_delivery set body = '{{}}'", {}),
    ("webhook_delivery", "delete from webhook_delivery", {1: "system"}),
    ("webhook_attempt", "select from webhook_attempt", {1: "own system"}),
    ("webhook_attempt", "insert into webhook_attempt (delivery_id, number, organization_id, at, milliseconds)"
     " values ({delivery}, 2, {own}, now(), 1)", {1: "system"}),
)  # fmt: skip
