"""The columns of import and export files: names in both languages, what people also call them, and how a cell reads."""

import re
import unicodedata
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum, auto
from typing import Literal

ImportKind = Literal["needs", "outcomes", "organizations"]


class Cell(Enum):
    """How a cell is read and written."""

    TEXT = auto()
    LINES = auto()
    WORDS = auto()
    CODE = auto()
    CODES = auto()
    TRL = auto()
    MONEY = auto()
    BOOLEAN = auto()
    DATE = auto()
    RIGHTS = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the field's name, its Chinese heading, other headings that mean it, and its kind of cell."""

    name: str
    zh: str
    also: tuple[str, ...] = ()
    cell: Cell = Cell.TEXT
    codes: str = ""
    required: bool = False


_ORGANIZATION = Column("organization", "单位", ("单位名称", "所属单位", "单位编号", "企业名称", "发布单位"))
_SHARED_HEAD = (
    Column("external_id", "编号", ("外部编号", "序号", "项目编号", "id", "_id")),
    _ORGANIZATION,
)
_SHARED_TEXT = (
    Column("confidential", "保密", ("是否保密",), Cell.BOOLEAN),
    Column("abstract", "公开摘要", ("摘要", "公开简介")),
    Column("indicators", "技术指标", ("指标", "主要技术指标", "指标要求"), Cell.LINES),
    Column("keywords", "关键词", ("关键字", "标签"), Cell.WORDS),
    Column("field", "重点方向", ("领域", "技术领域", "所属领域"), Cell.CODE, "fields"),
    Column("industry", "行业门类", ("行业", "国民经济行业"), Cell.CODE, "industries"),
    Column("region", "所在地", ("地区", "行政区划", "所在地区"), Cell.CODE, "regions"),
    Column("modes", "合作方式", ("合作模式", "转化方式"), Cell.CODES, "modes"),
)
_SHARED_TAIL = (
    Column("currency", "币种"),
    Column("expires_on", "发布截止日期", ("有效期至", "截止日期"), Cell.DATE),
    Column("contact_name", "联系人"),
    Column("contact_phone", "联系电话", ("电话", "手机")),
    Column("contact_email", "电子邮箱", ("邮箱", "email")),
)
NEEDS = (
    *_SHARED_HEAD,
    Column("title", "需求名称", ("标题", "名称", "需求标题", "技术需求名称"), required=True),
    Column("description", "需求内容", ("需求描述", "技术难题", "说明", "text"), Cell.TEXT),
    Column("background", "背景与现状", ("背景", "现状")),
    Column("goals", "预期目标", ("目标",)),
    Column("foundation", "现有工作基础", ("工作基础",)),
    Column("partner_requirements", "对合作方的要求", ("合作方要求",)),
    *_SHARED_TEXT,
    Column("partner_regions", "意向合作地区", (), Cell.CODES, "regions"),
    Column("maturity_min", "最低技术成熟度", ("技术成熟度", "成熟度"), Cell.TRL),
    Column("budget_min", "预算下限", (), Cell.MONEY),
    Column("budget_max", "预算上限", ("预算", "投入预算"), Cell.MONEY),
    Column("budget_negotiable", "预算可面议", (), Cell.BOOLEAN),
    Column("needed_by", "期望解决时间", ("解决期限",), Cell.DATE),
    *_SHARED_TAIL,
)
OUTCOMES = (
    *_SHARED_HEAD,
    Column("title", "成果名称", ("标题", "名称", "成果标题"), required=True),
    Column("description", "成果简介", ("简介", "成果描述", "说明", "text"), Cell.TEXT),
    Column("innovations", "创新点", ("主要创新点",)),
    Column("applications", "应用领域", ("应用场景", "应用领域与场景")),
    Column("prospects", "市场前景", ("效益", "市场前景与效益")),
    *_SHARED_TEXT,
    Column("maturity", "技术成熟度", ("成熟度",), Cell.TRL),
    Column("outcome_type", "成果类型", (), Cell.CODE, "outcome_types"),
    Column("stage", "成果阶段", ("所处阶段", "成果所处阶段"), Cell.CODE, "stages"),
    Column("registration_number", "登记号", ("成果登记号",)),
    Column("funding_source", "课题来源", (), Cell.CODE, "funding_sources"),
    Column("funding_project", "计划项目", ("计划项目名称",)),
    Column("publicly_funded", "财政资金支持", ("是否财政资金支持",), Cell.BOOLEAN),
    Column("ip_rights", "知识产权", ("专利",), Cell.RIGHTS),
    Column("awards", "获奖情况", ("奖励",), Cell.LINES),
    Column("completed_on", "完成日期", ("完成时间",), Cell.DATE),
    Column("price_min", "报价下限", (), Cell.MONEY),
    Column("price_max", "报价上限", ("报价", "转让价格"), Cell.MONEY),
    Column("price_negotiable", "价格可面议", (), Cell.BOOLEAN),
    Column("team", "完成人", ("团队", "主要完成人")),
    *_SHARED_TAIL,
)
ORGANIZATIONS = (
    Column("external_id", "编号", ("外部编号", "id")),
    Column("name", "单位名称", ("名称", "单位"), required=True),
    Column("name_en", "英文名称"),
    Column("kind", "单位类型", ("类型",), Cell.CODE, "organization_kinds", required=True),
    Column("credit_code", "统一社会信用代码", ("信用代码",)),
    Column("region", "所在地", ("地区", "行政区划"), Cell.CODE, "regions"),
    Column("website", "网站", ("网址",)),
    Column("introduction", "简介", ("单位简介",)),
)
COLUMNS: dict[ImportKind, tuple[Column, ...]] = {"needs": NEEDS, "outcomes": OUTCOMES, "organizations": ORGANIZATIONS}

_NOTE = re.compile(r"[（(【\[].*?[）)】\]]|[*＊:：\s_\-]")


def fold_heading(heading: str) -> str:
    """A heading as it is compared: without notes in brackets, spaces, marks of obligation, case and width.

    >>> fold_heading("需求名称 *（必填）"), fold_heading("Budget_Max")
    ('需求名称', 'budgetmax')
    """
    return _NOTE.sub("", unicodedata.normalize("NFKC", heading)).casefold()


def headings(kind: ImportKind) -> dict[str, Column]:
    """Every heading that means a column, folded. Names win over labels, labels over what people also say."""
    known: dict[str, Column] = {}
    columns = COLUMNS[kind]
    for names in (lambda c: (c.name,), lambda c: (c.zh,), lambda c: c.also):
        for column in columns:
            for name in names(column):
                known.setdefault(fold_heading(name), column)
    return known


def nearest_heading(heading: str, kind: ImportKind) -> str | None:
    """The known heading most like an unknown one."""
    known = headings(kind)
    found = get_close_matches(fold_heading(heading), known, n=1, cutoff=0.5)
    return known[found[0]].zh if found else None
