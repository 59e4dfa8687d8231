"""`make` alone explains every target, and every recipe calls what exists."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

# A rule: its target at the start of the line, and what `##` says of it.
RULE = re.compile(r"^([A-Za-z][\w-]*):(?!=)[^#\n]*(?:## (.+))?$", re.MULTILINE)
CALL = re.compile(r"/duijie ([a-z]+)")
MODULE = re.compile(r"/python -m ([a-z.]+)")


@pytest.fixture(scope="module")
def rules(root: Path) -> dict[str, str]:
    """Targets with their explanations."""
    return dict(RULE.findall((root / "Makefile").read_text(encoding="utf-8")))


def test_every_target_has_an_explanation(rules: dict[str, str]) -> None:
    assert {"help", "demo", "test", "lint", "serve", "clean"} <= set(rules)
    assert [target for target, explanation in rules.items() if not explanation.strip()] == []


def test_make_alone_prints_every_target(root: Path, rules: dict[str, str]) -> None:
    printed = subprocess.run(
        ["make", "--no-print-directory"], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    shown = dict(re.findall(r"^\s+make (\S+)\s+(.+)$", printed, re.MULTILINE))
    assert shown == rules


def test_targets_are_phony(root: Path, rules: dict[str, str]) -> None:
    """A file named `test` or `bench` must not make the target look done."""
    phony = re.findall(r"^\.PHONY: (.+)$", (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(" ".join(phony).split()) == set(rules)


def test_recipes_call_what_exists(root: Path, commands: Mapping[str, frozenset[str]]) -> None:
    text = (root / "Makefile").read_text(encoding="utf-8")
    called = set(CALL.findall(text))
    assert called
    assert called <= set(commands)
    for module in set(MODULE.findall(text)) - {"pytest", "venv"}:
        place = module.replace(".", "/")
        assert (root / place / "__main__.py").is_file() or (root / f"{place}.py").is_file(), module


def test_the_clean_machine_run_uses_targets(root: Path, rules: dict[str, str]) -> None:
    used = set(re.findall(r"^make ([a-z]+)", (root / ".ci" / "run").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"lint", "demo", "test"} <= used <= set(rules)
