"""Every benchmark, one after the other: `python -m benchmarks [name ...]`."""

import sys
from importlib import import_module
from pathlib import Path

FOUND = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


def main() -> None:
    """Run the benchmarks that are named, or all."""
    for name in sys.argv[1:] or FOUND:
        print(f"--- {name}")
        import_module(f"benchmarks.{name}").run()


if __name__ == "__main__":
    main()
