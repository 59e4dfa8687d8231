"""Run every measurement and print one table. BENCH=name runs one; OUTCOMES=2000 makes the large
indexes smaller, FULL=1 measures routing over a million outcomes, and PAIRS=100000 makes the review queue shorter."""

import asyncio
import os
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import adhoc, assignment, audit, encoder, learning, manners, memory, policies, reads, review, routing
from bench.figures import Figure

MEASUREMENTS = {
    "reads": reads.measure,
    "adhoc": adhoc.measure,
    "routing": routing.measure,
    "encoder": encoder.measure,
    "memory": memory.measure,
    "learning": learning.measure,
    "assignment": assignment.measure,
    "audit": audit.measure,
    "manners": manners.measure,
    "policies": policies.measure,
    "review": review.measure,
}


def main() -> None:
    """Measure in a scratch home, so that nothing of the user's is touched."""
    console = Console(width=120)
    wanted = os.environ.get("BENCH")
    # Short, since the database's socket lies in it.
    with tempfile.TemporaryDirectory(prefix="duijie-bench-", ignore_cleanup_errors=True) as folder:
        for name, measure in MEASUREMENTS.items():
            if wanted in (None, name):
                console.print(f"[dim]measuring {name} …[/]")
                console.print(_table(name, asyncio.run(measure(Path(folder)))))


def _table(name: str, figures: list[Figure]) -> Table:
    table = Table(title=name, title_justify="left")
    for heading in ("measured", "value", "against", "value", "ratio"):
        table.add_column(heading, justify="left" if heading in ("measured", "against") else "right")
    for figure in figures:
        table.add_row(*figure.cells())
    return table


if __name__ == "__main__":
    main()
