"""The lock holds everything that the project asks for, at versions that it allows."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)$")


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    """The table [project] of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return table


def pins(path: Path) -> dict[str, Version]:
    """Names and versions of a file of pins."""
    lines = [
        line.strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    found = [PIN.match(line) for line in lines]
    assert all(found), f"not a pin: {[line for line, match in zip(lines, found, strict=True) if match is None]}"
    return {canonicalize_name(match[1]): Version(match[2]) for match in found if match}


@pytest.fixture(scope="module")
def pinned(root: Path) -> dict[str, Version]:
    """Everything pinned, torch included."""
    return pins(root / "requirements" / "lock.txt") | pins(root / "requirements" / "torch.txt")


def declared(project: dict[str, Any]) -> list[Requirement]:
    """What the project and its developers ask for."""
    return [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["dev"])]


def unmet(requirements: Iterable[Requirement], pinned: dict[str, Version]) -> list[str]:
    """Requirements without a pin, or with one outside their range."""
    problems = []
    for requirement in requirements:
        version = pinned.get(canonicalize_name(requirement.name))
        if version is None:
            problems.append(f"{requirement.name} is not pinned: run `make lock`")
        elif not requirement.specifier.contains(version, prereleases=True):
            problems.append(f"{requirement.name} {version} is outside {requirement.specifier}")
    return problems


def test_declared_dependencies_are_pinned_in_range(project: dict[str, Any], pinned: dict[str, Version]) -> None:
    assert unmet(declared(project), pinned) == []


def test_a_missing_or_wrong_pin_is_found() -> None:
    wanted = [Requirement("torch>=2.9"), Requirement("fastapi>=0.130,<1"), Requirement("numpy")]
    assert unmet(wanted, {"torch": Version("2.8.0"), "fastapi": Version("0.165.0")}) == [
        "torch 2.8.0 is outside >=2.9",
        "numpy is not pinned: run `make lock`",
    ]


def test_what_the_dependencies_need_is_pinned_too(project: dict[str, Any], pinned: dict[str, Version]) -> None:
    """Walks the installed packages from the declared ones, as pip does, on this machine's markers."""
    problems: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = declared(project)
    while waiting:
        requirement = waiting.pop()
        step = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        # What torch brings along differs between its CPU and CUDA builds and stays with its own index.
        if step in seen or step[0] == "torch":
            continue
        seen.add(step)
        extras = requirement.extras or {""}
        needed = [Requirement(text) for text in requires(requirement.name) or []]
        active = [
            each
            for each in needed
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in {*extras, ""})
        ]
        problems.update(f"{requirement.name}: {problem}" for problem in unmet(active, pinned))
        waiting.extend(active)
    assert problems == set()


def test_torch_is_pinned_apart(root: Path) -> None:
    """torch is installed first and alone; in the lock it could pull in another build."""
    assert set(pins(root / "requirements" / "torch.txt")) == {"torch"}
    assert "torch" not in pins(root / "requirements" / "lock.txt")


def test_nothing_that_replaces_torch_is_pinned(pinned: dict[str, Version]) -> None:
    assert {"optimum", "onnxruntime", "openvino"} & set(pinned) == set()
    assert not [name for name in pinned if name.startswith("nvidia-")]
