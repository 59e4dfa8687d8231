"""Parts of the training rows that share no need: what was decided on a need never vouches for itself."""

import numpy as np
from numpy.typing import NDArray


def folds_of(needs: NDArray[np.int64], parts: int, seed: int) -> NDArray[np.int64]:
    """The fold of each row, 0 to `parts` - 1: all rows of a need in one, folds as equal in rows as may be.

    Needs are dealt in a random order, each into the fold that has the fewest rows.
    """
    numbers, counts = np.unique(needs, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(numbers))
    held = np.zeros(parts, dtype=np.int64)
    fold = np.zeros(len(numbers), dtype=np.int64)
    for place in order:
        smallest = int(np.argmin(held))
        fold[place] = smallest
        held[smallest] += counts[place]
    rows: NDArray[np.int64] = fold[np.searchsorted(numbers, needs)]
    return rows
