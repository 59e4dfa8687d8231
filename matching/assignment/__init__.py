"""A whole batch at once: which pairs to introduce when nobody can answer everything."""

from matching.assignment.assign import assign, proven_bound
from matching.assignment.explain import explain
from matching.assignment.types import (
    Assignment,
    AssignmentError,
    Capacities,
    Edges,
    Full,
    Prices,
    Reason,
    Shortfall,
    SideCapacities,
    SidePrices,
)

__all__ = [
    "Assignment",
    "AssignmentError",
    "Capacities",
    "Edges",
    "Full",
    "Prices",
    "Reason",
    "Shortfall",
    "SideCapacities",
    "SidePrices",
    "assign",
    "explain",
    "proven_bound",
]
