"""Tokens embedded a second against what sgemm of the same shapes allows on this machine."""

import time
from pathlib import Path

from bench.figures import Figure
from matching.embedding.bundled import ensure_model
from matching.embedding.centring import calibration_texts
from matching.embedding.sentence import SentenceEncoder

LAYERS, HIDDEN, FEED_FORWARD = 12, 384, 1536
ROUNDS = 3


async def measure(home: Path) -> list[Figure]:
    """Tokens a second, float32, with as many threads as torch takes by itself."""
    import torch

    encoder = SentenceEncoder(str(ensure_model(home / "models")), dtype="float32")
    texts = calibration_texts()["document"][:24]
    tokens = encoder.count_tokens(texts)
    encoder.encode(texts, "document")
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        encoder.encode(texts, "document")
    embedded = ROUNDS * tokens / (time.perf_counter() - begun)
    length = max(1, tokens // len(texts))
    against = f"sgemm of the same shapes, {torch.get_num_threads()} threads"
    return [
        Figure("embedded, float32", embedded, "tokens/s", against, _sgemm_tokens_per_second(length)),
        *(
            Figure(
                f"in padded batches of {size}",
                _batched_tokens_per_second(encoder, texts, size),
                "tokens/s",
                "one by one",
                embedded,
            )
            for size in (4, 16)
        ),
    ]


def _batched_tokens_per_second(encoder: SentenceEncoder, texts: list[list[str]], size: int) -> float:
    """Tokens a second when texts of like length go through the model together, padded to the longest."""
    import torch

    rows = sorted(([token for passage in encoder._tokens(text) for token in passage][:500] for text in texts), key=len)
    begun = time.perf_counter()
    for start in range(0, len(rows), size):
        batch = rows[start : start + size]
        width = max(map(len, batch))
        tokens = torch.tensor([row + [1] * (width - len(row)) for row in batch])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in batch])
        with torch.inference_mode():
            encoder._transformer({"input_ids": tokens, "attention_mask": mask})
    return sum(map(len, rows)) / (time.perf_counter() - begun)


def _sgemm_tokens_per_second(length: int) -> float:
    """How many tokens a second the matrix products of the model alone would allow, at `length` tokens a text."""
    import torch

    text = torch.rand(length, HIDDEN)
    wide = torch.rand(length, FEED_FORWARD)
    square, up, down = torch.rand(HIDDEN, HIDDEN), torch.rand(HIDDEN, FEED_FORWARD), torch.rand(FEED_FORWARD, HIDDEN)
    rounds = 200
    with torch.inference_mode():
        begun = time.perf_counter()
        for _ in range(rounds):
            for _ in range(4):
                torch.mm(text, square)
            torch.mm(text, up)
            torch.mm(wide, down)
        seconds = (time.perf_counter() - begun) / rounds
    return length / (seconds * LAYERS)
