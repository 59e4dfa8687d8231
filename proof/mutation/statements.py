"""Protections in SQL constants: locks, and the conditions that make a change a compare-and-set or a key good."""

import ast
import re
from collections.abc import Collection, Iterator

from proof.mutation.mutants import Edit, Mutant

# Kinds of mutants that are found here.
KINDS = ("lock", "clause")
ROW_LOCK = re.compile(r"\bfor (?:no key )?(?:update|share)\b(?: of \w+)?(?: skip locked| nowait)?")
ADVISORY_LOCK = re.compile(r"\bpg_advisory_xact_lock(?=\()")
STATEMENT = re.compile(r"\b(?:select|update|insert|delete)\b", re.IGNORECASE)
CHANGING = re.compile(r"\bupdate\b|\bdelete from\b|\bfor share\b")
# What a change compares before it is made, and what makes a key, a member or a password one that counts.
GUARDING = re.compile(
    r"\b(?:version|state|ended_at|revoked_at|expires_at|valid_from|valid_until|locked_until|\w*vouched\w*"
    r"|created_at|caller|organization_id|key_id|person_id|membership_id|replaced_by)\b"
)
# Rooms whose look-ups decide what a caller may do, and not only what it is shown.
LOOK_UPS = ("service/access/", "service/kit/idempotency.py")
WHERE = re.compile(r"\bwhere\b")
END = re.compile(r"\b(?:returning|order by|group by|limit|for update|for share|on conflict|union|do update|window)\b")


def conditions(sql: str) -> Iterator[tuple[int, int]]:
    """Start and end of every condition that stands by itself or between `and` in a `where`.

    >>> text = "update a set b = 1 where id = $1 and (c or d) and version = $2 returning id"
    >>> [text[start:end] for start, end in conditions(text)]
    ['id = $1', '(c or d)', 'version = $2']
    """
    for where in WHERE.finditer(sql):
        depth, start, position = 0, where.end(), where.end()
        while position < len(sql):
            sign = sql[position]
            rest = sql[position:]
            starts_word = not sql[position - 1].isalnum()
            if sign in "(":
                depth += 1
            elif sign == ")" and depth == 0:
                break
            elif sign == ")":
                depth -= 1
            elif depth == 0 and starts_word and END.match(rest):
                break
            elif depth == 0 and starts_word and re.match(r"and\b", rest):
                yield _trimmed(sql, start, position)
                position += 3
                start = position
                continue
            position += 1
        yield _trimmed(sql, start, position)


def _trimmed(sql: str, start: int, end: int) -> tuple[int, int]:
    part = sql[start:end]
    for quote in ('"""', '"'):
        part = part.removesuffix(quote)
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())


def changes(path: str, name: str, sql: str) -> Iterator[tuple[str, str, int, int, str]]:
    """Kind, label, start, end and replacement of every protection in one statement's source text."""
    for lock in ROW_LOCK.finditer(sql):
        yield "lock", f"{name}:{lock.group()}", lock.start(), lock.end(), ""
    for lock in ADVISORY_LOCK.finditer(sql):
        # Takes any argument, and locks nothing.
        yield "lock", f"{name}:advisory", lock.start(), lock.end(), "pg_typeof"
    if not (CHANGING.search(sql) or path.startswith(LOOK_UPS)):
        return
    for start, end in conditions(sql):
        condition = sql[start:end]
        if GUARDING.search(condition) and "--" not in condition:
            label = " ".join(condition.split())
            # The condition stays in the text, so that the types of its parameters are known.
            yield "clause", f"{name}:{label}", start, end, f"(({condition}) or true)"


def find(files: Collection[tuple[str, bytes]]) -> Iterator[Mutant]:
    """The mutants of all files' constants, in their order."""
    for path, source in files:
        text = source.decode()
        for node in ast.parse(source).body:
            if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
                continue
            value = node.value
            if not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                continue
            if not STATEMENT.search(value.value):
                continue
            segment = ast.get_source_segment(text, value) or ""
            lines = source.splitlines(keepends=True)
            begin = sum(map(len, lines[: value.lineno - 1])) + value.col_offset
            for kind, label, start, end, replacement in changes(path, node.targets[0].id, segment):
                first, last = (begin + len(segment[:place].encode()) for place in (start, end))
                yield Mutant(f"{kind}:{path}:{label}", Edit(path, first, last, replacement.encode()))
