"""How long a function takes before its first event: `python -m tests.deploy.cold_start`.

Each figure is the least processor time, in milliseconds, of several processes that import the
handler of a worker and build the worker, by a Python that has boto3 alone: from its zip, from its
zip without bytecode, and from the other zip. The files are in memory, so that Python is timed.
"""

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from campaign_workers.domain.running.triggers import WORKERS
from deploy.packaging import Manifest, build
from tests.deploy.lambda_python import LambdaPython

TIMES: Final = 3


def main(argv: Sequence[str]) -> None:
    """Measure the workers that are named, or all of them."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made, lambda_python = build(), LambdaPython(folder / "runtime")
        _unpack(made, folder)
        print("| worker | zip | its zip | without bytecode | the other zip |")
        print("| --- | --- | ---: | ---: | ---: |")
        for worker in argv or WORKERS:
            own = made.zip_of(worker).name
            places = (own, f"{own}-plain", "lean" if own == "bulk" else "bulk")
            took = (_milliseconds(lambda_python, folder / place, worker) for place in places)
            print(f"| {worker} | {own} | {' | '.join(took)} |", flush=True)


def _unpack(made: Manifest, folder: Path) -> None:
    for each in made.zips:
        for name in (each.name, f"{each.name}-plain"):
            ZipFile(each.path).extractall(folder / name)
        for compiled in (folder / f"{each.name}-plain").rglob("__pycache__"):
            shutil.rmtree(compiled)


def _milliseconds(lambda_python: LambdaPython, task: Path, worker: str) -> str:
    """The least of all; a dash where the worker cannot run."""
    result = [lambda_python([task], [worker]) for _ in range(TIMES)]
    if any(each["workers"][worker] for each in result):
        return "-"
    return f"{1000 * min(sum(each['seconds'].values()) for each in result):.0f}"


if __name__ == "__main__":
    main(sys.argv[1:])
