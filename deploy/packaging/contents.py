"""What goes into which zip, and what stays out."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).parents[2]
CONSTRAINTS: Final = ROOT / "constraints.txt"

LEAN: Final = "lean"
BULK: Final = "bulk"
ZIPS: Final = (LEAN, BULK)
"""The zips in the order in which they can be laid over one another."""

BULK_WORKERS: Final = (
    "loadCodeAssignmentsToStream",
    "processScoredFiles",
    "processSmsWaveFiles",
    "translateRanksToScores",
)
"""Workers that go through whole files as columns; the others must not pay for it."""
BULK_ONLY: Final = frozenset({"polars", "polars-hash", "stream-zip"})
"""Libraries that these workers alone import."""

EXTRAS: Final = ("aws", "http", "mongo")
"""What the profile `aws` needs beyond the core."""
IN_THE_RUNTIME: Final = ("boto3", "botocore", "jmespath", "s3transfer", "urllib3")
"""What every Python of AWS Lambda has already."""
NEVER_IN_LAMBDA: Final = frozenset({"cronsim", "cyclopts", "rich"})
"""Core libraries of the command line and of the embedded runtime."""

LEFT_OUT: Final = re.compile(
    r"(^|/)__pycache__/|\.py[cio]$|(^|/)py\.typed$"
    # Sources of compiled modules, and what their authors test them with.
    r"|\.(c|h|cpp|pyx|pxd|pyi)$|(^|/)(tests?|SelfTest)/"
    # Programs, and the notes of the installer, which differ from machine to machine.
    r"|^bin/|\.dist-info/(RECORD|INSTALLER|REQUESTED|WHEEL|\w+\.json|top_level\.txt|sboms/.*)$"
    r"|(^|/)\.lock$"
)
OWN_LEFT_OUT: Final = re.compile(
    r"campaign_workers/(__main__\.py|testing/|entrypoints/cli/|schemas/openapi/|schemas/README)"
)


def requirements(name: str, extras: tuple[str, ...] = EXTRAS) -> list[str]:
    """What the zip `name` holds of the declared dependencies; `extras` are sorted out too."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines: list[str] = list(declared["dependencies"])
    for extra in extras:
        lines += declared["optional-dependencies"][extra]
    out = NEVER_IN_LAMBDA | set(IN_THE_RUNTIME) | (frozenset() if name == BULK else BULK_ONLY)
    return sorted({line for line in lines if canonicalize_name(Requirement(line).name) not in out})


def pins() -> dict[str, str]:
    """The versions that the constraints allow, by name."""
    text = CONSTRAINTS.read_text(encoding="utf-8")
    return {
        canonicalize_name(name): version
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    }


def own_files() -> Iterator[tuple[str, Path]]:
    """The files of this package by their places in the zip, as the wheel would lay them out."""
    for place, folder in (
        ("campaign_workers", ROOT / "src" / "campaign_workers"),
        ("campaign_workers/schemas", ROOT / "schemas"),
    ):
        for path in sorted(folder.rglob("*")):
            name = f"{place}/{path.relative_to(folder).as_posix()}"
            if path.is_file() and not (LEFT_OUT.search(name) or OWN_LEFT_OUT.match(name)):
                yield name, path


def zip_of(worker: str) -> str:
    """The zip that a worker runs from."""
    return BULK if worker in BULK_WORKERS else LEAN
