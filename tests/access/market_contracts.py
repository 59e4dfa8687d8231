"""Contracts of the market of probes: one between A and P in every state, with a canary in every guarded field."""

from dataclasses import replace
from datetime import date
from typing import Any

from service.contracts.registration import Line, Missing
from service.kit.language import Language
from tests.access.market import NOBODY, STATES, Builder, Subject
from tests.contracts.helpers import TERMS

INSERT_CONTRACT = """
insert into contract (id, state, organization_id, origin_reason, terms, type, name, field, currency, turnover, technology_value,
                      signed_on, registered_on, registration_number, close_reason)
values (uuidv7(), $1, $2, $3, $4, 'development', $5, 'goji', 'CNY', 800000, 650000, case when $1 <> 'draft' then date '2026-01-15' end,
        case when $1 in ('registered', 'changed', 'settled') then date '2026-03-01' end,
        case when $1 in ('registered', 'changed', 'settled') then 'PROBE-' || $1 end, $6)
returning id
"""
INSERT_PARTY = """
insert into contract_party (contract_id, position, role, organization_id, name, credit_code, region)
select $1, $2, $3, id, $5, credit_code, region from organization where id = $4
"""
INSERT_CHANGE = """
insert into contract_change (contract_id, kind, old, new, reason, effective_on, signed_on, organization_id, confirmed_at)
values ($1, 'change', $2, $3, $4, '2026-02-01', '2026-02-01', $5, now())
"""
INSERT_FILING = """
insert into contract_filing (contract_id, organization_id, draft, decided_at, decision, number, registered_on, office, reason)
values ($1, $2, '[]', case when $3 <> 'filed' then now() end,
        case when $3 in ('registered', 'changed', 'settled') then 'registered' when $3 <> 'filed' then 'rejected' end,
        case when $3 in ('registered', 'changed', 'settled') then 'PROBE-' || $3 end,
        case when $3 in ('registered', 'changed', 'settled') then date '2026-03-01' end,
        case when $3 in ('registered', 'changed', 'settled') then '演示登记处' end,
        case when $3 not in ('filed', 'registered', 'changed', 'settled') then $4::text end)
"""
INSERT_RECEIPT = """
insert into contract_receipt (contract_id, organization_id, received_on, amount, note) values ($1, $2, '2026-03-02', 1, $3)
"""
FILED = ("filed", "registered", "rejected", "settled", "changed")


async def add_contracts(builder: Builder) -> None:
    """A contract in every state, as if it had come to it; and a subsidy rule's id."""
    connection, market, word = builder.connection, builder.market, builder.bird.word
    own, other = market.houses["A"].id, market.houses["P"].id
    for state in STATES["contract"]:
        stub = Subject("contract", NOBODY, "A", state)

        def canary() -> str:
            return word("contract", "A")

        before, after = f"银川 {canary()}", f"中宁 {canary()}"
        terms: dict[str, Any] = TERMS | {"name": f"演示合同 {canary()}", "subject": f"标的 {canary()}", "place": before}
        identifier = await connection.fetchval(
            INSERT_CONTRACT, state, own, f"补录 {canary()}", terms, terms["name"],
            f"解除 {canary()}" if state == "cancelled" else None,
        )  # fmt: skip
        for place, (role, house) in enumerate((("buyer", own), ("seller", other)), start=1):
            await connection.execute(INSERT_PARTY, identifier, place, role, house, f"演示当事人 {canary()}")
        if state != "draft":
            await connection.execute(
                INSERT_CHANGE, identifier, {"place": before}, {"place": after}, f"变更 {canary()}", own
            )
            await connection.execute(INSERT_RECEIPT, identifier, other, f"收款 {canary()}")
        if state in FILED:
            await connection.execute(INSERT_FILING, identifier, other, state, f"退回 {canary()}")
        market.subjects.append(replace(stub, id=identifier))
    rule = await connection.fetchval("select id from subsidy_rule where code = 'example_buyer'")
    market.subjects.append(Subject("subsidy_rule", rule))


def as_text(lines: list[Line], missing: list[Missing], language: Language) -> bytes:
    """In the place of a PDF, whose text is packed: what it would say, so that canaries are found in it."""
    told = [line.value.in_(language) for line in lines] + [each.rule.in_(language) for each in missing]
    return "\n".join(told).encode()


def contract_body(market: Any, path: str, action: str, variant: str) -> Any:
    """What a request on contracts sends."""
    last = path.rpartition("/")[2]
    if last == "subsidy-rules":
        return {
            "code": "probe", "name_zh": "演示规则", "name_en": "A rule", "recipient": "buyer", "basis": "turnover", "rate": "0.01",
            "valid_from": "2026-01-01", "source": "演示依据",
        }  # fmt: skip
    if last == "changes":
        return {
            "terms": {"plan": "分两年完成。"}, "reason": "双方商定", "effective_on": "2026-02-02", "signed_on": "2026-02-02",
        }  # fmt: skip
    if last == "receipts":
        return {"received_on": date(2026, 3, 3).isoformat(), "amount": "10"}
    if last == "{action}":
        return {
            "sign": {"signed_on": "2026-01-15"},
            "register": {"number": "PROBE-NEW", "registered_on": "2026-03-04", "office": "演示登记处"},
            "reject": {"reason": "缺少附件"},
            "settle": {"reason": "双方商定提前结清"},
            "cancel": {"reason": "双方协议解除", "effective_on": "2026-05-01"},
        }.get(action)
    outside = {"role": "buyer", "name": "平台外演示单位"}
    buyer = {"role": "buyer", "organization_id": str(market.houses["A"].id)} if last == "{contract_id}" else outside
    seller = {"role": "seller", "organization_id": str(market.houses["P"].id)}
    return TERMS | {"parties": [buyer, seller], "origin_reason": "平台外签订，补录"}
