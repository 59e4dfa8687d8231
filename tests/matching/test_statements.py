"""Every SQL constant of the package against the migrated database: a renamed column shows here, not at a user's."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

import matching

VERBS = {"select", "insert", "update", "delete", "with"}
PACKAGE = Path(matching.__file__).parent


def is_statement(node: ast.stmt) -> bool:
    """Whether a line assigns a text that begins like SQL to an upper-case name."""
    if not (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id.isupper()):
        return False
    value = node.value
    text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return text.split()[:1] != [] and text.split()[0] in VERBS


def statements() -> Iterator[tuple[str, str]]:
    """Module and name of every statement, read from the files so that collecting imports no model."""
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if is_statement(node):
                assert isinstance(node, ast.Assign)
                assert isinstance(node.targets[0], ast.Name)
                yield module, node.targets[0].id


STATEMENTS = list(statements())


@pytest.mark.parametrize(("module", "name"), STATEMENTS)
async def test_every_statement_fits_the_migrated_tables(
    connection: "asyncpg.Connection[asyncpg.Record]", module: str, name: str
) -> None:
    await connection.prepare(getattr(importlib.import_module(module), name))


def test_the_statements_are_found_wherever_they_stand() -> None:
    assert {
        ("matching.index", "EXTENSION_SCHEMA"),
        ("matching.index.candidates", "NEAREST_EXACT"),
        ("matching.index.models", "REGISTER_MODEL"),
        ("matching.index.profiles", "LOAD"),
        ("matching.index.vocabulary", "ADD_TERMS"),
    } <= set(STATEMENTS)
