"""Whether this machine encodes faster in bfloat16, found out once and remembered.

The two formats give slightly different vectors (cosine about 0.999), and so count as two models. A choice that moved
with the machine's load would have every vector made anew after a restart, and two processes disagree: therefore
the first process to ask measures, and every process with the same cache folder takes its answer.
"""

import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import torch
from filelock import FileLock

Dtype = Literal["float32", "bfloat16"]

ROUNDS = 7
LAYERS, HIDDEN, HEADS, FEED_FORWARD, TOKENS = 2, 384, 12, 1536, 256
# bfloat16 changes vectors in the third decimal; it must be worth that.
WORTHWHILE = 1.15


@dataclass(frozen=True, slots=True)
class Choice:
    """A number format, the machine that it was chosen on, and how many times faster bfloat16 was there."""

    machine: str
    dtype: Dtype
    speedup: float


def choose_dtype(cache: Path) -> Dtype:
    """The format for this machine, from `cache` or measured now. Safe in many processes."""
    file = cache / "dtype.json"
    machine = _machine()
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / "dtype.lock"):
        choice = _read(file)
        if choice is None or choice.machine != machine:
            speedup = bfloat16_speedup() if has_bfloat16() else 0.0
            choice = Choice(machine, "bfloat16" if speedup > WORTHWHILE else "float32", round(speedup, 3))
            scratch = file.with_suffix(".tmp")
            scratch.write_text(json.dumps(asdict(choice)), encoding="utf-8")
            scratch.replace(file)
    return choice.dtype


def has_bfloat16() -> bool:
    """Whether the processor has instructions that torch multiplies bfloat16 matrices with."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def bfloat16_speedup(rounds: int = ROUNDS) -> float:
    """How many times faster two BERT layers over 256 tokens are in bfloat16.

    The fastest of several passes each, in turns, so that whatever else the machine does slows both alike.
    """
    plain, short = _layers(torch.float32), _layers(torch.bfloat16)
    _seconds(plain), _seconds(short)
    times = [(_seconds(plain), _seconds(short)) for _ in range(rounds)]
    return min(first for first, _ in times) / min(second for _, second in times)


def _layers(dtype: torch.dtype) -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=8,
        hidden_size=HIDDEN,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        intermediate_size=FEED_FORWARD,
    )
    model: torch.nn.Module = BertModel(config, add_pooling_layer=False)
    return model.eval().to(dtype)


def _seconds(model: torch.nn.Module) -> float:
    tokens = torch.ones((1, TOKENS), dtype=torch.long)
    with torch.inference_mode():
        begun = time.perf_counter()
        model(input_ids=tokens)
        return time.perf_counter() - begun


def _read(file: Path) -> Choice | None:
    try:
        stored = Choice(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return stored if stored.dtype in ("float32", "bfloat16") else None


def _machine() -> str:
    """What the measurement depends on: processor, threads and torch."""
    return f"{_processor()}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
