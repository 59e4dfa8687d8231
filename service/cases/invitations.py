"""Both sides of a case answer their invitation: what a consent, its withdrawal, a no and a question make of the case.

A yes is a consent of the pair (`service.matches.consents`), whichever endpoint gives it; the functions `consented` and
`withdrew` are called there, in its transaction. This module knows nothing of the room of matches.
"""

from datetime import datetime
from uuid import UUID

from service.cases import docking, message_repository, repository, steps, waits
from service.cases.records import ENDED, SIDES, Case, Party
from service.errors import OutOfTurn
from service.events import log
from service.kit import clock
from service.kit.actor import Actor
from service.kit.db import Connection
from service.kit.language import Text
from service.settings import Settings

OVER = Text(
    "该对接已结束或失效：请技术经理人重新启动后再表示同意",
    "The case is closed or lapsed: a broker has to open it again before a side can consent",
)
NOT_INVITED = Text(
    "本方当前没有待答复的邀请；要退出已同意的对接，请用 POST /v1/cases/{id}/leave",
    "Your side has no invitation to answer now; to end your part in a case that you agreed to: POST /v1/cases/{id}/leave",
)
ASKED_ALREADY = Text("本方的提问正待技术经理人回复", "Your side has a question that the broker has not answered yet")


async def consented(
    connection: Connection,
    actor: Actor,
    recommendation_id: UUID,
    side: Party,
    consenting: frozenset[Party],
    settings: Settings,
) -> None:
    """A side consented; `consenting` are the sides that do now. A pair without a case leaves everything as it is.

    Raises:
        OutOfTurn: the pair's case has ended.
    """
    case = await repository.lock_latest(connection, recommendation_id)
    if case is None:
        return
    if case.state in ENDED:
        raise OutOfTurn(OVER)
    moment = clock.now()
    after = case
    if case.state == "invited":
        await waits.answer(connection, case, side, moment)
        await waits.answer_question(connection, case, side, moment)
        if consenting == frozenset(SIDES):
            after = await steps.take(connection, actor, case, "consent", moment)
            await waits.enter(connection, after, moment, settings)
    await _record(connection, actor, case, after, "consent", side)


async def withdrew(
    connection: Connection,
    actor: Actor,
    recommendation_id: UUID,
    side: Party,
    consenting: frozenset[Party],
    settings: Settings,
) -> None:
    """A side withdrew its consent: before a contract the case goes back and awaits it; a contract stands."""
    case = await repository.lock_latest(connection, recommendation_id)
    if case is None or case.state in ENDED:
        return
    moment = clock.now()
    after = case
    if case.state == "invited":
        await waits.invite(connection, case, [side], moment, settings, asked=False)
    elif case.state in ("consented", "consulting", "negotiating"):
        after = await steps.take(connection, actor, case, "withdraw_consent", moment)
        await waits.enter(connection, after, moment, settings, consenting, asked=False)
    await _record(connection, actor, case, after, "withdraw_consent", side)


async def decline(connection: Connection, actor: Actor, case: Case, side: Party, code: str, note: str | None) -> Case:
    """A side says no, with a code: the case is over. The note goes to the broker.

    Raises:
        OutOfTurn: the case invites nobody any more, or the side has consented.
    """
    moment = clock.now()
    await _check_invited(connection, case, side, asking=True)
    if note:
        await message_repository.insert(connection, actor, case.id, side, side, note, moment)
    await waits.answer(connection, case, side, moment)
    after = await steps.take(connection, actor, case, "decline", moment, closed_as="lost", code=code)
    await waits.end(connection, after, moment)
    await _record(connection, actor, case, after, "decline", side, code)
    return after


async def question(
    connection: Connection, actor: Actor, case: Case, side: Party, text: str, settings: Settings
) -> Case:
    """A side asks the broker before it decides. Its invitation rests meanwhile, and begins anew with the broker's answer.

    Raises:
        OutOfTurn: the side is not invited, or has asked already.
    """
    moment = clock.now()
    await _check_invited(connection, case, side, asking=False)
    await message_repository.insert(connection, actor, case.id, side, side, text, moment)
    await waits.answer(connection, case, side, moment)
    await waits.begin(connection, case, Party.BROKER, "question", moment, settings, about=side)
    await _record(connection, actor, case, case, "question", side)
    return case


async def answer_question(connection: Connection, case: Case, side: Party, at: datetime, settings: Settings) -> bool:
    """The broker wrote to a side: where that answers its question, the side is invited again. Whether it did."""
    if case.state != "invited" or not await waits.answer_question(connection, case, side, at):
        return False
    await waits.invite(connection, case, [side], at, settings)
    return True


async def _check_invited(connection: Connection, case: Case, side: Party, *, asking: bool) -> None:
    """That the side's answer is awaited, or, if `asking` is enough, the broker's answer to it."""
    found = await repository.open_waits(connection, [case.id])
    invited = any(wait.party is side and wait.what == "invitation" for wait in found)
    asked = any(wait.about is side for wait in found)
    if asked and not asking:
        raise OutOfTurn(ASKED_ALREADY)
    if not (invited or asked):
        raise OutOfTurn(NOT_INVITED)


async def _record(
    connection: Connection, actor: Actor, before: Case, after: Case, action: str, side: Party, code: str | None = None
) -> None:
    data = {"side": side} | ({"code": code} if code else {})
    await log.record(
        connection, actor, "case", after.id, action, from_state=before.state, to_state=after.state, data=data
    )
    await docking.follow(connection, actor, before, after)
