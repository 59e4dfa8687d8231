"""The Dockerfile and the wheel that it installs: what an image is built from, looked at without Docker."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

SHIPPED = ("service", "matching", "migrations", "seeds")


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    """The Dockerfile with its continued lines joined."""
    return (root / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names in a wheel that is built as the Dockerfile builds it."""
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    subprocess.run([*build, "--wheel-dir", str(folder), str(root)], check=True, capture_output=True, text=True)
    (built,) = folder.glob("duijie-*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_wheel_carries_everything_that_runs(root: Path, wheel: set[str]) -> None:
    files = {
        path.relative_to(root).as_posix() for name in SHIPPED for path in (root / name).rglob("*") if path.is_file()
    }
    expected = {name for name in files if "/__pycache__/" not in name}
    assert {"migrations/sql/0001_foundation.sql", "seeds/taxonomy/fields.json", "service/cli.py"} <= expected
    assert expected - wheel == set()


def test_the_wheel_carries_nothing_else(wheel: set[str]) -> None:
    assert {name.partition("/")[0] for name in wheel if ".dist-info/" not in name} == set(SHIPPED)


def test_what_is_copied_is_let_through(root: Path, dockerfile: str) -> None:
    let_through = {
        line.removeprefix("!")
        for line in (root / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    assert {name for name in let_through if not (root / name).exists()} == set()
    # What the wheel is made from: the packages, and the files that pyproject.toml names.
    assert {*SHIPPED, "pyproject.toml", "README.md", "LICENSE"} <= let_through
    for source in re.findall(r"^COPY (?!--from)(\S+) \S+$", dockerfile, re.MULTILINE):
        assert source == "." or source.partition("/")[0] in let_through, source


def test_the_list_of_what_runs_is_the_projects(root: Path, dockerfile: str) -> None:
    """The Dockerfile reads the dependencies by one line of Python; run it, and look for what developers alone need."""
    (program,) = re.findall(r'python -c "([^"]+)"', dockerfile)
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    ).stdout
    names = {re.split(r"[\[<>=~! ]", line)[0] for line in printed.splitlines()}
    assert {"fastapi", "asyncpg", "torch"} <= names
    assert {"pytest", "ruff", "mypy"} & names == set()


def test_torch_is_installed_first(dockerfile: str) -> None:
    installs = re.findall(r"pip install .*$", dockerfile, re.MULTILINE)
    assert "requirements/torch.txt" in installs[0]
    assert "${TORCH_INDEX_URL:+--index-url" in installs[0]
    assert "-c requirements/lock.txt" in installs[1]


def test_code_comes_after_dependencies(dockerfile: str) -> None:
    """A change of code must not install torch again."""
    dependencies, _, rest = dockerfile.partition("AS wheel")
    assert "COPY . ." not in dependencies
    assert "COPY . ." in rest


def test_the_image_has_what_trees_load(dockerfile: str) -> None:
    """LightGBM needs the system's OpenMP where it runs: in the last stage, and before the code that changes often."""
    last = dockerfile.rpartition("\nFROM ")[2]
    install, _, code = last.partition("/opt/wheels")
    assert re.search(r"apt-get install --yes --no-install-recommends (?:\S+ )*libgomp1\b", install)
    assert "rm -rf /var/lib/apt/lists/*" in install
    assert "apt-get" not in code
