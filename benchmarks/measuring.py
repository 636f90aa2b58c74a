"""Work beside its floor, in ratios that a busy machine leaves alone.

Both are measured in turns and in processor time, all threads together, and their medians compared.
"""

import gc
import time
from collections.abc import Callable, Iterable
from statistics import median
from typing import Final

import attrs

TURNS: Final = 5
BAR: Final = 1.5
"""How many times its floor a worker may take."""

Call = Callable[[], object]


@attrs.frozen(kw_only=True)
class Comparison:
    """`floor` is what the libraries need for the rows; `prepared` makes a worker's call ready."""

    rows: int
    floor: Call
    prepared: Callable[[], Call]


@attrs.frozen(kw_only=True)
class Seconds:
    """Processor time of the floor and of the worker."""

    floor: float
    worker: float

    @property
    def ratio(self) -> float:
        """Worker over floor."""
        return self.worker / self.floor


def measured(comparison: Comparison, turns: int = TURNS) -> Seconds:
    """Median times of floor and worker, each after one turn that does not count."""
    taken = [_turn(comparison) for _ in range(turns + 1)][1:]
    return Seconds(floor=median(floor for floor, _ in taken), worker=median(w for _, w in taken))


def _turn(comparison: Comparison) -> tuple[float, float]:
    return _seconds(comparison.floor), _seconds(comparison.prepared())


def _seconds(call: Call) -> float:
    gc.collect()
    start = time.process_time()
    call()
    return time.process_time() - start


def print_table(rows: Iterable[tuple[str, Comparison]]) -> None:
    """Measure each and print its line as soon as it is known."""
    print(f"{'':30}{'rows':>10}{'floor, s':>10}{'worker, s':>10}{'rows/s':>12}{'ratio':>7}")
    for name, comparison in rows:
        found = measured(comparison)
        rate = comparison.rows / found.worker
        over = "" if found.ratio <= BAR else f"  over {BAR}"
        print(
            f"{name:30}{comparison.rows:10,}{found.floor:10.3f}{found.worker:10.3f}"
            f"{rate:12,.0f}{found.ratio:7.2f}{over}",
            flush=True,
        )
