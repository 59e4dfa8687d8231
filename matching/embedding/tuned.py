"""Folders of fine-tuned encoders: written whole or not at all, checked before they are used, with a card of where from.

A folder is a complete sentence-transformers model; `card.json` beside its files holds their checksums, so that a folder
that was copied in part or touched by somebody is told from a whole one. README.md says the same to people.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from matching.embedding.protocol import EncoderError

if TYPE_CHECKING:
    from matching.embedding.sentence import SentenceEncoder

# How an encoder of this kind is named where a model's source is asked for: tuned:NAME.
SCHEME = "tuned:"
CARD = "card.json"
BUILDING = "building-"
FORMAT = 1
_NAME = re.compile(r"tuned-\d{8}-\d+")


@dataclass(frozen=True, slots=True)
class Card:
    """Where a fine-tuned encoder comes from: the model that training began with, the data, the figures."""

    name: str
    base: str
    base_checksum: str
    data: str
    made_at: str
    figures: Mapping[str, Any]

    @property
    def source(self) -> str:
        """What names this encoder in the database and in DUIJIE_MODEL."""
        return SCHEME + self.name


def root(cache: Path) -> Path:
    """Where fine-tuned encoders lie, under the folder of models."""
    return cache / "tuned"


@contextmanager
def training_lock(cache: Path) -> Iterator[None]:
    """One training at a time in a folder of models; what a killed one left half-written is removed.

    Raises:
        EncoderError: another process trains here.
    """
    folder = root(cache)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "training.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise EncoderError(f"another process is training an encoder in {folder}: wait until it is through") from error
    try:
        for left in folder.glob(f"{BUILDING}*"):
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        lock.release()


def next_name(cache: Path, day: str) -> str:
    """A name that no folder has yet, from the day as YYYYMMDD."""
    number = 1
    while (root(cache) / f"tuned-{day}-{number}").exists():
        number += 1
    return f"tuned-{day}-{number}"


def save(encoder: "SentenceEncoder", card: Card, cache: Path) -> Path:
    """Write the model with its card, under `card.name`. The folder appears when everything in it is on the disk.

    Raises:
        EncoderError: there is a folder of this name. OSError: it cannot be written.
    """
    folder = root(cache) / card.name
    if folder.exists() or not _NAME.fullmatch(card.name):
        raise EncoderError(f"{folder} cannot be written: it is there already, or its name is not like tuned-20260101-1")
    root(cache).mkdir(parents=True, exist_ok=True)
    model = encoder.model
    # Prompts that were known by the old model's name only would be lost under the new one.
    model.prompts = {key: prompt for key, prompt in encoder.prompts.items() if prompt}
    with tempfile.TemporaryDirectory(dir=root(cache), prefix=BUILDING) as scratch:
        built = Path(scratch) / "model"
        model.save_pretrained(str(built), create_model_card=False)
        (built / "README.md").write_text(_readme(card), encoding="utf-8")
        files = {str(path.relative_to(built)): _sha256(path) for path in sorted(built.rglob("*")) if path.is_file()}
        content = {"format": FORMAT, **asdict(card), "files": files}
        (built / CARD).write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
        for path in built.rglob("*"):
            _flush(path)
        _flush(built)
        built.rename(folder)
    _flush(root(cache))
    return folder


def read_card(folder: Path) -> Card:
    """The card of a whole folder; every file is read for it.

    Raises:
        EncoderError: a file is missing or differs from what was saved.
    """
    try:
        content = json.loads((folder / CARD).read_text(encoding="utf-8"))
        files: dict[str, str] = content.pop("files")
        if content.pop("format") != FORMAT:
            raise ValueError("written by another version")
        damaged = [name for name, digest in files.items() if _sha256(folder / name) != digest]
        if damaged:
            raise ValueError(f"{damaged[0]} has changed")
        return Card(**content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EncoderError(
            f"{folder} does not hold a whole fine-tuned encoder ({error}). Every machine that serves or works needs "
            "the folder that duijie train encoder wrote: copy it again, or choose another with duijie encoders activate"
        ) from error


def folder_of(source: str, cache: Path) -> Path:
    """The folder of a source like tuned:NAME, whole.

    Raises:
        EncoderError: there is none of this name, or it is damaged.
    """
    name = source.removeprefix(SCHEME)
    if not _NAME.fullmatch(name):
        raise EncoderError(
            f"{source} names no fine-tuned encoder: wanted {SCHEME}NAME, see duijie encoders list / 没有这个编码模型"
        )
    folder = root(cache) / name
    read_card(folder)
    return folder


def saved(cache: Path) -> list[Card]:
    """Every whole fine-tuned encoder, oldest first; damaged and half-written folders are left out."""
    cards = []
    for folder in root(cache).glob("tuned-*"):
        try:
            cards.append(read_card(folder))
        except EncoderError:
            continue
    return sorted(cards, key=lambda card: (card.made_at, card.name))


def _readme(card: Card) -> str:
    figures = "\n".join(f"- {name}: {json.dumps(value, ensure_ascii=False)}" for name, value in card.figures.items())
    return (
        f"# {card.name}\n\nA sentence-transformers model, fine-tuned by `duijie train encoder`: LoRA on the attention "
        f"projections, merged into the weights. Nothing but sentence-transformers is needed to use it.\n\n"
        f"- began with: {card.base} (checksum {card.base_checksum[:16]})\n- data: {card.data}\n- made: {card.made_at}\n\n"
        f"## Figures\n\n{figures}\n"
    )


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _flush(path: Path) -> None:
    """Have the disk take what was written, of a file or of a folder's entries."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
