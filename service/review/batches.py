"""Many decisions in one request: all or nothing, unless the caller wants what can be had."""

from service.errors import FieldProblem, Forbidden, ServiceError, ValidationProblem
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.etag import etag
from service.kit.http import ProblemField
from service.kit.language import Text
from service.matches import decisions
from service.matches.decisions import Asked
from service.matches.schemas import Decision, DecisionRequest
from service.review.schemas import BatchAnswer, BatchDecision, BatchItem, BatchRequest
from service.review.service import DECIDERS
from service.settings import Settings


class BatchRefused(ServiceError):
    """Nothing was decided, because something of it could not be."""

    status = 409
    code = "batch_refused"
    title = Text("未作出任何决定", "Nothing was decided")


async def decide(connection: Connection, actor: Actor, request: BatchRequest, settings: Settings) -> BatchAnswer:
    """Make decisions in the caller's transaction, in the order in which they were sent.

    Raises:
        Forbidden: the actor decides on no pairs.
        ValidationProblem, BatchRefused: something could not be decided and `partial` was not asked for; each is named by
            its place. Whoever called undoes the transaction, so that nothing is half done.
    """
    if not actor.has(*DECIDERS):
        raise Forbidden(Text("审阅推荐需要技术经理人密钥", "Deciding on pairs takes a broker's key"))
    answers = await decisions.decide_many(connection, actor, [_asked(each) for each in request.decisions], settings)
    problems = [
        problem
        for place, answer in enumerate(answers)
        if isinstance(answer, ServiceError)
        for problem in _problems(place, answer)
    ]
    if problems and not request.partial:
        if all(isinstance(answer, ValidationProblem) for answer in answers if isinstance(answer, ServiceError)):
            raise ValidationProblem(problems)
        raise BatchRefused(
            Text(
                f"共 {len(problems)} 处不能执行，已全部撤回；改正后重新提交，或以 partial 只执行可行的",
                f"{len(problems)} cannot be decided, so none was: correct them, or send partial for those that can be",
            ),
            problems=problems,
        )
    items = [
        _item(place, asked, answer)
        for place, (asked, answer) in enumerate(zip(request.decisions, answers, strict=True))
    ]
    return BatchAnswer(decided=sum(item.decision is not None for item in items), items=items)


def _asked(each: BatchDecision) -> Asked:
    content = DecisionRequest.model_construct(**{name: getattr(each, name) for name in DecisionRequest.model_fields})
    return Asked(each.recommendation_id, content, etag(each.version) if each.version is not None else None)


def _problems(place: int, error: ServiceError) -> list[FieldProblem]:
    """The problems of one decision, under its place in the request."""
    at = f"decisions.{place}"
    if error.problems:
        return [FieldProblem(f"{at}.{each.field}", each.rule, each.message) for each in error.problems]
    return [FieldProblem(at, error.code, error.detail or error.title)]


def _item(place: int, asked: BatchDecision, answer: Decision | ServiceError) -> BatchItem:
    if not isinstance(answer, ServiceError):
        return BatchItem(recommendation_id=asked.recommendation_id, decision=answer, problem=None)
    first = _problems(place, answer)[0]
    told = ProblemField(field=first.field, rule=first.rule, message=str(first.message))
    return BatchItem(recommendation_id=asked.recommendation_id, decision=None, problem=told)
