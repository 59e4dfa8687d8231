"""What probes send: one request for each endpoint, object and variant, made from the OpenAPI document's paths."""

import json
from collections.abc import Iterator
from typing import Any, Final

from tests.access.market import Market, Subject
from tests.access.market_contracts import contract_body
from tests.access.probing import Asked
from tests.access.requests_cases import CASE_KINDS, CASE_PARTS, case_value
from tests.access.requests_review import review_body, review_query

NEED: Final = {"title": "枸杞鲜果快速干燥", "description": "单批干燥时间不超过12小时，含水率≤13%。"}
PERSON: Final = {"name": "演示新人", "email": "xinren@example.com"}
ORGANIZATION: Final = {"name": "新登记演示公司", "kind": "enterprise"}
MEMBER: Final = {"roles": ["enterprise"], "scopes": ["read", "write"]}
WEBHOOK: Final = {"url": "https://erp.example.com/duijie"}
ROLES_ASKED: Final = {"admin": ["administrator"], "operator": ["operator"]}
BOUNDARY: Final = "probe"
KINDS: Final = {
    "need_id": "need", "outcome_id": "outcome", "organization_id": "organization", "recommendation_id": "recommendation",
    "person_id": "person", "key_id": "key", "membership_id": "membership", "identity_id": "identity", "import_id": "import",
    "listing_id": "need", "question_id": "question",
    "contract_id": "contract", "rule_id": "subsidy_rule",
    "notification_id": "notification", "webhook_id": "webhook", "delivery_id": "delivery",
    **CASE_KINDS,
}  # fmt: skip
# What a second object of a path belongs to is the first one.
PARTS: Final = {"membership_id", "identity_id", "question_id", "delivery_id"} | CASE_PARTS


def operations(document: dict[str, Any]) -> Iterator[tuple[str, list[str], list[str]]]:
    """Every operation of an OpenAPI document: "METHOD path", its parameters in the path, and the values of `action`."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            in_path = [each for each in operation.get("parameters", []) if each["in"] == "path"]
            schemas = [each["schema"] for each in in_path if each["name"] == "action"]
            actions = [value for schema in schemas for value in _values(document, schema)]
            yield f"{method.upper()} {path}", [each["name"] for each in in_path if each["name"] != "action"], actions


def _values(document: dict[str, Any], schema: dict[str, Any]) -> list[str]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return list(schema["enum"])


def objects(market: Market, parameters: list[str]) -> Iterator[tuple[Subject, Subject | None]]:
    """The objects, and parts of them, that a path's parameters stand for. An unknown parameter is a KeyError."""
    kinds = [KINDS[name] for name in parameters]
    if not kinds:
        yield Subject("market", market.houses["T"].id), None
    for subject in market.of_kind(kinds[0]) if kinds else ():
        if len(kinds) == 1:
            yield subject, None
        for part in market.of_kind(kinds[1]) if len(kinds) > 1 else ():
            # Parts of others are asked for once for each object: one is enough to see that they are not found.
            if part.of == subject.id or part.state == "active":
                yield subject, part


def request(market: Market, operation: str, subject: Subject, part: Subject | None, action: str, variant: str) -> Asked:
    """The request of a cell."""
    method, _, path = operation.partition(" ")
    for name in KINDS:
        path = path.replace("{" + name + "}", str((part if name in PARTS and part else subject).id))
    path = path.replace("{action}", action)
    query = _query(market, operation, variant)
    body, kind = _body(market, operation, variant, action)
    versions = {"stale": '"77"', "match": _version(subject)}
    headers = [("Content-Type", kind)] if body else []
    if variant in versions:
        headers.append(("If-Match", versions[variant]))
    return Asked(method, path, tuple(query), tuple(headers), body)


def _version(subject: Subject) -> str:
    return '"2"' if subject.kind in ("need", "outcome") else '"1"'


def _query(market: Market, operation: str, variant: str) -> list[tuple[str, str]]:
    method, _, path = operation.partition(" ")
    if (asked := review_query(market, path, variant)) is not None:
        return asked
    if path == "/v1/exports":
        kind = "nothing" if variant == "broken" else variant
        return [("kind", kind), ("format", "jsonl")]
    if path == "/v1/imports/template.xlsx":
        return [("kind", "needs")]
    if path == "/v1/imports":
        return [("kind", "nothing" if variant == "broken" else "needs"), ("dry_run", "true")]
    if method == "POST":
        return [("organization_id", str(market.houses["V"].id))] if variant == "for V" else []
    return {
        "broken": [("limit", "0")],
        "mine": [("mine", "true")],
        "of A": [("organization_id", str(market.houses["A"].id))],
    }.get(variant, [("limit", "100")] if method == "GET" and "{" not in path else [])


def _body(market: Market, operation: str, variant: str, action: str = "") -> tuple[bytes, str]:
    method, _, path = operation.partition(" ")
    if path == "/v1/imports" and method == "POST":
        content = "title\n枸杞鲜果快速干燥\n"
        disposition = 'Content-Disposition: form-data; name="file"; filename="probe.csv"'
        form = f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: text/csv\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n"
        return form.encode(), f"multipart/form-data; boundary={BOUNDARY}"
    if path.endswith("/attachments"):
        channel = "nothing" if variant == "broken" else "shared"
        parts = (('name="channel"', channel), ('name="file"; filename="probe.txt"', "演示附件"))
        form = "".join(
            f"--{BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n" for name, value in parts
        )
        return f"{form}--{BOUNDARY}--\r\n".encode(), f"multipart/form-data; boundary={BOUNDARY}"
    value = _content(market, operation, action, variant) if method in ("POST", "PUT") else None
    return (b"", "") if value is None else (json.dumps(value).encode(), "application/json")


def _content(market: Market, operation: str, action: str, variant: str) -> Any:
    path = operation.partition(" ")[2]
    if variant == "broken":
        return _value(path, variant)
    if path.startswith(("/v1/contracts", "/v1/subsidy-rules")):
        return contract_body(market, path, action, variant)
    if "{case_id}" in path or path == "/v1/partner-operators":
        return case_value(path, variant, str(market.houses["V"].id), str(market.brokers["X"]))
    return review_body(market, operation, variant) or _value(path, variant)


def _value(path: str, variant: str) -> Any:
    last = path.rpartition("/")[2]
    if variant == "broken":
        return {"overlap_hours": -1} if last == "rotate" else {"nothing": 1, "modes": "?"}
    roles = ROLES_ASKED.get(variant, ["enterprise"])
    scopes = ["admin"] if variant == "scoped" else ["read", "write"]
    if last == "decisions":
        return {
            "decline": {"action": "decline", "code": "too_early"},
            "snooze": {"action": "snooze", "snoozed_until": "2099-01-01T00:00:00+08:00"},
        }.get(variant, {"action": "accept"})
    if last == "{action}":
        return {"reason": "营业执照已核对"} if variant == "reasoned" else None
    return {
        "keys": {"label": "演示密钥", "roles": roles, "scopes": scopes},
        "rotate": None,
        "questions": {"field": "indicators", "question": "含水率按湿基还是干基计？"},
        "answer": {"answer": "湿基。"},
        "agreement": {"revision": 2},
        "undo": None,
        "read": None,
        "preferences": {"language": "zh"},
        "webhooks": WEBHOOK,
        "{webhook_id}": WEBHOOK,
        "test": None,
        "replay": {"since": "2026-01-01T00:00:00+08:00", "state": "all"},
        "consent": {"purpose": "就中试与许可条件洽谈"},
        "members": {"person": PERSON, "roles": roles, "scopes": scopes},
        "{membership_id}": MEMBER,
        "identities": {"issuer": "https://login.example", "subject": "new"},
        "people": PERSON,
        "me": PERSON,
        "{person_id}": PERSON,
        "organizations": ORGANIZATION,
        "{organization_id}": ORGANIZATION,
        "match": {"looking_for": "outcomes", "text": "枸杞鲜果热风干燥耗时长，求快速干燥装备"},
    }.get(last, NEED)
