"""Every benchmark, one after the other: `python -m benchmarks [--size 0.1] [name ...]`."""

import argparse
from importlib import import_module
from pathlib import Path

FOUND = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name")
    parser.add_argument("--size", type=float, default=1, help="times the usual number of rows")
    chosen = parser.parse_args()
    for name in chosen.names or FOUND:
        print(f"--- {name}")
        import_module(f"benchmarks.{name}").run(chosen.size)


if __name__ == "__main__":
    main()
