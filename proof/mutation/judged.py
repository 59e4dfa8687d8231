"""Results kept between runs, the list of harmless mutants, and the report."""

import json
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path

from proof.mutation.mutants import Mutant
from proof.mutation.running import Result

HARMLESS = Path(__file__).with_name("harmless.toml")
FOUND = frozenset({"caught", "hung", "died"})


def harmless() -> dict[str, str]:
    """Name patterns of mutants that cannot matter, with the reason."""
    return tomllib.loads(HARMLESS.read_text(encoding="utf-8"))


def reason_of(name: str, reasons: Mapping[str, str]) -> str | None:
    """Why a mutant cannot matter, where that is known."""
    return next((reason for pattern, reason in reasons.items() if fnmatchcase(name, pattern)), None)


def kept_results(file: Path) -> dict[str, Result]:
    """The last result of each mutant, from a file of JSON lines."""
    if not file.exists():
        return {}
    lines = file.read_text(encoding="utf-8").splitlines()
    return {result.name: result for result in (Result(**json.loads(line)) for line in lines)}


def keep(file: Path, result: Result) -> None:
    """Append a result."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")


def open_questions(results: Collection[Result], reasons: Mapping[str, str]) -> list[Result]:
    """Mutants that were not caught and are not known to be harmless."""
    return [each for each in results if each.outcome not in FOUND and reason_of(each.name, reasons) is None]


def report(mutants: Sequence[Mutant], results: Mapping[str, Result], reasons: Mapping[str, str]) -> str:
    """The page docs/mutation.md: numbers by kind, then each mutant that was not caught or not run."""
    columns = ("mutants", "caught", "harmless", "survived", "broken", "not run")
    table: dict[str, Counter[str]] = {}
    for mutant in mutants:
        table.setdefault(mutant.kind, Counter())[_column(mutant, results, reasons)] += 1
    lines = [f"| kind | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    total: Counter[str] = Counter()
    for kind, counts in table.items():
        total += counts
        lines.append(_row(kind, counts, columns))
    lines.append(_row("all", total, columns))
    parts = [HEAD, "\n".join(lines)]
    for column, title in TITLES.items():
        named = [mutant.name for mutant in mutants if _column(mutant, results, reasons) == column]
        if named:
            listed = (f"- `{name}`{_because(name, column, results, reasons)}" for name in named)
            parts.append(f"## {title}\n\n" + "\n".join(listed))
    parts.append("## Caught, and by which test\n\n" + "\n".join(_catches(mutants, results)))
    return "\n\n".join(parts) + "\n"


HEAD = """# Mutation report

Written by `make mutate REPORT=docs/mutation.md`: each protection is taken out by itself, and the tests nearest to it
run until one fails. A test that also fails without the mutant is set aside. Mutants of the schema (policy, table,
trigger, unique) are each made, tried by the statements of `tests/access/probes.py` and `tests/database/once.py`, and
rolled back, after the same statements have shown nothing without a mutant. Counted is what was run so far: a mutant
that was not run is neither caught nor survived."""
ENDS = {"hung": "it never ended", "died": "the tests' process died of it"}
TITLES = {
    "survived": "Survived",
    "broken": "Could not be applied",
    "harmless": "Cannot matter",
    "not run": "Not run yet",
}


def _column(mutant: Mutant, results: Mapping[str, Result], reasons: Mapping[str, str]) -> str:
    result = results.get(mutant.name)
    if result is not None and result.outcome in FOUND:
        return "caught"
    if reason_of(mutant.name, reasons) is not None:
        return "harmless"
    return result.outcome if result is not None else "not run"


def _row(kind: str, counts: Counter[str], columns: Sequence[str]) -> str:
    numbers = [counts.total() if column == "mutants" else counts[column] for column in columns]
    return f"| {kind} | {' | '.join(map(str, numbers))} |"


def _because(name: str, column: str, results: Mapping[str, Result], reasons: Mapping[str, str]) -> str:
    if column == "harmless":
        return f": {reason_of(name, reasons)}"
    if column == "broken":
        return f": {' '.join(results[name].test.split())[:120]}"
    return ""


def _catches(mutants: Sequence[Mutant], results: Mapping[str, Result]) -> list[str]:
    lines = []
    for mutant in mutants:
        result = results.get(mutant.name)
        if result is not None and result.outcome in FOUND:
            lines.append(f"- `{mutant.name}`: {result.test or ENDS[result.outcome]}")
    return lines
