"""docs/settings.md says what the settings say. `python tests/packaging/test_settings_page.py` writes it anew."""

import json
import re
from pathlib import Path
from typing import Literal, get_args, get_origin

import annotated_types
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from service.settings import PROJECT_ROOT, Settings

PAGE = PROJECT_ROOT / "docs" / "settings.md"
COMMAND = ".venv/bin/python tests/packaging/test_settings_page.py"
HEAD = f"""# Settings

Read once from the environment when a process starts; an empty variable counts as unset. A wrong value ends the process
with one line that names the variable. This page is written from `service/settings.py` by
`{COMMAND}`.

| variable | value | default | meaning |
| --- | --- | --- | --- |
"""
KINDS = {int: "whole number", float: "number", bool: "`true`, `false`", str: "text", SecretStr: "secret", Path: "path"}


def page() -> str:
    """The page as the settings say."""
    rows = (
        f"| `DUIJIE_{name.upper()}` | {kind_of(field)} | {default_of(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return HEAD + "".join(rows)


def kind_of(field: FieldInfo) -> str:
    """What values a setting takes."""
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    (kind,) = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    bounds = [f"from {bound.ge}" for bound in field.metadata if isinstance(bound, annotated_types.Ge)]
    bounds += [f"to {bound.le}" for bound in field.metadata if isinstance(bound, annotated_types.Le)]
    return " ".join([KINDS[kind], *bounds])


def default_of(field: FieldInfo) -> str:
    """What holds where a setting is unset."""
    if field.default_factory is not None:
        return "the user's data folder"
    if field.default is None:
        return "unset"
    return f"`{json.dumps(field.default) if isinstance(field.default, bool) else field.default}`"


def test_every_setting_has_a_description() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"docs/settings.md is stale: run {COMMAND}"


def test_kinds_and_defaults_are_told() -> None:
    fields = Settings.model_fields
    assert kind_of(fields["port"]) == "whole number from 0 to 65535"
    assert kind_of(fields["language"]) == "`zh`, `en`"
    assert kind_of(fields["database_url"]) == "text"
    assert [default_of(fields[name]) for name in ("worker", "port", "model")] == ["`true`", "`8000`", "unset"]


def test_settings_that_are_named_exist() -> None:
    """In documents, the Makefile, the compose file and the code."""
    known = {f"DUIJIE_{name.upper()}" for name in Settings.model_fields}
    names = ["Makefile", "Dockerfile", "docker-compose.yml", ".ci/run", "README.md", "README.zh-CN.md"]
    files = [PROJECT_ROOT / name for name in names]
    for folder in ("docs", "service", "matching"):
        files += [path for path in (PROJECT_ROOT / folder).rglob("*") if path.suffix in (".md", ".py")]
    unknown = {
        (file.relative_to(PROJECT_ROOT).as_posix(), name)
        for file in files
        for name in re.findall(r"\bDUIJIE_[A-Z_]*[A-Z]\b", file.read_text(encoding="utf-8"))
        if name not in known
    }
    assert unknown == set()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
