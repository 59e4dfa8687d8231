"""Subsidy rules over HTTP."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from service.access.dependencies import Tx
from service.access.routes import Route
from service.contracts import subsidy_rules
from service.contracts.subsidy_rules import SubsidyRule, SubsidyRuleContent
from service.kit.http import problems

router = APIRouter(prefix="/subsidy-rules", tags=["contracts"], route_class=Route)


@router.get("", summary="List subsidy rules / 奖补规则", responses=problems())
async def list_subsidy_rules(
    tx: Tx,
    on: Annotated[date | None, Query(description="Only those that hold on this day / 指定日期有效的规则")] = None,
) -> list[SubsidyRule]:
    """Every version of every rule, by code and day."""
    return await subsidy_rules.list_rules(tx.connection, on)


@router.post("", status_code=201, summary="Set a subsidy rule / 设置奖补规则", responses=problems(403, 409))
async def create_subsidy_rule(tx: Tx, content: SubsidyRuleContent) -> SubsidyRule:
    """Set a rule, or a new version of it, from a day on; the version before ends the day before."""
    return await subsidy_rules.set_rule(tx.connection, tx.actor, content)


@router.delete("/{rule_id}", summary="End a subsidy rule / 终止奖补规则", responses=problems(403, 404))
async def end_subsidy_rule(tx: Tx, rule_id: UUID) -> SubsidyRule:
    """Let a rule hold until today; what was registered before keeps it."""
    return await subsidy_rules.end_rule(tx.connection, tx.actor, rule_id)
