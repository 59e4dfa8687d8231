"""Why an organization's outcomes were declined, and what would help."""

from datetime import date, datetime, time, timedelta
from itertools import groupby
from uuid import UUID

from service.errors import FieldProblem, ValidationProblem
from service.kit.clock import MARKET_ZONE, today
from service.kit.db import Connection, Row
from service.kit.language import Text, current_language
from service.kit.pages import decode_id, encode_cursor
from service.review import repository
from service.review.advice import HELPS
from service.review.schemas import DeclinedFor, DeclineDigest, DeclinesOfOutcome
from service.taxonomy.schemas import DeclineCode

USUAL_DAYS = 90
# Nothing was declined before, and calendars end not far behind.
FIRST, LAST = date(2000, 1, 1), date(2999, 12, 31)


async def declines(
    connection: Connection, since: date | None, until: date | None, *, limit: int, cursor: str | None
) -> DeclineDigest:
    """Declines of the acting organization's outcomes from `since` to the end of `until`, of the last 90 days unless asked.

    Decisions that were undone are not among them. The database knows who acts, and tells no more than outcome, code, text and
    time, so that neither a need nor its organization can get in here.

    Raises:
        ValidationProblem: the period is none, or the cursor is not of this list.
    """
    last = until or today()
    for name, day in (("since", since), ("until", until)):
        if day is not None and not FIRST <= day <= LAST:
            text = Text(f"应在 {FIRST} 至 {LAST} 之间", f"Must lie between {FIRST} and {LAST}")
            raise ValidationProblem([FieldProblem(name, "date_range", text)])
    first = since or last - timedelta(days=USUAL_DAYS)
    if first > last:
        text = Text("开始日期不得晚于结束日期", "Must not be later than until")
        raise ValidationProblem([FieldProblem("since", "range_order", text)])
    before = decode_id(cursor)
    begin, end = _midnight(first), _midnight(last + timedelta(days=1))
    rows = await repository.declines(connection, begin, end, before, limit + 1)
    outcomes = [
        _of_outcome(identifier, list(of_one)) for identifier, of_one in groupby(rows, key=lambda row: row["outcome_id"])
    ]
    more = encode_cursor(str(outcomes[limit - 1].outcome_id)) if len(outcomes) > limit else None
    return DeclineDigest(since=begin, until=end, items=outcomes[:limit], next=more)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), MARKET_ZONE)


def _of_outcome(identifier: UUID, rows: list[Row]) -> DeclinesOfOutcome:
    language = current_language.get()
    return DeclinesOfOutcome(
        outcome_id=identifier,
        title=rows[0]["title"],
        times=sum(row["times"] for row in rows),
        reasons=[
            DeclinedFor(
                code=row["code"],
                label=row[language],
                times=row["times"],
                last_at=row["last_at"],
                told=row["told"],
                helps=str(HELPS[DeclineCode(row["code"])]),
            )
            for row in rows
        ],
    )
