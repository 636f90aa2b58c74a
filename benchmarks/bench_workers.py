"""The workers that see many rows, each beside its floor.

`python -m benchmarks.bench_workers saveCampaignData --size 10` takes ten times as many rows.
"""

import argparse
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

from benchmarks.measuring import Comparison, print_table
from campaign_workers.domain.wire import to_camel

FOUND: Final = sorted(path.stem for path in Path(__file__).parent.glob("workers/*.py"))


def run(size: float = 1, names: Sequence[str] = ()) -> None:
    """Print a line a worker: processor time of its floor and its own, and their ratio."""
    print_table(_comparisons(size, names))


def _comparisons(size: float, names: Sequence[str]) -> Iterator[tuple[str, Comparison]]:
    for stem in FOUND:
        name = to_camel(stem)
        if not names or name in names:
            module = import_module(f"benchmarks.workers.{stem}")
            yield name, module.comparison(int(module.ROWS * size))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workers", nargs="*", metavar="worker")
    parser.add_argument("--size", type=float, default=1)
    chosen = parser.parse_args()
    run(chosen.size, chosen.workers)


if __name__ == "__main__":
    main()
