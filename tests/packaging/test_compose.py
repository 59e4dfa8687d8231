"""docker-compose.yml against the compose specification, and against the code that it starts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema
from jsonschema import Draft202012Validator

from service import __version__
from service.settings import Settings

ONE_SHOT = {"migrate"}
# Variables of PostgreSQL itself: of its container image, of its client library, and of docker/roles.sql.
POSTGRES_VARIABLES = {
    "PGPASSWORD",
    "POSTGRES_APP_PASSWORD",
    "POSTGRES_DB",
    "POSTGRES_OWNER_PASSWORD",
    "POSTGRES_PASSWORD",
}
SECRET_NAME = re.compile(r"PASSWORD|SECRET|TOKEN|PASSPHRASE|API_KEY")
REQUIRED_VARIABLE = re.compile(r"\$\{([A-Z_]+):\?[^}]+\}")
URL_WITH_PASSWORD = re.compile(r"://[^/@\s:]*:[^/@\s]+@")


@pytest.fixture(scope="module")
def compose(root: Path) -> dict[str, Any]:
    """The file, with its anchors merged."""
    loaded: dict[str, Any] = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The specification's own schema, as check-jsonschema carries it."""
    schema = get_builtin_schema("vendor.compose-spec")
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    return Draft202012Validator(schema)


def test_the_file_follows_the_specification(compose: dict[str, Any], validator: Draft202012Validator) -> None:
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(compose)] == []


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("services", "api", "helthcheck"), {}),
        (("services", "api", "depends_on", "postgres", "condition"), "ready"),
        (("services", "postgres", "restart"), ["always"]),
        (("volumes", "database"), "local"),
    ],
)
def test_the_schema_refuses_mistakes(
    root: Path, validator: Draft202012Validator, path: tuple[str, ...], wrong: object
) -> None:
    broken = yaml.safe_load((root / "docker-compose.yml").read_text(encoding="utf-8"))
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = wrong
    assert not validator.is_valid(broken)


def test_the_services_are_the_documented_ones(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "migrate", "api", "worker"}


def test_no_secret_is_written_down(root: Path, compose: dict[str, Any]) -> None:
    assert not URL_WITH_PASSWORD.search((root / "docker-compose.yml").read_text(encoding="utf-8"))
    for name, service in compose["services"].items():
        for variable, value in service["environment"].items():
            if SECRET_NAME.search(variable):
                assert REQUIRED_VARIABLE.fullmatch(value), f"{name}: {variable} is no ${{NAME:?...}}"


def test_required_passwords_are_the_ones_that_the_readme_makes(root: Path) -> None:
    required = set(REQUIRED_VARIABLE.findall((root / "docker-compose.yml").read_text(encoding="utf-8")))
    for readme in ("README.md", "README.zh-CN.md"):
        text = (root / readme).read_text(encoding="utf-8")
        made = re.search(r"for name in ([A-Z_ ]+); do .*openssl rand .* > \.env", text)
        assert made, f"{readme} has no command that makes .env"
        assert set(made.group(1).split()) == required


def test_the_file_with_the_passwords_stays_here(root: Path) -> None:
    assert ".env" in (root / ".gitignore").read_text(encoding="utf-8").split()
    assert "!.env" not in (root / ".dockerignore").read_text(encoding="utf-8").split()
    assert (root / ".dockerignore").read_text(encoding="utf-8").splitlines()[1] == "*"


def test_long_running_services_are_checked_and_started_again(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        if name in ONE_SHOT:
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"][0] == "CMD"
            assert service["restart"] == "unless-stopped"


def test_nothing_starts_before_what_it_needs(compose: dict[str, Any]) -> None:
    for name in ("api", "worker"):
        assert {on: needed["condition"] for on, needed in compose["services"][name]["depends_on"].items()} == {
            "postgres": "service_healthy",
            "migrate": "service_completed_successfully",
        }
    assert compose["services"]["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_the_database_is_asked_over_tcp(compose: dict[str, Any]) -> None:
    """While it initializes, the image's server answers on its socket, and is not yet there for anybody else."""
    check = compose["services"]["postgres"]["healthcheck"]["test"]
    assert check[1] == "pg_isready"
    assert check[check.index("--host") + 1] == "127.0.0.1"


def test_images_have_a_tag(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        _, colon, tag = service["image"].rpartition(":")
        assert colon, f"{name}: {service['image']} has no tag"
        assert tag != "latest"
        assert re.search(r"\d", tag)


def test_our_image_carries_our_version(compose: dict[str, Any]) -> None:
    ours = {service["image"] for service in compose["services"].values() if "build" in service}
    assert ours == {f"duijie:{__version__}"}


def test_volumes_are_declared_and_used(root: Path, compose: dict[str, Any]) -> None:
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service.get("volumes", [])]
    sources = {source for source, *_ in mounts}
    assert {source for source in sources if not source.startswith(".")} == set(compose["volumes"])
    for source in sources:
        assert not source.startswith(".") or (root / source).is_file()


def test_data_outlives_its_container(root: Path, compose: dict[str, Any]) -> None:
    """PostgreSQL 18 images keep data in /var/lib/postgresql/18/docker and declare the volume two levels above."""
    assert compose["services"]["postgres"]["image"].endswith("pg18")
    assert "database:/var/lib/postgresql" in compose["services"]["postgres"]["volumes"]
    for name in ("migrate", "api", "worker"):
        service = compose["services"][name]
        assert f"home:{service['environment']['DUIJIE_HOME']}" in service["volumes"]
    assert "\nVOLUME /data\n" in (root / "Dockerfile").read_text(encoding="utf-8")


def test_environment_names_are_settings(compose: dict[str, Any]) -> None:
    known = {f"DUIJIE_{name.upper()}" for name in Settings.model_fields} | POSTGRES_VARIABLES
    for name, service in compose["services"].items():
        assert set(service["environment"]) - known == set(), name


def test_the_environment_is_valid(compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("migrate", "api", "worker"):
        with monkeypatch.context() as patch:
            for variable, value in compose["services"][name]["environment"].items():
                default = re.fullmatch(r"\$\{[A-Z_]+:-([^}]*)\}", value)
                patch.setenv(variable, default.group(1) if default else value)
            settings = Settings()
        assert settings.worker is (name != "api")
        assert settings.database_url is not None
        assert ("duijie_owner" in settings.database_url) is (name == "migrate")


def test_commands_exist(compose: dict[str, Any], commands: Mapping[str, frozenset[str]]) -> None:
    started = {name: service["command"] for name, service in compose["services"].items() if "command" in service}
    started["healthcheck of worker"] = compose["services"]["worker"]["healthcheck"]["test"][1:]
    assert set(started) == {"migrate", "api", "worker", "healthcheck of worker"}
    for name, (program, command, *options) in started.items():
        assert program == "duijie", name
        assert command in commands, name
        assert set(options) <= commands[command], name


def test_only_the_api_is_reachable_and_only_from_here(compose: dict[str, Any]) -> None:
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"api": ["127.0.0.1:8000:8000"]}
    assert compose["services"]["api"]["environment"]["DUIJIE_PORT"] == "8000"
    assert "http://127.0.0.1:8000/healthz" in compose["services"]["api"]["healthcheck"]["test"][-1]


def test_services_run_without_privileges(root: Path, compose: dict[str, Any]) -> None:
    for name in ("migrate", "api", "worker"):
        service = compose["services"][name]
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
    users = re.findall(r"^USER (\S+)$", (root / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert users == ["10001:10001"]
