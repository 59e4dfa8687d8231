"""The workflow tables. A state changes in no other way than by a row here."""

from service.kit.actor import Role
from service.kit.language import Text
from service.workflows.engine import Relation, Workflow, step, table

OWNER = Relation.OWNER
REVIEWERS = (Role.BROKER, Role.OPERATOR)

NEED = table(
    "need",
    "draft",
    {
        "draft": Text("草稿", "draft"),
        "submitted": Text("已提交", "submitted"),
        "refining": Text("凝练中", "being refined"),
        "published": Text("已发布", "published"),
        "docking": Text("对接中", "docking"),
        "fulfilled": Text("已解决", "fulfilled"),
        "withdrawn": Text("已撤回", "withdrawn"),
        "expired": Text("已过期", "expired"),
    },
    step("submit", "draft", "submitted", (OWNER, *REVIEWERS), "提交", "submit"),
    step("return", "submitted refining", "draft", REVIEWERS, "退回修改", "return for changes"),
    step("refine", "submitted", "refining", REVIEWERS, "开始凝练", "begin to refine"),
    step("publish", "submitted refining", "published", REVIEWERS, "发布", "publish"),
    # By its cases (ADR 0019): in one of them both sides consent, or no more in any.
    step("dock", "published", "docking", (Role.SYSTEM,), "开始对接", "begin docking"),
    step("undock", "docking", "published", (Role.SYSTEM,), "对接结束", "end docking"),
    step("fulfil", "published docking", "fulfilled", (OWNER, *REVIEWERS), "标记为已解决", "mark as fulfilled"),
    step(
        "withdraw",
        "draft submitted refining published docking",
        "withdrawn",
        (OWNER, Role.OPERATOR),
        "撤回",
        "withdraw",
    ),
    step("reopen", "withdrawn expired", "draft", (OWNER, Role.OPERATOR), "重新编辑", "open again"),
    # Not from docking: two who talk would lose sight of each other.
    step("expire", "submitted refining published", "expired", (Role.SYSTEM,), "到期", "expire"),
)

OUTCOME = table(
    "outcome",
    "draft",
    {
        "draft": Text("草稿", "draft"),
        "submitted": Text("已提交", "submitted"),
        "verified": Text("已核验", "verified"),
        "published": Text("已发布", "published"),
        "transferred": Text("已转化", "transferred"),
        "withdrawn": Text("已撤回", "withdrawn"),
        "expired": Text("已过期", "expired"),
    },
    step("submit", "draft", "submitted", (OWNER, *REVIEWERS), "提交", "submit"),
    step("return", "submitted verified", "draft", (Role.OPERATOR,), "退回修改", "return for changes"),
    step("verify", "submitted", "verified", (Role.OPERATOR,), "核验通过", "verify"),
    step("publish", "verified", "published", (OWNER, *REVIEWERS), "发布", "publish"),
    step("transfer", "published", "transferred", (OWNER, Role.OPERATOR), "标记为已转化", "mark as transferred"),
    step("withdraw", "draft submitted verified published", "withdrawn", (OWNER, Role.OPERATOR), "撤回", "withdraw"),
    step("reopen", "withdrawn expired", "draft", (OWNER, Role.OPERATOR), "重新编辑", "open again"),
    step("expire", "submitted verified published", "expired", (Role.SYSTEM,), "到期", "expire"),
)

RECOMMENDATION = table(
    "recommendation",
    "proposed",
    {
        "proposed": Text("待审", "proposed"),
        "accepted": Text("已采纳", "accepted"),
        "declined": Text("已否决", "declined"),
        "snoozed": Text("稍后再看", "snoozed"),
        "superseded": Text("已失效", "superseded"),
    },
    step("accept", "proposed snoozed", "accepted", (Role.BROKER,), "采纳", "accept"),
    step("decline", "proposed snoozed", "declined", (Role.BROKER,), "否决", "decline"),
    step("snooze", "proposed snoozed", "snoozed", (Role.BROKER,), "稍后再看", "snooze"),
    step("undo", "accepted declined snoozed", "proposed", (Role.BROKER,), "撤销决定", "undo the decision"),
    step("wake", "snoozed", "proposed", (Role.SYSTEM,), "到时重现", "wake"),
    step("supersede", "proposed snoozed", "superseded", (Role.SYSTEM,), "失效", "supersede"),
    step("propose", "superseded", "proposed", (Role.SYSTEM,), "重新推荐", "propose again"),
)

ORGANIZATION = table(
    "organization",
    "registered",
    {
        "registered": Text("已登记", "registered"),
        "verified": Text("已核验", "verified"),
        "suspended": Text("已停用", "suspended"),
    },
    step("verify", "registered", "verified", (Role.OPERATOR,), "核验通过", "verify"),
    step("suspend", "registered verified", "suspended", (Role.OPERATOR,), "停用", "suspend"),
    step("restore", "suspended", "verified", (Role.OPERATOR,), "恢复", "restore"),
    # What had not been verified before its suspension does not become so by the end of it.
    step("restore_unverified", "suspended", "registered", (Role.OPERATOR,), "恢复（未核验）", "restore, unverified"),
)

CONTRACT = table(
    "contract",
    "draft",
    {
        "draft": Text("草稿", "draft"),
        "signed": Text("已签订", "signed"),
        "filed": Text("已申报登记", "filed for registration"),
        "registered": Text("已登记", "registered"),
        "rejected": Text("登记未通过", "registration rejected"),
        "settled": Text("已结清", "settled"),
        "changed": Text("登记后已变更", "changed since its registration"),
        "cancelled": Text("已解除", "cancelled"),
    },
    # A party confirms a draft, and later a change that the other side proposed; the change itself is a step of its own.
    step("confirm", "draft", "draft", (OWNER,), "确认", "confirm"),
    step("confirm", "signed", "signed", (OWNER,), "确认变更", "confirm a change"),
    step("confirm", "rejected", "rejected", (OWNER,), "确认变更", "confirm a change"),
    step("confirm", "registered", "registered", (OWNER,), "确认变更", "confirm a change"),
    step("confirm", "changed", "changed", (OWNER,), "确认变更", "confirm a change"),
    step("sign", "draft", "signed", (OWNER, *REVIEWERS), "签订", "sign"),
    step("file", "signed rejected changed", "filed", (OWNER, *REVIEWERS), "申报登记", "file for registration"),
    step("register", "filed", "registered", (Role.OPERATOR,), "登记", "register"),
    step("reject", "filed", "rejected", (Role.OPERATOR,), "登记未通过", "reject"),
    step("change", "signed", "signed", (OWNER, *REVIEWERS), "变更", "change"),
    step("change", "rejected", "rejected", (OWNER, *REVIEWERS), "变更", "change"),
    # What was registered no longer is what holds, and has to be filed again.
    step("change", "registered changed", "changed", (OWNER, *REVIEWERS), "变更", "change"),
    step("settle", "signed rejected registered changed", "settled", (OWNER, Role.OPERATOR), "结清", "settle"),
    step(
        "cancel",
        "draft signed filed rejected registered changed",
        "cancelled",
        (OWNER, Role.OPERATOR),
        "解除",
        "cancel",
    ),
)

CASE = table(
    "case",
    "invited",
    {
        "invited": Text("待双方确认", "invited"),
        "consented": Text("双方已同意", "consented"),
        "consulting": Text("磋商中", "consulting"),
        "negotiating": Text("谈判中", "negotiating"),
        "contracted": Text("已签约", "contracted"),
        "following": Text("跟踪中", "being followed"),
        "closed": Text("已结束", "closed"),
        "lapsed": Text("已失效", "lapsed"),
    },
    # The owner of a case is either side; a broker's steps are those of the case's own broker.
    step("consent", "invited", "consented", (OWNER,), "同意", "consent"),
    step("decline", "invited", "closed", (OWNER,), "谢绝", "decline"),
    # Who withdraws a consent is asked again; a signed contract does not end by it.
    step("withdraw_consent", "consented consulting negotiating", "invited", (OWNER,), "撤回同意", "withdraw a consent"),
    step("consult", "consented", "consulting", (OWNER, *REVIEWERS), "开始磋商", "begin to consult"),
    step("negotiate", "consulting", "negotiating", (OWNER, *REVIEWERS), "开始谈判", "begin to negotiate"),
    # Who had agreed before need not talk once more for the market's sake.
    step(
        "contract", "consented consulting negotiating", "contracted", (OWNER, *REVIEWERS), "签约", "sign the contract"
    ),
    # Neither side is kept in talks; what is signed ends by the contract.
    step("leave", "invited consented consulting negotiating", "closed", (OWNER,), "退出", "leave"),
    step("follow", "contracted", "following", REVIEWERS, "开始跟踪", "begin to follow up"),
    step("close_won", "contracted following", "closed", REVIEWERS, "成功办结", "close as won"),
    step(
        "close_lost",
        "invited consented consulting negotiating contracted following",
        "closed",
        REVIEWERS,
        "终止",
        "close as lost",
    ),
    step("undo", "invited", "closed", REVIEWERS, "撤销推荐", "undo the acceptance"),
    step("lapse", "invited consulting negotiating", "lapsed", (Role.SYSTEM,), "失效", "lapse"),
    step("reopen", "lapsed", "invited", REVIEWERS, "重新启动", "open again"),
    # Where both consents stand still, nobody has to be invited again.
    step("resume", "lapsed", "consented", REVIEWERS, "恢复对接", "resume"),
)

WORKFLOWS: dict[str, Workflow] = {
    workflow.subject: workflow for workflow in (NEED, OUTCOME, RECOMMENDATION, ORGANIZATION, CASE, CONTRACT)
}
