"""Who is told of what, in which words: one row for each kind of event and audience.

A text holds titles only. `{title}` is what the recipient calls the subject or its own side of it, `{other}` the title
of the other side; a title that may not be told is said in general; `{due}` is the end of the term that the event states,
by the market's own clock. No text names an organization or a person.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from service.kit.language import Text
from service.notices.model import Audience, Category, EventType, type_of

LISTING, MATCH, CASE, CONTRACT, REVIEW, ACCOUNT = Category


@dataclass(frozen=True, slots=True)
class Rule:
    """Of an event of this kind this audience is told this; `own` also where the recipient did it itself.

    With `to_state` it holds for events that led there alone. Of several that fit a recipient the first holds.
    """

    subject_kind: str
    action: str
    audience: Audience
    category: Category
    text: Text
    own: bool = False
    to_state: str | None = None


def _listing(kind: str, name: Text, action: str, zh: str, en: str) -> Rule:
    text = Text(f"{name.zh}《{{title}}》{zh}", f"Your {name.en} “{{title}}” {en}")
    return Rule(kind, action, Audience.OWNER, LISTING, text)


def _sides(kind: str, action: str, category: Category, zh: str, en: str, to: str | None = None) -> tuple[Rule, Rule]:
    """Both sides, each told by its own listing and the other's."""
    return (
        Rule(kind, action, Audience.NEED_SIDE, category, to_state=to, text=
             Text(f"需求《{{title}}》与成果《{{other}}》{zh}", f"Need “{{title}}” and outcome “{{other}}”: {en}")),
        Rule(kind, action, Audience.OUTCOME_SIDE, category, to_state=to, text=
             Text(f"成果《{{title}}》与需求《{{other}}》{zh}", f"Outcome “{{title}}” and need “{{other}}”: {en}")),
    )  # fmt: skip


def _broker(kind: str, action: str, category: Category, zh: str, en: str, to: str | None = None) -> Rule:
    """The broker, told by the need's title and the outcome's."""
    text = Text(f"需求《{{title}}》与成果《{{other}}》{zh}", f"Need “{{title}}” and outcome “{{other}}”: {en}")
    return Rule(kind, action, Audience.BROKER, category, text, to_state=to)


def _all(kind: str, action: str, category: Category, zh: str, en: str, to: str | None = None) -> tuple[Rule, ...]:
    return (*_sides(kind, action, category, zh, en, to), _broker(kind, action, category, zh, en, to))


def _case(action: str, audience: Audience, zh: str, en: str) -> Rule:
    """Of a case, by both titles, the recipient's own first."""
    text = Text(f"《{{title}}》与《{{other}}》的对接：{zh}", f"Case “{{title}}” and “{{other}}”: {en}")
    return Rule("case", action, audience, CASE, text)


def _contract(action: str, zh: str, en: str) -> tuple[Rule, ...]:
    """Its parties and the broker of its pair, told by the contract's own title."""
    text = Text(f"技术合同《{{title}}》{zh}", f"Contract “{{title}}” {en}")
    return tuple(Rule("contract", action, each, CONTRACT, text) for each in (Audience.PARTIES, Audience.BROKER))


def _one(
    kind: str, action: str, audience: Audience, category: Category, zh: str, en: str, *, own: bool = False
) -> Rule:
    return Rule(kind, action, audience, category, Text(zh, en), own)


NEED: Final = Text("需求", "need")
OUTCOME: Final = Text("成果", "outcome")
OPERATORS, OWNER, PERSON = Audience.OPERATORS, Audience.OWNER, Audience.PERSON
OTHER_SIDE, BROKER, AWAITED, REVIEWER = Audience.OTHER_SIDE, Audience.BROKER, Audience.AWAITED, Audience.REVIEWER
# fmt: off
RULES: Final[tuple[Rule, ...]] = (
    _one("need", "submit", OPERATORS, REVIEW,
         "需求《{title}》已提交，等待凝练", "Need “{title}” was submitted and waits to be refined"),
    _listing("need", NEED, "return", "已退回修改", "was returned for changes"),
    _listing("need", NEED, "refine", "开始凝练", "is being refined"),
    _listing("need", NEED, "publish", "已发布", "was published"),
    _listing("need", NEED, "dock", "进入对接", "is docking: two sides talk about it"),
    _listing("need", NEED, "undock", "的对接已结束，恢复为已发布", "is published as before: its last case has ended"),
    _listing("need", NEED, "fulfil", "已标记为解决", "was marked as fulfilled"),
    _listing("need", NEED, "withdraw", "已撤回", "was withdrawn"),
    _listing("need", NEED, "expire", "已过期", "has expired"),
    _listing("need", NEED, "reopen", "已重新打开", "was opened again"),
    _listing("need", NEED, "change", "内容已由他人修改，请查看", "was changed by somebody else; please look"),
    _listing("need", NEED, "ask", "有一个问题等待贵方回答", "has a question that waits for your answer"),
    _one("need", "answer", REVIEWER, REVIEW,
         "需求《{title}》的提问已得到回答", "Your question about need “{title}” was answered"),
    _one("need", "agree", REVIEWER, REVIEW,
         "需求《{title}》的发布单位已确认当前版本", "The organization of need “{title}” agreed to its text"),
    _one("need", "assign", REVIEWER, REVIEW, "需求《{title}》已分派给贵方", "Need “{title}” was assigned to you"),
    _one("need", "unassign", REVIEWER, REVIEW, "需求《{title}》不再由贵方承接", "Need “{title}” is not assigned to you any more"),
    _one("outcome", "submit", OPERATORS, REVIEW,
         "成果《{title}》已提交，等待核验", "Outcome “{title}” was submitted and waits to be verified"),
    _listing("outcome", OUTCOME, "return", "已退回修改", "was returned for changes"),
    _listing("outcome", OUTCOME, "verify", "核验通过", "was verified"),
    _listing("outcome", OUTCOME, "publish", "已发布", "was published"),
    _listing("outcome", OUTCOME, "transfer", "已标记为转化", "was marked as transferred"),
    _listing("outcome", OUTCOME, "withdraw", "已撤回", "was withdrawn"),
    _listing("outcome", OUTCOME, "expire", "已过期", "has expired"),
    _listing("outcome", OUTCOME, "reopen", "已重新打开", "was opened again"),
    _listing("outcome", OUTCOME, "change", "内容已由他人修改，请查看", "was changed by somebody else; please look"),
    _listing("outcome", OUTCOME, "ask", "有一个问题等待贵方回答", "has a question that waits for your answer"),
    _one("outcome", "answer", REVIEWER, REVIEW,
         "成果《{title}》的提问已得到回答", "Your question about outcome “{title}” was answered"),
    _one("outcome", "agree", REVIEWER, REVIEW,
         "成果《{title}》的发布单位已确认当前版本", "The organization of outcome “{title}” agreed to its text"),

    *_sides("recommendation", "accept", MATCH,
            "经技术经理人采纳，可表示同意互见", "a broker accepted the pair; you may consent to be introduced"),
    _one("recommendation", "consent", OTHER_SIDE, MATCH,
         "对方已就《{title}》与《{other}》同意互见", "The other side of “{title}” and “{other}” consented to be introduced"),
    _broker("recommendation", "consent", MATCH, "一方已同意互见", "one side consented to be introduced"),
    _one("recommendation", "withdraw_consent", OTHER_SIDE, MATCH,
         "对方撤回了就《{title}》与《{other}》的同意", "The other side of “{title}” and “{other}” withdrew its consent"),
    _broker("recommendation", "withdraw_consent", MATCH, "一方撤回了同意", "one side withdrew its consent"),
    *_sides("recommendation", "open_contacts", MATCH, "的联系方式被查看", "contact data were opened"),

    *_all("case", "open", CASE, "收到对接邀请，请答复", "you are invited to a case; please answer"),
    *_all("case", "consent", CASE, "双方均同意对接，身份互见", "both sides agreed, and know each other from now on", "consented"),
    _case("consent", OTHER_SIDE, "对方已同意", "the other side agreed"),
    _case("consent", BROKER, "一方已同意", "one side agreed"),
    _case("withdraw_consent", OTHER_SIDE, "对方撤回了同意", "the other side withdrew its consent"),
    _case("withdraw_consent", BROKER, "一方撤回了同意", "one side withdrew its consent"),
    _case("decline", OTHER_SIDE, "对方谢绝，对接结束", "the other side declined, and the case is over"),
    _case("decline", BROKER, "一方谢绝，对接结束", "one side declined, and the case is over"),
    _case("leave", OTHER_SIDE, "对方已退出，对接结束", "the other side left, and the case is over"),
    _case("leave", BROKER, "一方已退出，对接结束", "one side left, and the case is over"),
    _case("question", BROKER, "一方在答复前有疑问，等待回复", "one side asks before it answers, and waits for you"),
    _case("remind", AWAITED, "等待贵方办理，期限至 {due}", "it is your turn, until {due}"),
    _case("extend", AWAITED, "贵方的期限已延长", "you have more time"),
    _case("escalate", Audience.ESCALATED, "逾期未办，请跟进", "a term has passed; please follow up"),
    *_all("case", "lapse", CASE, "的对接因逾期失效", "the case lapsed"),
    *_all("case", "reopen", CASE, "的对接重新启动，尚未同意的一方请答复",
          "the case was opened again; a side that has not consented is asked to answer"),
    *_all("case", "resume", CASE, "的对接已恢复", "the case was resumed"),
    *_sides("case", "hand_over", CASE, "的对接改由另一位技术经理人承办", "another broker goes on with the case"),
    _case("hand_over", BROKER, "已移交贵方承办", "the case was handed over to you"),
    _case("hand_over", REVIEWER, "已移交他人承办", "the case was handed over to another broker"),
    *_all("case", "undo", CASE, "的对接邀请已撤销", "the invitation was taken back"),
    *_all("case", "consult", CASE, "进入磋商", "consultation began"),
    *_all("case", "negotiate", CASE, "进入谈判", "negotiation began"),
    *_all("case", "set_terms", CASE, "的合作条件已更新", "the terms of cooperation were changed"),
    *_all("case", "contract", CASE, "已签约", "a contract was made"),
    *_all("case", "follow", CASE, "进入跟踪", "follow-up began"),
    *_all("case", "close", CASE, "的对接已结束", "the case was closed"),
    _case("message", Audience.CHANNEL, "有新消息", "there is a new message"),
    *_all("case", "call_meeting", CASE, "约定了会议", "a meeting was called"),
    *_all("case", "move_meeting", CASE, "的会议已变更", "a meeting was changed"),
    *_all("case", "cancel_meeting", CASE, "的会议已取消", "a meeting was cancelled"),
    *_all("case", "set_milestone", CASE, "设定了里程碑", "a milestone was set"),
    *_all("case", "change_milestone", CASE, "的里程碑已变更", "a milestone was changed"),
    *_all("case", "reach_milestone", CASE, "达到里程碑", "a milestone was reached"),
    _case("ask_follow_up", AWAITED, "请答复跟踪回访", "please answer a follow-up"),
    _case("remind_follow_up", AWAITED, "跟踪回访逾期未答，请答复", "a follow-up is overdue; please answer"),
    _case("answer_follow_up", BROKER, "一方已答复跟踪回访", "one side answered a follow-up"),

    *_contract("create", "已录入草稿，请核对", "was drafted; please check it"),
    *_contract("change_draft", "的草稿已修改，请核对", "has a changed draft; please check it"),
    *_contract("confirm", "已由一方确认", "was confirmed by a party"),
    *_contract("sign", "已签订", "was signed"),
    *_contract("file", "已申报认定登记", "was filed for registration"),
    _one("contract", "file", OPERATORS, REVIEW,
         "技术合同《{title}》已申报认定登记，等待办理", "Contract “{title}” was filed and waits to be registered"),
    *_contract("register", "已认定登记", "was registered"),
    *_contract("reject", "的认定登记未通过", "was rejected for registration"),
    *_contract("propose_change", "有一项变更待确认", "has a change that waits to be confirmed"),
    *_contract("change", "已变更", "was changed"),
    *_contract("receive", "录入了一笔收款", "has a payment entered"),
    *_contract("reverse_receipt", "冲销了一笔收款", "has a payment reversed"),
    *_contract("settle", "已结清", "was settled"),
    *_contract("cancel", "已解除", "was cancelled"),

    _one("organization", "verify", OWNER, ACCOUNT, "本单位已通过核验", "Your organization was verified"),
    _one("organization", "suspend", OWNER, ACCOUNT, "本单位已被停用，请联系运营方", "Your organization was suspended: ask the operator"),
    _one("organization", "restore", OWNER, ACCOUNT, "本单位已恢复", "Your organization was restored"),
    _one("organization", "change", OWNER, ACCOUNT,
         "本单位的资料已由他人修改", "The data of your organization were changed by somebody else"),
    _one("organization", "change_notices", OWNER, ACCOUNT,
         "本单位的通知设置已修改", "How your organization is told was changed", own=True),
    _one("person", "change_notices", PERSON, ACCOUNT, "您的通知设置已修改", "How you are told was changed", own=True),
    # Whoever holds a key acts for the organization, so that it is told of each, its own doing included.
    _one("api_key", "create", OWNER, ACCOUNT, "签发了新的 API 密钥", "An API key was made", own=True),
    _one("api_key", "rotate", OWNER, ACCOUNT, "一个 API 密钥已轮换", "An API key was rotated", own=True),
    _one("api_key", "revoke", OWNER, ACCOUNT, "一个 API 密钥已吊销", "An API key was revoked", own=True),
    _one("api_key", "create", PERSON, ACCOUNT, "签发了以您名义的 API 密钥", "An API key in your name was made", own=True),
    _one("api_key", "rotate", PERSON, ACCOUNT, "以您名义的 API 密钥已轮换", "An API key in your name was rotated", own=True),
    _one("api_key", "revoke", PERSON, ACCOUNT, "以您名义的 API 密钥已吊销", "An API key in your name was revoked", own=True),
    _one("membership", "create", OWNER, ACCOUNT, "本单位新增一名成员", "Your organization has a new member", own=True),
    _one("membership", "change", OWNER, ACCOUNT, "一名成员的权限已变更", "What a member may do was changed", own=True),
    _one("membership", "end", OWNER, ACCOUNT, "一名成员已离开本单位", "A member left your organization", own=True),
    _one("membership", "create", PERSON, ACCOUNT, "您已成为一个单位的成员", "You became a member of an organization"),
    _one("membership", "change", PERSON, ACCOUNT, "您在一个单位的权限已变更", "What you may do for an organization was changed"),
    _one("membership", "end", PERSON, ACCOUNT, "您已不再是一个单位的成员", "You are no longer a member of an organization"),
    _one("person", "link", PERSON, ACCOUNT, "一个登录账号已关联到您", "A login now stands for you", own=True),
    _one("person", "unlink", PERSON, ACCOUNT, "一个登录账号已取消关联", "A login does not stand for you any more", own=True),
    _one("person", "set_password", PERSON, ACCOUNT, "您的密码已设置", "Your password was set", own=True),
    _one("person", "open", PERSON, ACCOUNT, "您的联系方式被管理人员查看", "Your contact data were opened by an operator"),
    _one("person", "correct", PERSON, ACCOUNT, "您的个人资料已更正", "Your personal data were corrected"),
    _one("webhook", "create", OWNER, ACCOUNT, "新增了回调地址", "An endpoint for webhooks was added", own=True),
    _one("webhook", "change", OWNER, ACCOUNT, "一个回调地址已修改", "An endpoint for webhooks was changed", own=True),
    _one("webhook", "rotate", OWNER, ACCOUNT,
         "一个回调地址的签名密钥已轮换", "The secret of an endpoint for webhooks was rotated", own=True),
    _one("webhook", "disable", OWNER, ACCOUNT,
         "一个回调地址因无法送达已停用", "An endpoint for webhooks was disabled, because nothing gets through", own=True),
)
# fmt: on


def _by_type() -> Mapping[EventType, tuple[Rule, ...]]:
    found: dict[EventType, list[Rule]] = defaultdict(list)
    for rule in RULES:
        found[type_of(rule.subject_kind, rule.action)].append(rule)
    return {name: tuple(rules) for name, rules in found.items()}


BY_TYPE: Final = _by_type()
# What an endpoint may ask for. A person has none, so that what persons alone are told is left out.
WEBHOOK_TYPES: Final = {
    name: rules for name, rules in BY_TYPE.items() if any(rule.audience is not PERSON for rule in rules)
}
