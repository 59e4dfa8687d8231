"""Refusals of this room that a client should tell apart from any other 403."""

from collections.abc import Sequence

from service.errors import FieldProblem, Forbidden
from service.kit.actor import Scope
from service.kit.language import Text

SCOPE_LABELS = {
    Scope.READ: Text("读取", "read"),
    Scope.WRITE: Text("写入", "write"),
    Scope.ADMIN: Text("管理", "admin"),
}


class Suspended(Forbidden):
    """The organization that the caller acts for is suspended."""

    code = "organization_suspended"
    title = Text("单位已停用", "The organization is suspended")

    def __init__(self) -> None:
        super().__init__(
            Text(
                "本单位已被运营方停用，密钥暂不可用；请联系运营方",
                "An operator has suspended your organization, and its keys do not work meanwhile: ask the operator",
            )
        )


class ScopeMissing(Forbidden):
    """The key or membership is not for this."""

    code = "scope_missing"
    title = Text("密钥的权限范围不足", "The key lacks a scope")

    def __init__(self, needed: Scope) -> None:
        super().__init__(
            Text(
                f"此操作需要权限范围 {needed.value}（{SCOPE_LABELS[needed].zh}），请换用带有该范围的密钥",
                f"This takes the scope {needed.value}: use a key that has it",
            )
        )


class NoPerson(Forbidden):
    """The token is good, and its login is nobody's here."""

    code = "login_not_linked"
    title = Text("登录账号尚未关联", "The login is not linked")

    def __init__(self, subject: str) -> None:
        super().__init__(
            Text(
                f"登录账号 {subject} 尚未关联到人员，请管理员通过 POST /v1/people/{{id}}/identities 关联",
                f"The login {subject} is linked to nobody: an administrator links it by POST /v1/people/{{id}}/identities",
            )
        )


class ChooseOrganization(Forbidden):
    """The person belongs to other organizations than the one named, or to several and named none."""

    code = "choose_organization"
    title = Text("需要选择单位", "An organization has to be chosen")

    def __init__(self, choices: Sequence[FieldProblem]) -> None:
        super().__init__(
            Text(
                "请在 X-Organization 请求头中给出以下单位之一的 id" if choices else "您目前不属于任何单位",
                "Send the id of one of these as X-Organization" if choices else "You belong to no organization now",
            ),
            problems=choices,
        )
