"""What a mutant is: one protection taken away, in one file or in the database."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """Bytes `start` to `end` of a file (path from the project's root) replaced by others."""

    path: str
    start: int
    end: int
    replacement: bytes

    def applied(self, source: bytes) -> bytes:
        """The file's content with the edit made."""
        return source[: self.start] + self.replacement + source[self.end :]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One protection removed. `name` is unique, and stays the same while lines around it move."""

    name: str
    change: Edit | str

    @property
    def kind(self) -> str:
        """The first part of the name: policy, table, trigger, unique, guard, operand, call, answer, party, …"""
        return self.name.partition(":")[0]

    @property
    def path(self) -> str:
        """The file it is in; `database` for SQL that changes the migrated schema."""
        return self.change.path if isinstance(self.change, Edit) else "database"


def in_a_room(mutant: Mutant) -> bool:
    """Whether a mutant is one of the schema or of a room, where callers are refused.

    What lies beside the rooms (embedded server, encoders, evaluation, commands) refuses machines and files.
    """
    return mutant.path == "database" or mutant.path.count("/") > 1


def numbered(mutants: Iterable[Mutant]) -> list[Mutant]:
    """The mutants with `#2`, `#3` … behind names that come again."""
    seen: dict[str, int] = {}
    result = []
    for mutant in mutants:
        count = seen[mutant.name] = seen.get(mutant.name, 0) + 1
        result.append(mutant if count == 1 else replace(mutant, name=f"{mutant.name}#{count}"))
    return result


def sources(root: Path) -> list[tuple[str, bytes]]:
    """Path and content of every Python file of the service, in order."""
    files = sorted((root / "service").rglob("*.py"))
    return [(file.relative_to(root).as_posix(), file.read_bytes()) for file in files]
