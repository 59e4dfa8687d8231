"""The draft of a registration (认定登记): what would be filed, line by line, and what is missing. Pure.

Registration follows 技术合同认定登记管理办法 with the rules annexed to it (Ministry of Industry and Information Technology,
in force since 2026-03-01, in place of the measures of 2000 and the rules of 2001). What a contract usually says is article
845 of the Civil Code. docs/contracts.md lists each rule with its source, and which were compared with their text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from service.contracts.amounts import amounts
from service.contracts.schemas import (
    ROLE_LABELS,
    ContractType,
    DevelopmentForm,
    Instalments,
    LumpSum,
    Ownership,
    Party,
    Payment,
    Terms,
    party_label,
)
from service.kit.language import Text


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that the draft is made of; `funding` is the source of funds that the pair's outcome states."""

    terms: Terms
    parties: Sequence[Party]
    signed_on: date | None
    state: str
    field_name: Text | None = None
    industry_name: Text | None = None
    funding: Text | None = None
    region_names: dict[str, Text] | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the draft; an empty value is one that is not stated."""

    section: Text
    field: str
    label: Text
    value: Text


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing: which field, by which rule, and the way out."""

    field: str
    rule: Text
    way_out: Text


TYPES: Final = {
    ContractType.DEVELOPMENT: Text("技术开发合同", "technology development contract"),
    ContractType.TRANSFER: Text("技术转让合同", "technology transfer contract"),
    ContractType.LICENSE: Text("技术许可合同", "technology licence contract"),
    ContractType.CONSULTING: Text("技术咨询合同", "technical consulting contract"),
    ContractType.SERVICE: Text("技术服务合同", "technical service contract"),
}
FORMS: Final = {
    DevelopmentForm.COMMISSIONED: Text("委托开发", "commissioned"),
    DevelopmentForm.COOPERATIVE: Text("合作开发", "cooperative"),
}
OWNERS: Final = {
    Ownership.BUYER: Text("归买方", "the buyer's"),
    Ownership.SELLER: Text("归卖方", "the seller's"),
    Ownership.SHARED: Text("双方共有或按约定分享", "shared as agreed"),
    Ownership.BY_LAW: Text("依法律规定", "as the law provides"),
}
PARTIES: Final = Text("当事人", "Parties")
CONTRACT: Final = Text("合同", "Contract")
RIGHTS: Final = Text("知识产权与保密", "Rights and confidentiality")
MONEY: Final = Text("金额", "Amounts")


def _both(text: str | None) -> Text:
    return Text(text or "", text or "")


def _day(day: date | None) -> Text:
    return _both(day.isoformat() if day else None)


def _money(amount: Decimal, currency: str) -> Text:
    return _both(f"{amount:,.2f} {currency}")


def payment_text(payment: Payment, currency: str) -> Text:
    """A way of payment in one sentence."""
    if isinstance(payment, LumpSum):
        day = f" ({payment.due_on})" if payment.due_on else ""
        return Text(
            f"一次支付 {payment.amount:,.2f} {currency}{day}", f"lump sum {payment.amount:,.2f} {currency}{day}"
        )
    if isinstance(payment, Instalments):
        parts = "; ".join(
            f"{part.amount:,.2f}"
            + (f" ({part.due_on})" if part.due_on else "")
            + (f" {part.condition}" if part.condition else "")
            for part in payment.parts
        )
        return Text(
            f"分期支付共 {payment.total:,.2f} {currency}：{parts}",
            f"instalments of {payment.total:,.2f} {currency}: {parts}",
        )
    rate = f"{(payment.rate * 100).normalize():f}%"
    return Text(
        f"提成支付：{payment.base} × {rate}，预计基数 {payment.estimated_base:,.2f} {currency}（{payment.estimate_basis}）",
        f"royalty: {rate} of {payment.base}, estimated on {payment.estimated_base:,.2f} {currency} ({payment.estimate_basis})",
    )


def lines(known: Known) -> list[Line]:
    """The draft, in the order of the form: parties, contract, rights, amounts with their calculation."""
    terms, found = known.terms, amounts(known.terms)
    names = known.region_names or {}
    rows: list[Line] = []

    def add(section: Text, field: str, zh: str, en: str, value: Text) -> None:
        rows.append(Line(section, field, Text(zh, en), value))

    for place, party in enumerate(known.parties):
        zh, en = party_label(terms, party.role)
        role = ROLE_LABELS[party.role]
        head_zh, head_en = (zh, en) if zh == role.zh else (f"{role.zh}（{zh}）", f"{role.en} ({en})")
        region = names.get(party.region or "", _both(party.region))
        add(PARTIES, f"parties.{place}.name", f"{head_zh}名称", f"{head_en}: name", _both(party.name))
        code = (
            Text("境外单位", "registered abroad")
            if party.foreign and not party.credit_code
            else _both(party.credit_code)
        )
        add(PARTIES, f"parties.{place}.credit_code", f"{head_zh}统一社会信用代码", f"{head_en}: credit code", code)
        add(PARTIES, f"parties.{place}.region", f"{head_zh}所在地区", f"{head_en}: region", region)
    form = FORMS[terms.development_form] if terms.development_form else None
    kind = TYPES[terms.type]
    add(CONTRACT, "name", "项目名称", "Project name", _both(terms.name))
    add(CONTRACT, "type", "合同类型", "Type",
        Text(f"{kind.zh}（{form.zh}）", f"{kind.en} ({form.en})") if form else kind)  # fmt: skip
    add(CONTRACT, "subject", "标的的内容、范围和要求", "Subject, scope and requirements", _both(terms.subject))
    add(CONTRACT, "field", "技术领域（重点方向）", "Field", known.field_name or _both(terms.field))
    add(
        CONTRACT,
        "industry",
        "服务的国民经济行业门类",
        "Industry section served",
        known.industry_name or _both(terms.industry),
    )
    add(CONTRACT, "funding", "计划来源（成果资金来源）", "Source of funds of the outcome", known.funding or _both(None))
    add(CONTRACT, "signed_on", "签订日期", "Signed on", _day(known.signed_on))
    add(CONTRACT, "starts_on", "合同期起", "From", _day(terms.starts_on))
    add(CONTRACT, "ends_on", "合同期止", "Until", _day(terms.ends_on))
    add(CONTRACT, "place", "履行地点", "Place of performance", _both(terms.place))
    add(CONTRACT, "plan", "履行的计划和方式", "Plan of performance", _both(terms.plan))
    add(CONTRACT, "acceptance", "验收标准和方法", "Acceptance", _both(terms.acceptance))
    ip = terms.ip
    results, later = (OWNERS[ip.results], OWNERS[ip.improvements]) if ip else (_both(None), _both(None))
    add(
        RIGHTS, "ip.results", "技术成果的归属", "Ownership of results", _noted(results, ip.results_note if ip else None)
    )
    add(RIGHTS, "ip.improvements", "后续改进成果的归属", "Ownership of improvements",
        _noted(later, ip.improvements_note if ip else None))  # fmt: skip
    involved = (
        [f"{right.number or ''} {right.title or ''}".strip() or right.kind.value for right in ip.rights] if ip else []
    )
    add(RIGHTS, "ip.rights", "涉及的知识产权", "Rights involved", _both("; ".join(involved)))
    kept = terms.confidentiality
    until = f" ({kept.until})" if kept and kept.until else ""
    add(RIGHTS, "confidentiality", "保密", "Confidentiality", _both(f"{kept.clause}{until}" if kept else None))
    for place, payment in enumerate(terms.payments):
        add(MONEY, f"payments.{place}", "支付方式", "Payment", payment_text(payment, terms.currency))
    add(MONEY, "turnover", "合同成交额", "Turnover", _money(found.turnover, terms.currency))
    for place, deduction in enumerate(terms.deductions):
        add(MONEY, f"deductions.{place}", "扣除非技术性费用", "Deduction",
            _both(f"{deduction.amount:,.2f} {terms.currency}: {deduction.reason}"))  # fmt: skip
    add(MONEY, "technology_value", "技术交易额", "Technology value", _money(found.technology_value, terms.currency))
    sum_zh = " ".join(f"{step.amount:+,.2f}" for step in found.steps)
    add(MONEY, "calculation", "计算过程", "Calculation",
        _both(f"{sum_zh} = {found.technology_value:,.2f} {terms.currency}" if found.steps else None))  # fmt: skip
    return rows


def _noted(owner: Text, note: str | None) -> Text:
    return Text(f"{owner.zh}；{note}", f"{owner.en}; {note}") if note else owner


CIVIL_845: Final = Text("民法典第845条", "Civil Code, article 845")
CIVIL_470: Final = Text("民法典第470条（履行期限）", "Civil Code, article 470: time of performance")
# Cited as a whole, since its clauses were not at hand (docs/contracts.md).
MEASURES: Final = Text(
    "技术合同认定登记管理办法（工业和信息化部，2026年3月1日起施行）",
    "Measures for recognizing and registering technology contracts (MIIT, in force since 1 March 2026)",
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A field that a filing needs: when it is there, by which rule, and what to do when it is not."""

    field: str
    there: Callable[[Known], bool]
    rule: Text
    way_out: Text


def _change(zh: str, en: str) -> Text:
    return Text(
        f"{zh}；草稿用 PUT /v1/contracts/{{id}} 补充，已签订的用 POST /v1/contracts/{{id}}/changes",
        f"{en}; in a draft by PUT /v1/contracts/{{id}}, once signed by POST /v1/contracts/{{id}}/changes",
    )


REQUIREMENTS: Final = (
    Requirement("subject", lambda k: bool(k.terms.subject), CIVIL_845,
                _change("写明标的的内容、范围和要求", "Say what is to be done, its scope and requirements")),
    Requirement("field", lambda k: k.terms.field is not None,
                Text("市场统计按技术领域分组", "The market's figures are by field"),
                _change("选择重点方向", "Choose a field")),
    Requirement("starts_on", lambda k: k.terms.starts_on is not None, CIVIL_470, _change("填写合同期起", "Say from when")),
    Requirement("ends_on", lambda k: k.terms.ends_on is not None, CIVIL_470, _change("填写合同期止", "Say until when")),
    Requirement("place", lambda k: bool(k.terms.place), CIVIL_845, _change("填写履行地点", "Say where it is performed")),
    Requirement("plan", lambda k: bool(k.terms.plan), CIVIL_845,
                _change("填写履行的计划和方式", "Say by which plan it is performed")),
    Requirement("acceptance", lambda k: bool(k.terms.acceptance), CIVIL_845,
                _change("填写验收标准和方法", "Say how it is accepted")),
    Requirement("ip", lambda k: k.terms.ip is not None, CIVIL_845,
                _change("约定技术成果的归属和收益的分配", "Agree on whose the results are")),
    Requirement("ip.rights", lambda k: k.terms.type not in (ContractType.TRANSFER, ContractType.LICENSE)
                or (k.terms.ip is not None and bool(k.terms.ip.rights)),
                Text("民法典第862条：转让、许可的标的是特定权利", "Civil Code, article 862: rights are what is transferred or licensed"),
                _change("列出所转让或许可的专利等权利", "List the patents or other rights")),
    Requirement("confidentiality", lambda k: k.terms.confidentiality is not None, CIVIL_845,
                _change("填写技术信息和资料的保密约定", "Agree on what is kept secret")),
    Requirement("payments", lambda k: bool(k.terms.payments),
                Text("民法典第846条：价款、报酬或者使用费的支付方式", "Civil Code, article 846: how it is paid"),
                _change("填写支付方式和金额", "Say how and how much is paid")),
    Requirement("technology_value", lambda k: amounts(k.terms).technology_value > 0, MEASURES,
                _change("核对成交额与扣除项，技术交易额应大于零", "Check turnover and deductions: the technology value is above zero")),
    Requirement("signed_on", lambda k: k.signed_on is not None, MEASURES,
                Text("先签订：POST /v1/contracts/{id}/sign", "Sign first: POST /v1/contracts/{id}/sign")),
)  # fmt: skip


def missing(known: Known) -> list[Missing]:
    """What a filing would still need, in the order of the form."""
    found = []
    for place, party in enumerate(known.parties):
        if not party.credit_code and not party.foreign:
            found.append(
                Missing(
                    f"parties.{place}.credit_code",
                    Text(
                        f"登记须识别当事人（GB 32100 统一社会信用代码）：{party.name}",
                        f"The parties are told apart by their code (GB 32100): {party.name}",
                    ),
                    Text(
                        "在单位资料或草稿中填写代码，再用 PUT /v1/contracts/{id} 重新读取；境外单位请标明 foreign",
                        "Give the code in the organization's data or in the draft and take it over by PUT /v1/contracts/{id}; "
                        "mark a party from abroad as foreign",
                    ),
                )
            )
        if not party.region and not party.foreign:
            found.append(
                Missing(
                    f"parties.{place}.region",
                    Text(f"统计按当事人所在地区分组：{party.name}", f"Statistics are by region: {party.name}"),
                    Text(
                        "在单位资料或草稿中填写行政区划代码，再用 PUT /v1/contracts/{id} 重新读取",
                        "Give the region in the organization's data or in the draft and take it over by PUT /v1/contracts/{id}",
                    ),
                )
            )
    return found + [Missing(each.field, each.rule, each.way_out) for each in REQUIREMENTS if not each.there(known)]
