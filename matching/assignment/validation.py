"""Checks of what is handed in, each with a message that names the field."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.assignment.types import AssignmentError, Capacities, Edges, SideCapacities

Array = NDArray[Any]


def check(edges: Edges, capacities: Capacities, floor: int, least: float) -> None:
    """Raise AssignmentError at the first field that breaks its rule."""
    _side("capacities.needs", capacities.needs)
    _side("capacities.outcomes", capacities.outcomes)
    _numbers("edges.need", edges.need)
    _numbers("edges.outcome", edges.outcome)
    _one_row("edges.probability", edges.probability)
    if not len(edges.need) == len(edges.outcome) == len(edges.probability):
        raise AssignmentError(
            f"edges: need, outcome and probability have {len(edges.need)}, {len(edges.outcome)} and "
            f"{len(edges.probability)} entries; each edge has one of each"
        )
    _indices("edges.need", edges.need, "needs", len(capacities.needs.listing))
    _indices("edges.outcome", edges.outcome, "outcomes", len(capacities.outcomes.listing))
    _probabilities("edges.probability", edges.probability)
    _once(edges)
    if isinstance(floor, bool) or not isinstance(floor, int | np.integer) or floor < 0:
        raise AssignmentError(f"floor is {floor!r}: it is a number of introductions, 0 or more")
    if not 0 <= least <= 1:
        raise AssignmentError(f"least is {least!r}: a probability lies between 0 and 1")


def _side(name: str, side: SideCapacities) -> None:
    _counts(f"{name}.listing", side.listing)
    _counts(f"{name}.organization", side.organization)
    _numbers(f"{name}.owner", side.owner)
    if len(side.owner) != len(side.listing):
        raise AssignmentError(
            f"{name}.owner has {len(side.owner)} entries for {len(side.listing)} listings; each listing has one owner"
        )
    _indices(f"{name}.owner", side.owner, "organizations", len(side.organization))


def _one_row(name: str, values: Array) -> None:
    if not isinstance(values, np.ndarray) or values.ndim != 1:
        raise AssignmentError(f"{name} is no array of one dimension")


def _numbers(name: str, values: Array) -> None:
    _one_row(name, values)
    if len(values) and values.dtype.kind not in "iu":
        raise AssignmentError(f"{name} holds {values.dtype}: whole numbers are wanted")


def _first(wrong: Array) -> int | None:
    return int(np.argmax(wrong)) if wrong.any() else None


def _counts(name: str, values: Array) -> None:
    _numbers(name, values)
    at = _first(values < 0)
    if at is not None:
        raise AssignmentError(f"{name}[{at}] is {values[at]}: a capacity is 0 or more")


def _indices(name: str, values: Array, what: str, size: int) -> None:
    at = _first((values < 0) | (values >= size))
    if at is not None:
        raise AssignmentError(f"{name}[{at}] is {values[at]}: there are {size} {what}, counted from 0")


def _probabilities(name: str, values: Array) -> None:
    if len(values) and values.dtype.kind != "f":
        raise AssignmentError(f"{name} holds {values.dtype}: floating-point numbers are wanted")
    # Written so that NaN, which compares with nothing, is caught too.
    at = _first(~((values >= 0) & (values <= 1)))
    if at is not None:
        raise AssignmentError(f"{name}[{at}] is {values[at]}: a probability lies between 0 and 1")


def _once(edges: Edges) -> None:
    order = np.lexsort((edges.outcome, edges.need))
    need, outcome = edges.need[order], edges.outcome[order]
    at = _first((need[1:] == need[:-1]) & (outcome[1:] == outcome[:-1]))
    if at is not None:
        first, second = sorted((int(order[at]), int(order[at + 1])))
        raise AssignmentError(
            f"edges: {first} and {second} are the same pair (need {need[at]}, outcome {outcome[at]}); a pair stands once"
        )
