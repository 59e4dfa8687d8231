"""Which pairs people judge: the first of several systems' lists, mixed (pooling, Sparck Jones and van Rijsbergen 1975)."""

from collections.abc import Mapping, Sequence
from hashlib import sha256


def pooled(lists: Sequence[Sequence[str]], depth: int, seed: int, need: str) -> list[str]:
    """The first `depth` of every list, each document once, in an order that tells of no list and no rank.

    The order is that of a hash of seed, need and document: the same at every run, another one for every need, and
    untouched by which systems were asked.

    >>> pooled([["a", "b", "c"], ["b", "d"]], 2, 1, "q") == pooled([["b", "d"], ["a", "b"]], 2, 1, "q")
    True
    >>> sorted(pooled([["a", "b", "c"], ["b", "d"]], 2, 1, "q"))
    ['a', 'b', 'd']
    """
    documents = {document for ranked in lists for document in ranked[:depth]}
    return sorted(documents, key=lambda document: sha256(f"{seed}\n{need}\n{document}".encode()).digest())


def pools(
    runs: Mapping[str, Mapping[str, Sequence[str]]], needs: Sequence[str], depth: int, seed: int
) -> dict[str, list[str]]:
    """The pool of every need from the systems' ranked lists by need."""
    return {need: pooled([ranked[need] for ranked in runs.values()], depth, seed, need) for need in needs}
