"""A refusal of the engine as the answer that the caller gets."""

from service.errors import Forbidden, OutOfTurn, ServiceError
from service.kit.actor import Role
from service.kit.language import Text
from service.workflows.engine import Refusal, RefusalKind, Relation, Workflow

PARTY_LABELS = {
    Relation.OWNER: Text("发布单位", "the listing's organization"),
    Role.ENTERPRISE: Text("企业", "an enterprise"),
    Role.PROVIDER: Text("成果提供方", "a provider"),
    Role.BROKER: Text("技术经理人", "a broker"),
    Role.OPERATOR: Text("运营方", "an operator"),
    Role.AUTHORITY: Text("科技主管部门", "an authority"),
    Role.ADMINISTRATOR: Text("管理员", "an administrator"),
    Role.SYSTEM: Text("系统", "the service itself"),
}


def as_error(workflow: Workflow, refusal: Refusal) -> ServiceError:
    """403 for the wrong actor, 409 for the wrong state or time, each with the way out."""
    if refusal.kind is RefusalKind.WRONG_ACTOR:
        labels = sorted((PARTY_LABELS[party] for party in refusal.parties), key=lambda text: text.en)
        return Forbidden(
            Text(
                f"此操作只能由以下角色执行：{'、'.join(label.zh for label in labels)}",
                f"Only {' or '.join(label.en for label in labels)} may do this",
            )
        )
    sources = [workflow.labels[state] for state in sorted(refusal.allowed_from)]
    return OutOfTurn(
        Text(
            f"当前状态为“{workflow.labels[refusal.state].zh}”，只有{'、'.join(f'“{s.zh}”' for s in sources)}状态可以执行此操作",
            f"The state is “{workflow.labels[refusal.state].en}”; this needs {' or '.join(f'“{s.en}”' for s in sources)}",
        )
    )
