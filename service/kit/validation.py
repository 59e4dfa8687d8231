"""Pydantic's findings as field problems that say what to do, in both languages."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from service.errors import FieldProblem
from service.kit.language import Text

Context = Mapping[str, Any]

# One line for each rule that the schemas use; tests walk the schemas and fail where a rule has no line.
MESSAGES: dict[str, Callable[[Context], Text]] = {
    "missing": lambda _: Text("必填", "Required"),
    "extra_forbidden": lambda _: Text("没有这个字段，请检查名称", "There is no such field: check its name"),
    "string_type": lambda _: Text("应为文字", "Must be a text"),
    "string_too_short": lambda c: Text(f"至少 {c['min_length']} 个字符", f"At least {c['min_length']} characters"),
    "string_too_long": lambda c: Text(f"最多 {c['max_length']} 个字符", f"At most {c['max_length']} characters"),
    "string_pattern_mismatch": lambda c: _pattern(str(c["pattern"])),
    "enum": lambda c: _one_of(str(c["expected"])),
    "literal_error": lambda c: _one_of(str(c["expected"])),
    "int_type": lambda _: Text("应为整数", "Must be a whole number"),
    "int_parsing": lambda _: Text("应为整数", "Must be a whole number"),
    "int_from_float": lambda _: Text("应为整数，不能有小数", "Must be a whole number, without decimals"),
    "greater_than_equal": lambda c: Text(f"不得小于 {c['ge']}", f"At least {c['ge']}"),
    "greater_than": lambda c: Text(f"必须大于 {c['gt']}", f"More than {c['gt']}"),
    "less_than_equal": lambda c: Text(f"不得大于 {c['le']}", f"At most {c['le']}"),
    "less_than": lambda c: Text(f"必须小于 {c['lt']}", f"Less than {c['lt']}"),
    "decimal_type": lambda _: Text("应为数字", "Must be a number"),
    "decimal_parsing": lambda _: Text(
        "应为数字，例如 120000 或 120000.50", "Must be a number, such as 120000 or 120000.50"
    ),
    "decimal_max_places": lambda c: Text(
        f"最多 {c['decimal_places']} 位小数", f"At most {c['decimal_places']} decimals"
    ),
    "decimal_max_digits": lambda c: Text(f"最多 {c['max_digits']} 位数字", f"At most {c['max_digits']} digits"),
    "decimal_whole_digits": lambda c: Text(
        f"整数部分最多 {c['whole_digits']} 位", f"At most {c['whole_digits']} digits before the point"
    ),
    "finite_number": lambda _: Text("应为有限的数字", "Must be a finite number"),
    "float_type": lambda _: Text("应为数字", "Must be a number"),
    "float_parsing": lambda _: Text("应为数字", "Must be a number"),
    "bool_type": lambda _: Text("应为 true 或 false", "Must be true or false"),
    "bool_parsing": lambda _: Text("应为 true 或 false", "Must be true or false"),
    "date_type": lambda _: Text("应为日期，例如 2027-06-30", "Must be a date, such as 2027-06-30"),
    "date_parsing": lambda _: Text("应为日期，例如 2027-06-30", "Must be a date, such as 2027-06-30"),
    "date_from_datetime_parsing": lambda _: Text("应为日期，例如 2027-06-30", "Must be a date, such as 2027-06-30"),
    "date_from_datetime_inexact": lambda _: Text("应为日期，不带时刻", "Must be a date without a time of day"),
    "datetime_type": lambda _: Text(
        "应为带时区的时间，例如 2027-06-30T18:00:00+08:00", "Must be a time such as 2027-06-30T18:00:00+08:00"
    ),
    "datetime_parsing": lambda _: Text(
        "应为带时区的时间，例如 2027-06-30T18:00:00+08:00", "Must be a time such as 2027-06-30T18:00:00+08:00"
    ),
    "datetime_from_date_parsing": lambda _: Text(
        "应为带时区的时间，例如 2027-06-30T18:00:00+08:00", "Must be a time such as 2027-06-30T18:00:00+08:00"
    ),
    "timezone_aware": lambda _: Text("时间必须带时区，例如 +08:00", "The time must carry a zone, such as +08:00"),
    "instant_range": lambda c: Text(
        f"年份应在 {c['first']} 至 {c['last']} 之间", f"The year must lie between {c['first']} and {c['last']}"
    ),
    "list_type": lambda _: Text("应为列表", "Must be a list"),
    "too_long": lambda c: Text(f"最多 {c['max_length']} 项", f"At most {c['max_length']} entries"),
    "too_short": lambda c: Text(f"至少 {c['min_length']} 项", f"At least {c['min_length']} entries"),
    "model_type": lambda _: Text("应为 JSON 对象", "Must be a JSON object"),
    "model_attributes_type": lambda _: Text("应为 JSON 对象", "Must be a JSON object"),
    "dict_type": lambda _: Text("应为 JSON 对象", "Must be a JSON object"),
    "uuid_type": lambda _: Text("应为 UUID", "Must be a UUID"),
    "uuid_parsing": lambda _: Text("应为 UUID，例如 01890a5d-ac96-774b-bcce-b302099a8057", "Must be a UUID"),
    "json_invalid": lambda _: Text("不是有效的 JSON", "Not valid JSON"),
    "range_order": lambda c: Text(f"{c['low']} 不得大于 {c['high']}", f"{c['low']} must not exceed {c['high']}"),
    "code_with_decline": lambda _: Text(
        "否决（decline）必须给出原因代码 code，其他操作不带 code", "decline needs a code, and only decline takes one"
    ),
    "told_when_declined": lambda _: Text(
        "to_provider 随否决（decline）告知成果方，其他操作不带", "to_provider goes with decline, and only with it"
    ),
    "until_with_snooze": lambda _: Text(
        "稍后再看（snooze）必须给出 snoozed_until，其他操作不带", "snooze needs snoozed_until, and only snooze takes it"
    ),
    "deadline_of_need": lambda _: Text(
        "needed_by 是需求的期限，查找需求（looking_for 为 needs）时不带",
        "needed_by is a need's deadline: leave it out when you look for needs",
    ),
    "credit_code_form": lambda _: Text(
        "应为 18 位统一社会信用代码（GB 32100）：数字和大写字母，不含 I、O、S、V、Z，第 3–8 位为数字",
        "Must be a unified social credit code (GB 32100): 18 digits and capitals without I, O, S, V, Z, the 3rd to 8th digits",
    ),
    "credit_code_check": lambda _: Text(
        "校验码与前 17 位不符（GB 32100），请核对是否有误写",
        "The check character does not fit the first 17 (GB 32100): look for a mistyped character",
    ),
    "union_tag_invalid": lambda c: _one_of(str(c["expected_tags"])),
    "union_tag_not_found": lambda c: Text(f"缺少 {c['discriminator']}", f"{c['discriminator']} is missing"),
    "party_named_once": lambda _: Text(
        "平台内单位填 organization_id，平台外单位填 name，二者必填其一",
        "Give organization_id, or name for one from outside",
    ),
    "party_taken_over": lambda _: Text(
        "平台内单位的代码和地区取自其资料，请去掉 credit_code 和 region",
        "Code and region come from the organization: leave them out",
    ),
    "instalments_add_up": lambda c: Text(
        f"各期合计 {c['added']} 与总额 {c['total']} 不符",
        f"The parts add up to {c['added']}, the total is {c['total']}",
    ),
    "development_form": lambda _: Text(
        "技术开发合同须填 development_form（委托或合作开发），其他类型不填",
        "A development contract needs development_form, and only one takes it",
    ),
    "contract_origin": lambda _: Text(
        "recommendation_id、case_id、origin_reason 须且只须填一项",
        "Give one of recommendation_id, case_id, origin_reason",
    ),
    "two_sides": lambda _: Text("合同须有买方和卖方", "A contract has a buyer and a seller"),
    "purpose_with_yes": lambda _: Text(
        "同意（yes）必须写明目的 purpose，其他答复不带", "A yes needs a purpose, and only a yes takes one"
    ),
    "code_with_no": lambda _: Text(
        "谢绝（no）必须给出原因代码 code，其他答复不带", "A no needs a code, and only a no takes one"
    ),
    "text_with_question": lambda _: Text("提问时请在 text 中写明问题", "A question needs its text"),
    "text_with_other": lambda _: Text("原因为“其他”时请在 text 中说明", "The code other needs a text"),
    "no_text_with_yes": lambda _: Text(
        "同意时不带 text，要说的话请写在目的 purpose 中或另发消息",
        "A yes takes no text: say it in the purpose, or send a message",
    ),
    "code_of_closing": lambda c: Text(f"原因代码应为其中之一：{c['codes']}", f"The code is one of: {c['codes']}"),
    "amount_with_paid": lambda _: Text("有收益（paid）时才填金额 amount", "An amount goes with paid, and only with it"),
    "meeting_order": lambda _: Text("结束时间必须晚于开始时间", "A meeting ends after it begins"),
    "note_with_other": lambda _: Text("原因为“其他”时请在 note 中说明", "The code other needs a note"),
}

# Rules over several fields that ask for a change of one: that one is named, and not the object that holds them.
NAMED: dict[str, str] = {
    "code_with_decline": "code",
    "told_when_declined": "to_provider",
    "until_with_snooze": "snoozed_until",
    "deadline_of_need": "needed_by",
    "development_form": "development_form",
    "purpose_with_yes": "purpose",
    "code_with_no": "code",
    "text_with_question": "text",
    "text_with_other": "text",
    "no_text_with_yes": "text",
    "code_of_closing": "code",
    "note_with_other": "note",
    "amount_with_paid": "amount",
    "meeting_order": "ends_at",
}

PATTERNS: dict[str, Text] = {
    r"^\d{6}$": Text("应为六位行政区划代码，例如 640100", "Must be a six-digit code of GB/T 2260, such as 640100"),
    "^[A-T]$": Text("应为国民经济行业门类字母 A–T", "Must be a section letter of GB/T 4754, A to T"),
    "^[A-Z]{3}$": Text("应为三位货币代码，例如 CNY", "Must be a currency code, such as CNY"),
    r"^[^@\s]+@[^@\s]+\.[^@\s]+$": Text("应为电子邮箱，例如 name@example.com", "Must be an e-mail address"),
    r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]+$": Text(
        "应为一个电子邮箱，例如 name@example.com", "Must be one e-mail address"
    ),
    r"^[0-9+()（）\-— .转ext]{5,40}$": Text(
        "应为电话号码，例如 0951-0000000", "Must be a telephone number, such as +86 951 0000000"
    ),
    r"^https?://[^\s<>\"]{3,500}$": Text(
        "应为以 http:// 或 https:// 开头的网址", "Must be an address that begins with http:// or https://"
    ),
    "^[a-z][a-z0-9_]{1,63}$": Text(
        "应为代码，例如 goji，可查 GET /v1/taxonomy", "Must be a code such as goji; see GET /v1/taxonomy"
    ),
    r"^[0-9A-Za-z\-]{4,40}$": Text("应为 4–40 位数字、字母或连字符", "Must be 4 to 40 digits, letters or hyphens"),
    r"^(\d{2}|\d{4}|\d{6})?$": Text(
        "应为两位、四位或六位行政区划代码前缀，或留空", "Must be two, four or six digits of a region's code, or empty"
    ),
    "^(zh|en|ar)$": Text("应为 zh、en 或 ar", "Must be zh, en or ar"),
}


def _one_of(expected: str) -> Text:
    """What pydantic lists as 'a', 'b' or 'c'."""
    return Text(f"应为其中之一：{expected.replace(' or ', '、').replace(', ', '、')}", f"Must be one of: {expected}")


def _pattern(pattern: str) -> Text:
    return PATTERNS.get(pattern, Text(f"格式应符合 {pattern}", f"Must match {pattern}"))


def problem_of(error: ErrorDetails, *, skip: int = 0) -> FieldProblem:
    """One finding; `skip` drops leading parts of the path that the caller did not write ("body", "query")."""
    rule = error["type"]
    named = (NAMED[rule],) if rule in NAMED else ()
    path = ".".join(str(part) for part in (*error["loc"][skip:], *named)) or "body"
    if rule in ("too_short", "too_long") and isinstance(error["input"], str):
        # Said of a text whose length is checked after it was tidied up; "entries" would be the wrong word.
        rule = f"string_{rule}"
    message = MESSAGES.get(rule)
    text = message(error.get("ctx", {})) if message else Text(f"不符合规则：{error['msg']}", error["msg"])
    return FieldProblem(path, rule, text)


def problems_of(errors: Iterable[ErrorDetails], *, skip: int = 0) -> list[FieldProblem]:
    """Every finding, in the order found."""
    return [problem_of(error, skip=skip) for error in errors]
