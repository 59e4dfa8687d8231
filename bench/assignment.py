"""A batch of 10,000 needs and 10,000 outcomes with 50 edges a need: time, memory, how near the proven bound, against greedy.

Both solvers run in processes of their own, so that their peak memory is theirs. FULL=1 has HiGHS, which comes with scipy,
solve the same batch as a linear program (without a floor, which it would need more rows for).
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from bench.figures import Figure
from matching.assignment import Assignment, Capacities, Edges, SideCapacities, assign, explain, proven_bound

LISTINGS = 10_000
EDGES_PER_NEED = 50
FLOOR = 1
EXPLAINED = 5
Result = TypeVar("Result")


async def measure(home: Path) -> list[Figure]:
    """Seconds, megabytes and ratios; `against` names what a figure is compared with."""
    del home  # nothing is stored
    held = await _run("held")
    free = await _run("free")
    figures = [
        Figure(f"assign 500,000 edges, floor {FLOOR}", held["seconds"], "s", "no floor", free["seconds"]),
        Figure("processor time of it", held["processor"], "s", "no floor", free["processor"]),
        Figure("peak memory of its process", held["peak"], "MB", "before it began", held["before"]),
        Figure("expected accepted introductions", held["value"], "", "proven bound", held["bound"]),
        Figure("the same without a floor", free["value"], "", "proven bound", free["bound"]),
        Figure("the same without a floor", free["value"], "", "greedy", free["greedy"]),
        Figure(f"listings with fewer than {FLOOR} introduction", held["short"], "", "no floor", free["short"]),
        Figure("what is lacking of the bound", 1e6 * (1 - held["value"] / held["bound"]), "millionths"),
        Figure("explain one pair", held["explain"], "s"),
        Figure("add up the proof again", held["proof"], "s"),
    ]
    if os.environ.get("FULL"):
        linear = await _run("linear")
        figures.append(Figure("assign without a floor", free["seconds"], "s", "HiGHS", linear["seconds"]))
        figures.append(Figure("processor time of it", free["processor"], "s", "HiGHS", linear["processor"]))
        figures.append(Figure("peak memory of its process", free["peak"], "MB", "HiGHS", linear["peak"]))
        figures.append(Figure("expected accepted introductions", free["value"], "", "HiGHS", linear["value"]))
    return figures


async def _run(what: str) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.assignment", what, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"measuring {what} ended with {process.returncode}")
    measured: dict[str, float] = json.loads(output)
    return measured


def batch(seed: int = 7) -> tuple[Edges, Capacities]:
    """A market with few popular outcomes, small capacities, and organizations that cannot answer for all their listings.

    2,500 enterprises with 1 to 4 introductions a need, and 8 in all; 1,000 providers with 1 to 6 an outcome, and 25 in all.
    """
    random = np.random.default_rng(seed)
    popularity = 1 / np.sqrt(np.arange(1, LISTINGS + 1))
    logarithms = np.log(popularity / popularity.sum())
    rows = []
    for _ in range(LISTINGS):
        # The greatest of logarithm + Gumbel noise are a draw without replacement in proportion to popularity.
        drawn = logarithms + random.gumbel(size=LISTINGS)
        # Copied, or each slice would keep its whole array.
        rows.append(np.argpartition(-drawn, EDGES_PER_NEED)[:EDGES_PER_NEED].copy())
    need = np.repeat(np.arange(LISTINGS), EDGES_PER_NEED)
    edges = Edges(need, np.concatenate(rows), random.beta(1.2, 6, size=len(need)))
    return edges, Capacities(_side(random, 2_500, 4, 8), _side(random, 1_000, 6, 25))


def _side(random: np.random.Generator, organizations: int, most: int, together: int) -> SideCapacities:
    listing = random.integers(1, most + 1, LISTINGS)
    return SideCapacities(listing, random.integers(0, organizations, LISTINGS), np.full(organizations, together))


def greedy(edges: Edges, capacities: Capacities) -> float:
    """What taking the most probable pair that still fits, one after the other, is worth."""
    needs, outcomes = capacities.needs, capacities.outcomes
    limits = [needs.listing, needs.organization, outcomes.listing, outcomes.organization]
    left = [limit.tolist() for limit in limits]
    ends = [edges.need, needs.owner[edges.need], edges.outcome, outcomes.owner[edges.outcome]]
    order = np.argsort(-edges.probability, kind="stable")
    value = 0.0
    for *places, probability in zip(*(end[order].tolist() for end in ends), edges.probability[order], strict=True):
        if all(room[place] for room, place in zip(left, places, strict=True)):
            for room, place in zip(left, places, strict=True):
                room[place] -= 1
            value += float(probability)
    return value


def _assigned(floor: int) -> dict[str, float]:
    edges, capacities = batch()
    before = _peak()
    began = time.process_time()
    done, seconds = _timed(lambda: assign(edges, capacities, floor=floor))
    processor = time.process_time() - began
    peak = _peak()
    proven, proof = _timed(lambda: proven_bound(done, done.prices))
    assert proven == done.bound
    _, explaining = _timed(lambda: [explain(done, edge) for edge in range(0, len(edges), len(edges) // EXPLAINED)])
    return {
        "seconds": seconds,
        "processor": processor,
        "before": before,
        "peak": peak,
        "value": done.value,
        "bound": done.bound,
        "short": _left_out(done),
        "greedy": 0.0 if floor else greedy(edges, capacities),
        "proof": proof,
        "explain": explaining / EXPLAINED,
    }


def _left_out(done: Assignment) -> float:
    ends = (done.edges.need, done.edges.outcome)
    return float(sum(len(np.unique(end)) - len(np.unique(end[done.chosen])) for end in ends))


def _linear() -> dict[str, float]:
    """The same batch for HiGHS' dual simplex: one row a capacity, one column an edge."""
    from scipy.optimize import linprog
    from scipy.sparse import csr_matrix, vstack

    edges, capacities = batch()
    columns, rows, room = np.arange(len(edges)), [], []
    for side, ends in ((capacities.needs, edges.need), (capacities.outcomes, edges.outcome)):
        for limit, places in ((side.listing, ends), (side.organization, side.owner[ends])):
            rows.append(csr_matrix((np.ones(len(edges)), (places, columns)), (len(limit), len(edges))))
            room.append(limit)
    table, limits = vstack(rows, format="csr"), np.concatenate(room)
    began = time.process_time()
    found, seconds = _timed(
        lambda: linprog(-edges.probability, A_ub=table, b_ub=limits, bounds=(0, 1), method="highs-ds")
    )
    processor = time.process_time() - began
    return {"seconds": seconds, "processor": processor, "peak": _peak(), "value": -float(found.fun)}


def _timed(action: Callable[[], Result]) -> tuple[Result, float]:
    began = time.perf_counter()
    return action(), time.perf_counter() - began


def _peak() -> float:
    # Not getrusage: its peak starts with that of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


if __name__ == "__main__":
    WHATS: dict[str, Callable[[], dict[str, float]]] = {
        "held": lambda: _assigned(FLOOR),
        "free": lambda: _assigned(0),
        "linear": _linear,
    }
    print(json.dumps(WHATS[sys.argv[1]]()))
