"""The market's subsidy rules as rows: versions that follow each other, and what they give for a contract."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

import asyncpg
from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from service.contracts.schemas import Clause, ContractType, Money, PartyRole, Rate, Strict
from service.contracts.service import read
from service.contracts.subsidies import Registered, Rule, awards, total
from service.errors import Conflict, Forbidden, NotFound, OutOfTurn
from service.events import log
from service.kit.actor import Actor, Role
from service.kit.clock import today
from service.kit.db import Connection, Row
from service.kit.language import Text
from service.kit.texts import clean_line
from service.listings.schemas import Currency, FieldCode

Threshold = Annotated[Decimal, Field(ge=0, max_digits=16, decimal_places=2)]
RuleName = Annotated[str, AfterValidator(clean_line), StringConstraints(min_length=2, max_length=200)]


class SubsidyTerms(Strict):
    """What a rule says."""

    code: FieldCode = Field(description="The same for all versions of a rule / 规则代码", examples=["city_buyer"])
    name_zh: RuleName = Field(description="名称")
    name_en: RuleName = Field(description="英文名称")
    recipient: PartyRole = Field(description="Who gets it / 奖补对象")
    basis: Literal["turnover", "technology_value"] = Field(description="Of what / 计算基数")
    rate: Rate = Field(description="0.05 is 5 % / 比例")
    threshold: Threshold = Field(default=Decimal(0), description="Least basis / 起点金额")
    cap: Money | None = Field(default=None, description="Most for one contract / 单项合同封顶")
    currency: Currency = "CNY"
    region: Annotated[str, StringConstraints(pattern=r"^(\d{2}|\d{4}|\d{6})?$")] = Field(
        default="",
        description="Prefix of GB/T 2260 codes that the recipient is in; empty: everywhere / 适用地区代码前缀",
    )
    types: list[ContractType] = Field(default_factory=list, max_length=5, description="Empty: all / 适用合同类型")
    valid_from: date = Field(description="生效日期")
    valid_until: date | None = Field(default=None, description="Last day / 失效日期")
    source: Clause = Field(description="Document and clause that say so / 依据文件与条款")


class SubsidyRuleContent(SubsidyTerms):
    """A rule from a day on; the version before it ends the day before."""

    @model_validator(mode="after")
    def _ordered(self) -> "SubsidyRuleContent":
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise PydanticCustomError(
                "range_order", "{low} must not exceed {high}", {"low": "valid_from", "high": "valid_until"}
            )
        return self


class SubsidyRule(SubsidyTerms):
    """A version of a rule as kept; one that never came to hold ends the day before it would have begun."""

    id: UUID
    example: bool = Field(description="Invented to show what a rule says / 示例规则")


class SubsidyAward(BaseModel):
    """What one rule gives, with its arithmetic, or why it does not apply."""

    rule: SubsidyRule
    applies: bool
    amount: Decimal
    told: str


class Subsidies(BaseModel):
    """What the rules of the day of registration give for a contract."""

    contract_id: UUID
    currency: str
    registered_on: date
    turnover: Decimal
    technology_value: Decimal
    total: Decimal
    rounding: str
    awards: list[SubsidyAward]


LIST_RULES = """
select * from subsidy_rule
where ($1::date is null or (valid_from <= $1 and (valid_until is null or valid_until >= $1)))
order by code, valid_from
"""


async def list_rules(connection: Connection, on: date | None = None) -> list[SubsidyRule]:
    """Every version of every rule, or those that hold on a day."""
    return [_rule(row) for row in await connection.fetch(LIST_RULES, on)]


def _rule(row: Row) -> SubsidyRule:
    return SubsidyRule.model_validate({name: row[name] for name in SubsidyRule.model_fields})


# Whoever sets a rule waits for others who do, so that versions follow each other without a gap or an overlap.
LOCK_RULE = "select pg_advisory_xact_lock(hashtextextended('subsidy rule ' || $1::text, 0))"
LAST_VERSION = "select * from subsidy_rule where code = $1 order by valid_from desc limit 1"
END_VERSION = "update subsidy_rule set valid_until = $2 where id = $1 and (valid_until is null or valid_until > $2)"
INSERT_RULE = """
insert into subsidy_rule (code, name_zh, name_en, recipient, basis, rate, threshold, cap, currency, region, types, valid_from,
                          valid_until, source, key_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
returning *
"""


async def set_rule(connection: Connection, actor: Actor, content: SubsidyRuleContent) -> SubsidyRule:
    """Set a rule from a day on; the version before it ends the day before.

    Raises:
        Forbidden: no operator. Conflict: a later version is there already.
    """
    _check_operator(actor)
    await connection.execute(LOCK_RULE, content.code)
    last = await connection.fetchrow(LAST_VERSION, content.code)
    if last is not None:
        if last["valid_from"] >= content.valid_from:
            raise Conflict(
                Text(
                    f"规则 {content.code} 已有自 {last['valid_from']} 起的版本，新版本须晚于它",
                    f"The rule {content.code} has a version from {last['valid_from']} on: a new one begins after it",
                )
            )
        await connection.execute(END_VERSION, last["id"], content.valid_from - timedelta(days=1))
    try:
        row = await connection.fetchrow(INSERT_RULE, *_values(content), actor.key_id)
    except asyncpg.UniqueViolationError as error:
        raise Conflict(Text("该规则已有同日生效的版本", "The rule has a version from that day on")) from error
    assert row is not None
    made = _rule(row)
    await log.record(connection, actor, "subsidy_rule", made.id, "set", data={"code": made.code})
    return made


def _values(content: SubsidyRuleContent) -> tuple[object, ...]:
    return (
        content.code,
        content.name_zh,
        content.name_en,
        content.recipient,
        content.basis,
        content.rate,
        content.threshold,
        content.cap,
        content.currency,
        content.region,
        [kind.value for kind in dict.fromkeys(content.types)],
        content.valid_from,
        content.valid_until,
        content.source,
    )


END_RULE = """
update subsidy_rule set valid_until = greatest(least(valid_until, $2), valid_from - 1) where id = $1
returning *
"""


async def end_rule(connection: Connection, actor: Actor, rule_id: UUID) -> SubsidyRule:
    """End a rule today; one that has not begun never holds. Contracts registered before keep it.

    Raises:
        Forbidden: no operator. NotFound: there is none.
    """
    _check_operator(actor)
    row = await connection.fetchrow(END_RULE, rule_id, today())
    if row is None:
        raise NotFound(Text("没有这条规则", "No such rule"))
    ended = _rule(row)
    await log.record(connection, actor, "subsidy_rule", rule_id, "end", data={"code": ended.code})
    return ended


def _check_operator(actor: Actor) -> None:
    if not actor.has(Role.OPERATOR, Role.ADMINISTRATOR, Role.SYSTEM):
        raise Forbidden(Text("奖补规则由运营方维护", "Subsidy rules are set by operators"))


async def subsidies_of(connection: Connection, actor: Actor, identifier: UUID) -> Subsidies:
    """What the rules give for a registered contract: each applied or not, with the arithmetic or the reason.

    Raises:
        NotFound: not a contract that the actor may know of.
        OutOfTurn: it is not registered.
    """
    kept = await read(connection, actor, identifier)
    registered_on: date | None = kept.row["registered_on"]
    if registered_on is None or kept.state == "cancelled":
        raise OutOfTurn(
            Text(
                "合同认定登记后才计算奖补；已解除的不再计算",
                "Subsidies are computed for registered contracts that are not cancelled",
            )
        )
    rows = await list_rules(connection)
    sums = kept.sums
    regions = [(party.role, party.region) for party in kept.parties]
    contract = Registered(
        kept.terms.type, kept.terms.currency, sums.turnover, sums.technology_value, registered_on, regions
    )
    given = awards([_as_rule(row) for row in rows], contract)
    return Subsidies(
        contract_id=identifier,
        currency=contract.currency,
        registered_on=registered_on,
        turnover=sums.turnover,
        technology_value=sums.technology_value,
        total=total(given),
        rounding=str(Text("乘积四舍五入到分，再按封顶取小", "products are rounded half up to 0.01, then capped")),
        awards=[
            SubsidyAward(rule=row, applies=each.applies, amount=each.amount, told=str(each.told))
            for row, each in zip(rows, given, strict=True)
        ],
    )


def _as_rule(row: SubsidyRule) -> Rule:
    return Rule(
        row.code, row.recipient, row.basis, row.rate, row.threshold, row.cap, row.currency, row.region,
        frozenset(row.types), row.valid_from, row.valid_until, Text(row.name_zh, row.name_en),
    )  # fmt: skip
