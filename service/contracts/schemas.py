"""What a technology contract says, as types (技术合同, Civil Code book three, chapter 20, articles 843-887)."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.access.credit_code import CreditCode
from service.kit.language import Text
from service.kit.texts import RegionCode, clean_line, clean_text
from service.listings.schemas import Currency, FieldCode, Section, ShortText, Title
from service.taxonomy.schemas import IpKind


def _two_places(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))


def _plain(rate: Decimal) -> Decimal:
    return Decimal(f"{rate.normalize():f}")


# Written in one way only, so that 5e4 is no change of 50000.00.
Money = Annotated[Decimal, Field(gt=0, max_digits=16, decimal_places=2), AfterValidator(_two_places)]
# A share of something: 0.05 is five per cent.
Rate = Annotated[Decimal, Field(gt=0, le=1, max_digits=7, decimal_places=6), AfterValidator(_plain)]
Clause = Annotated[str, AfterValidator(clean_text), StringConstraints(min_length=2, max_length=5_000)]
OrganizationName = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=2, max_length=200)]


class ContractType(StrEnum):
    """合同类型: the five of article 843 of the Civil Code."""

    DEVELOPMENT = "development"
    TRANSFER = "transfer"
    LICENSE = "license"
    CONSULTING = "consulting"
    SERVICE = "service"


class DevelopmentForm(StrEnum):
    """委托开发 or 合作开发 (Civil Code, article 851)."""

    COMMISSIONED = "commissioned"
    COOPERATIVE = "cooperative"


class PartyRole(StrEnum):
    """Who takes and pays for the technology, who gives it, and who introduced the two (中介方)."""

    BUYER = "buyer"
    SELLER = "seller"
    INTERMEDIARY = "intermediary"


ROLE_LABELS = {
    PartyRole.BUYER: Text("买方", "buyer"),
    PartyRole.SELLER: Text("卖方", "seller"),
    PartyRole.INTERMEDIARY: Text("中介方", "intermediary"),
}


class Ownership(StrEnum):
    """To whom results or improvements belong."""

    BUYER = "buyer"
    SELLER = "seller"
    SHARED = "shared"
    BY_LAW = "by_law"


class DeductionKind(StrEnum):
    """What is bought with the contract's money and is no technology (非技术性费用)."""

    EQUIPMENT = "equipment"
    INSTRUMENTS = "instruments"
    PARTS = "parts"
    MATERIALS = "materials"
    OTHER = "other"


class Strict(BaseModel):
    """Refuses fields that it does not know."""

    model_config = ConfigDict(extra="forbid")


class PartyContent(Strict):
    """One party as entered: an organization of the service by its id, or another one by its name."""

    role: PartyRole = Field(description="buyer 买方, seller 卖方, intermediary 中介方")
    organization_id: UUID | None = Field(
        default=None, description="Organization of the service; its name, code and region are taken over / 平台内单位"
    )
    name: OrganizationName | None = Field(default=None, description="Of an organization outside / 平台外单位名称")
    credit_code: CreditCode | None = None
    foreign: bool = Field(default=False, description="Registered outside mainland China, without a code / 境外单位")
    region: RegionCode | None = Field(default=None, description="GB/T 2260 code / 行政区划代码")

    @model_validator(mode="after")
    def _named_once(self) -> "PartyContent":
        if (self.organization_id is None) == (self.name is None):
            raise PydanticCustomError("party_named_once", "give either organization_id or name")
        if self.organization_id is not None and (self.credit_code, self.region) != (None, None):
            raise PydanticCustomError("party_taken_over", "code and region come from the organization")
        return self


class Party(BaseModel):
    """A party as kept: what an organization was called when the contract was entered."""

    model_config = ConfigDict(extra="ignore")

    role: PartyRole
    label: str = Field(default="", description="What this type of contract calls the party / 当事人称谓")
    organization_id: UUID | None
    name: str
    credit_code: str | None
    foreign: bool
    region: str | None
    confirmed: bool = Field(default=False, description="Confirmed the terms / 已确认合同内容")


class RightInvolved(Strict):
    """A right that the contract is about, by its number (Civil Code, articles 845, 862 and 876)."""

    kind: IpKind
    number: ShortText | None = Field(default=None, description="专利号、登记号等")
    title: ShortText | None = Field(default=None, description="名称")


class IpArrangement(Strict):
    """知识产权归属: of results (articles 859-861, 885), of later improvements (article 875), rights involved."""

    results: Ownership = Field(description="Whose the results are / 成果归属")
    results_note: Clause | None = Field(default=None, description="分享或例外约定")
    improvements: Ownership = Field(description="Whose later improvements are / 后续改进成果归属")
    improvements_note: Clause | None = Field(default=None, description="后续改进的分享办法")
    rights: Annotated[list[RightInvolved], Field(max_length=100)] = Field(
        default_factory=list, description="Patents and other rights involved / 涉及的知识产权"
    )


class Confidentiality(Strict):
    """保密条款 (Civil Code, articles 845, 868, 869, 871)."""

    clause: Clause
    until: date | None = Field(default=None, description="Null: without an end / 空表示不限期")


class LumpSum(Strict):
    """一次支付: one amount on one day."""

    kind: Literal["lump_sum"]
    amount: Money
    due_on: date | None = Field(default=None, description="支付日期")


class Part(Strict):
    """One of several payments."""

    amount: Money
    due_on: date | None = Field(default=None, description="支付日期")
    condition: ShortText | None = Field(default=None, description="支付条件，例如中试验收合格")


class Instalments(Strict):
    """分期支付: a total, and parts that add up to it."""

    kind: Literal["instalments"]
    total: Money
    parts: Annotated[list[Part], Field(min_length=2, max_length=60)]

    @model_validator(mode="after")
    def _adds_up(self) -> "Instalments":
        added = sum((part.amount for part in self.parts), Decimal(0))
        if added != self.total:
            context = {"added": str(added), "total": str(self.total)}
            raise PydanticCustomError(
                "instalments_add_up", "the parts add up to {added}, the total is {total}", context
            )
        return self


class Royalty(Strict):
    """提成支付: a rate of something, at least and at most so much, and what it is estimated to come to."""

    kind: Literal["royalty"]
    base: Clause = Field(description="Of what / 提成基数，例如产品净销售额")
    rate: Rate = Field(description="0.05 is 5 % / 提成比例")
    minimum: Money | None = Field(default=None, description="保底金额")
    cap: Money | None = Field(default=None, description="封顶金额")
    estimated_base: Money = Field(description="What the base will come to over the term / 期内预计基数")
    estimate_basis: Clause = Field(description="What the estimate rests on / 预计依据")
    due_on: date | None = Field(default=None, description="Last day of payment / 支付截止日期")

    @model_validator(mode="after")
    def _ordered(self) -> "Royalty":
        if self.minimum is not None and self.cap is not None and self.minimum > self.cap:
            raise PydanticCustomError("range_order", "{low} must not exceed {high}", {"low": "minimum", "high": "cap"})
        return self


# The ways to pay that article 846 of the Civil Code names; an entry fee with a royalty is a lump sum beside one.
Payment: TypeAlias = Annotated[LumpSum | Instalments | Royalty, Field(discriminator="kind")]


class Deduction(Strict):
    """An amount that does not pay for technology, and why."""

    kind: DeductionKind
    amount: Money
    reason: Clause = Field(description="What is bought, and where the contract says so / 购置内容与合同依据")


class Terms(Strict):
    """What the parties agree on. What may still be open in a draft is checked before signing and before filing."""

    type: ContractType = Field(
        description="development 开发, transfer 转让, license 许可, consulting 咨询, service 服务"
    )
    development_form: DevelopmentForm | None = Field(
        default=None, description="Of a development contract only / 委托或合作开发"
    )
    name: Title = Field(description="Project name / 项目名称", examples=["枸杞真空脉动干燥装备技术开发"])
    subject: Clause | None = Field(
        default=None, description="What is to be done, its scope and requirements / 标的的内容、范围和要求"
    )
    field: FieldCode | None = Field(default=None, description="Focus field, see GET /v1/taxonomy / 重点方向")
    industry: Section | None = Field(default=None, description="Section of GB/T 4754 that it serves / 服务的行业门类")
    ip: IpArrangement | None = Field(default=None, description="知识产权约定")
    starts_on: date | None = Field(default=None, description="合同期起")
    ends_on: date | None = Field(default=None, description="合同期止")
    place: ShortText | None = Field(default=None, description="履行地点")
    plan: Clause | None = Field(default=None, description="Plan and manner of performance / 履行的计划和方式")
    acceptance: Clause | None = Field(default=None, description="Standard and method of acceptance / 验收标准和方法")
    confidentiality: Confidentiality | None = Field(default=None, description="保密条款")
    currency: Currency = Field(default="CNY", description="ISO 4217 / 币种")
    payments: Annotated[list[Payment], Field(max_length=20)] = Field(
        default_factory=list, description="价款、报酬、使用费的支付"
    )
    deductions: Annotated[list[Deduction], Field(max_length=100)] = Field(
        default_factory=list, description="Not paid for technology; a row each / 非技术性费用，逐项列出"
    )

    @model_validator(mode="after")
    def _consistent(self) -> "Terms":
        if (self.type is ContractType.DEVELOPMENT) != (self.development_form is not None):
            raise PydanticCustomError("development_form", "development_form goes with development contracts only")
        if self.starts_on is not None and self.ends_on is not None and self.starts_on > self.ends_on:
            raise PydanticCustomError(
                "range_order", "{low} must not exceed {high}", {"low": "starts_on", "high": "ends_on"}
            )
        return self

    def stored(self) -> dict[str, Any]:
        """The terms as JSON values, amounts as decimal strings."""
        return self.model_dump(mode="json")


class ContractContent(Terms):
    """A contract to be entered: its terms, its parties, and where it comes from."""

    parties: Annotated[list[PartyContent], Field(max_length=20)] = Field(
        default_factory=list, description="Left out where the contract comes from a pair / 来自推荐对时可省略"
    )
    recommendation_id: UUID | None = Field(
        default=None, description="Accepted pair whose both sides consented / 双方均已同意的推荐对"
    )
    case_id: UUID | None = Field(default=None, description="Case that it was negotiated in / 对接编号")
    origin_reason: Clause | None = Field(
        default=None, description="Why it is entered here if it did not start here / 非本平台促成时的录入理由"
    )
    further: bool = Field(
        default=False,
        description="The two sides have a contract of this pair under way, and this is another one; told at the entering "
        "/ 双方就此已有办理中的合同，本合同是另一份；仅在录入时说明",
    )

    @model_validator(mode="after")
    def _from_somewhere(self) -> "ContractContent":
        if sum(each is not None for each in (self.recommendation_id, self.case_id, self.origin_reason)) != 1:
            raise PydanticCustomError("contract_origin", "give one of recommendation_id, case_id and origin_reason")
        if self.recommendation_id is None and self.case_id is None:
            named = [party.role for party in self.parties]
            if PartyRole.BUYER not in named or PartyRole.SELLER not in named:
                raise PydanticCustomError("two_sides", "a contract has a buyer and a seller")
        return self


# What this type of contract calls its two sides (Civil Code, articles 852, 853, 855, 868, 869, 879, 880, 882, 883),
# where the law says 人 and forms of contracts say 方.
SIDES: dict[ContractType, tuple[tuple[str, str], tuple[str, str]]] = {
    ContractType.DEVELOPMENT: (("委托方", "client"), ("研究开发方", "developer")),
    ContractType.TRANSFER: (("受让方", "transferee"), ("让与方", "transferor")),
    ContractType.LICENSE: (("被许可方", "licensee"), ("许可方", "licensor")),
    ContractType.CONSULTING: (("委托方", "client"), ("受托方", "contractor")),
    ContractType.SERVICE: (("委托方", "client"), ("受托方", "contractor")),
}
COOPERATING = ("合作方", "partner")
INTRODUCING = ("中介方", "intermediary")


def party_label(terms: Terms, role: PartyRole) -> tuple[str, str]:
    """What a party is called, in Chinese and English.

    >>> party_label(Terms(type="license", name="枸杞干燥专利许可"), PartyRole.SELLER)
    ('许可方', 'licensor')
    """
    if role is PartyRole.INTERMEDIARY:
        return INTRODUCING
    if terms.development_form is DevelopmentForm.COOPERATIVE:
        return COOPERATING
    buyer, seller = SIDES[terms.type]
    return buyer if role is PartyRole.BUYER else seller
