"""Build the zips from the command line: `python -m deploy.packaging --help`."""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from deploy.packaging.building import build
from deploy.packaging.contents import EXTRAS
from deploy.packaging.manifests import LAMBDA, Manifest
from deploy.packaging.targets import Target

MB: Final = 1_000_000
UNPACKED_LIMIT: Final = 250 * MB
"""Lambda unpacks no more than 250 MB."""
DIRECT_LIMIT: Final = 50 * MB
"""What can be sent to Lambda itself; larger zips go by way of a bucket, as in the template."""
LARGEST: Final = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Build what is missing or stale and say how large it is; 1 if Lambda would refuse it."""
    asked = _parse_arguments(argv)
    try:
        target = Target(**{name: value for name, value in asked.target.items() if value})
        made = build(asked.out, target=target, extras=(*EXTRAS, *asked.extra))
    except (ValueError, RuntimeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if asked.parameters:
        sys.stdout.write(f"Runtime=python{made.python} Architecture={made.architecture}\n")
    else:
        _show(made)
    return 1 if any(each.unpacked >= UNPACKED_LIMIT for each in made.zips) else 0


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.packaging", description=__doc__)
    parser.add_argument("--python", default="", help="such as 3.12 (default: the running one)")
    parser.add_argument("--arch", default="", help="x86_64 or arm64 (default: this machine's)")
    parser.add_argument("--out", type=Path, default=LAMBDA, help="folder of the zips")
    parser.add_argument("--extra", action="append", default=[], help="such as traces")
    parser.add_argument("--parameters", action="store_true", help="print those of the template")
    asked = parser.parse_args(argv)
    asked.target = {"python": asked.python, "architecture": asked.arch}
    return asked


def _show(made: Manifest) -> None:
    console, table = Console(), Table(title=f"Python {made.python}, {made.architecture}, in MB")
    table.add_column()
    for each in made.zips:
        table.add_column(each.path.name, justify="right")
    for row, sizes in _rows(made).items():
        table.add_row(row, *(f"{size / MB:.1f}" if size else "" for size in sizes))
    console.print(table)
    for each in made.zips:
        if each.unpacked >= UNPACKED_LIMIT:
            console.print(f"{each.path.name} is too large: Lambda unpacks less than 250 MB")
        elif each.zipped > DIRECT_LIMIT:
            console.print(f"{each.path.name} has to go by way of a bucket: it is over 50 MB")


def _rows(made: Manifest) -> dict[str, list[int]]:
    """Sizes by what they are of, a number a zip; the largest packages are those of all zips."""
    largest: Counter[str] = Counter()
    for each in made.zips:
        largest |= Counter(each.packages)
    rows = {"zipped": [each.zipped for each in made.zips]}
    rows["unpacked"] = [each.unpacked for each in made.zips]
    for name, _ in largest.most_common(LARGEST):
        rows[f"  {name}"] = [each.packages.get(name, 0) for each in made.zips]
    return rows


if __name__ == "__main__":
    sys.exit(main())
