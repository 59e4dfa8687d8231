"""Postings packed by term: which outcomes have a term and with which weight, read as arrays.

A query of a hundred terms meets about three postings an outcome, and an outcome has about 140 terms: scoring a term at
a time (Turtle and Flood 1995) touches a fiftieth of what a scan of all outcomes' terms does. Rows are packed in segments
by their number; what was written since is scanned as it is. A packed weight has eleven bits, so scores from here choose
what is scored exactly, and `Scores.best` says how high what was not chosen could come.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.index import Connection
from matching.index import vocabulary as lexicon
from matching.types import Kind

PLACE = np.dtype("<u2")
WEIGHT = np.dtype("<f2")
NUMBER = np.dtype("<i4")
# A weight in half precision is off by at most one part in 2^11; a sum of positive parts is off by no more.
ROUNDING = 2.0**-11
# What lies unpacked is scanned at every query: a thousand rows take about a millisecond.
LEAST_PACKED = 1_000
# Places are of two bytes, and a segment is put together in memory: about 100 MB at 140 terms a text.
MOST_PACKED = 32_768
READ_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of packed rows by number, in no order; `packed_to` is the last packed number."""

    packed_to: int
    numbers: NDArray[np.int32]
    values: NDArray[np.float64]

    def best(self, count: int) -> tuple[list[int], float]:
        """The numbers of the best, and the greatest exact score that any other packed row can have.

        >>> Scores(9, np.array([3, 5, 9]), np.array([0.5, 2.0, 1.0])).best(2)[0]
        [5, 9]
        """
        if count >= len(self.values):
            return self.numbers.tolist(), 0.0
        order = np.argpartition(-self.values, count)
        return self.numbers[order[:count]].tolist(), float(self.values[order[count]]) * (1 + 2 * ROUNDING)


# One statement, so that segments that are just being joined are seen either before or after. A row without a term holds
# the numbers of a segment.
READ = """
select after as segment, last, null::integer as term, numbers as places, null::bytea as weights
from match_segment where kind = $1
union all
select segment, null, term, places, match_posting.weights
from match_segment join match_posting on match_posting.kind = match_segment.kind and segment = after
where match_segment.kind = $1 and term = any ($2)
"""


async def score(connection: Connection, kind: Kind, query: dict[int, float]) -> Scores:
    """Score every packed row of a kind that has a term of the query: weights by term number."""
    rows = await connection.fetch(READ, kind, list(query))
    segments = [row for row in rows if row["term"] is None]
    packed = [row for row in rows if row["term"] is not None]
    packed_to = max((row["last"] for row in segments), default=0)
    numbers = np.frombuffer(b"".join(row["places"] for row in segments), dtype=NUMBER)
    # Where each segment's rows begin among all.
    sizes = [len(row["places"]) // NUMBER.itemsize for row in segments]
    begins = dict(zip((row["segment"] for row in segments), np.cumsum([0, *sizes[:-1]]), strict=True)) if sizes else {}
    lengths = [len(row["places"]) // PLACE.itemsize for row in packed]
    places = np.frombuffer(b"".join(row["places"] for row in packed), dtype=PLACE).astype(np.intp)
    places += np.repeat(np.array([begins[row["segment"]] for row in packed], dtype=np.intp), lengths)
    weights = np.frombuffer(b"".join(row["weights"] for row in packed), dtype=WEIGHT).astype(np.float64)
    weights *= np.repeat(np.array([query[row["term"]] for row in packed], dtype=np.float64), lengths)
    sums = np.asarray(np.bincount(places, weights), dtype=np.float64)
    met = np.flatnonzero(sums)
    return Scores(packed_to, numbers[met], sums[met])


LAST_NUMBER = "select coalesce(max(number), 0) from match_lexeme where kind = $1"


async def last_number(connection: Connection, kind: Kind) -> int:
    """The last number up to which nothing is under way: who gives numbers holds the lexicon until it commits.

    In a transaction of its own, since nobody writes until it ends.
    """
    await lexicon.lock_lexicon(connection)
    found: int = await connection.fetchval(LAST_NUMBER, kind)
    return found


TAKE_PACKING = "select pg_try_advisory_xact_lock(7236871)"
SEGMENTS = """
select after, last, octet_length(numbers) / 4 as documents,
       (select count(*) from match_lexeme where match_lexeme.kind = $1 and number > after and number <= last) as living
from match_segment where kind = $1 order by after
"""
# The last number of those that fit into one segment.
TAIL = """
select count(*) as documents, coalesce(max(number), 0) as last
from (select number from match_lexeme where kind = $1 and number > $2 and number <= $3 order by number limit $4) as tail
"""


async def pack(connection: Connection, kind: Kind, up_to: int) -> bool:
    """Pack what lies unpacked up to a number, one segment a call; whether there was enough to pack.

    Segments at the end that are no larger than what comes after them are packed with it, so that there are few. One
    that lost half of its rows to rewriting and removal is packed anew. `up_to` is what `last_number` gave.
    """
    if not await connection.fetchval(TAKE_PACKING):
        return False
    segments = await connection.fetch(SEGMENTS, kind)
    after = max((row["last"] for row in segments), default=0)
    tail = await connection.fetchrow(TAIL, kind, after, up_to, MOST_PACKED)
    assert tail is not None
    if tail["documents"] >= LEAST_PACKED:
        documents = tail["documents"]
        for row in reversed(segments):
            if row["living"] > documents or row["living"] + documents > MOST_PACKED:
                break
            after, documents = row["after"], documents + row["living"]
        await _write(connection, kind, after, tail["last"])
        return True
    for row in segments:
        if row["living"] * 2 < row["documents"]:
            await _write(connection, kind, row["after"], row["last"])
            return True
    return False


DROP_SEGMENTS = "delete from match_segment where kind = $1 and after >= $2 and after < $3"
ROWS = """
select number, weights from match_lexeme where kind = $1 and number > $2 and number <= $3 order by number
"""
ADD_SEGMENT = "insert into match_segment (kind, after, last, numbers) values ($1, $2, $3, $4)"


async def _write(connection: Connection, kind: Kind, after: int, last: int) -> None:
    """Write the segment of the rows with a number above `after` and up to `last` in place of what was there."""
    numbers: list[int] = []
    terms, places, weights = [], [], []
    async for row in connection.cursor(ROWS, kind, after, last, prefetch=READ_AT_ONCE):
        own = np.array(row["weights"].indices(), dtype=np.int32) + 1
        terms.append(own)
        places.append(np.full(len(own), len(numbers), dtype=PLACE))
        weights.append(np.array(row["weights"].values(), dtype=WEIGHT))
        numbers.append(row["number"])
    await connection.execute(DROP_SEGMENTS, kind, after, last)
    if not numbers:
        return
    await connection.execute(ADD_SEGMENT, kind, after, last, np.array(numbers, dtype=NUMBER).tobytes())
    await connection.copy_records_to_table(
        "match_posting",
        records=_postings(kind, after, np.concatenate(terms), np.concatenate(places), np.concatenate(weights)),
        columns=["kind", "segment", "term", "places", "weights"],
    )


def _postings(
    kind: Kind, segment: int, terms: NDArray[np.int32], places: NDArray[np.uint16], weights: NDArray[np.float16]
) -> Sequence[tuple[Kind, int, int, bytes, bytes]]:
    """Rows of `match_posting`; entries of equal length in all three arrays."""
    order = np.argsort(terms, kind="stable")
    terms, places, weights = terms[order], places[order], weights[order]
    starts = np.flatnonzero(np.r_[True, terms[1:] != terms[:-1]]) if len(terms) else np.empty(0, dtype=np.int64)
    ends = np.r_[starts[1:], len(terms)]
    return [
        (kind, segment, int(terms[start]), places[start:end].tobytes(), weights[start:end].tobytes())
        for start, end in zip(starts, ends, strict=True)
    ]
