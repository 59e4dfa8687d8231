"""Vectors of single precision, and what is done to them everywhere."""

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Ints = NDArray[np.int32]


def unit(vectors: Vector) -> Vector:
    """Vectors scaled to length one along the last axis; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vector = np.asarray(vectors / np.where(lengths == 0, 1, lengths), dtype=np.float32)
    return scaled


def half(vectors: Vector) -> Vector:
    """Vectors rounded to half precision."""
    return vectors.astype(np.float16).astype(np.float32)
