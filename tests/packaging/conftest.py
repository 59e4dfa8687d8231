"""What the tests of packaging and documents read alike."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import typer

from service.cli import app
from tests.packaging.markdown import ROOT, documents, readmes


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def commands() -> Mapping[str, frozenset[str]]:
    """Every command of the command line ("serve", "keys create") with its options."""
    found: dict[str, frozenset[str]] = {}

    def collect(command: typer.core.TyperCommand | typer.core.TyperGroup, path: tuple[str, ...]) -> None:
        if isinstance(command, typer.core.TyperGroup):
            for name, child in command.commands.items():
                collect(child, (*path, name))
        else:
            options = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
            found[" ".join(path)] = frozenset(option for option in options if option.startswith("-"))

    collect(typer.main.get_command(app), ())
    return MappingProxyType(found)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that takes a `document` for every one, and a test that takes a `readme` for each language's."""
    for argument, found in (("document", documents), ("readme", readmes)):
        if argument in metafunc.fixturenames:
            metafunc.parametrize(argument, found(), ids=lambda document: document.name)
