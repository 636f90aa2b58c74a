"""`lake`: look into the Avro files of a lake."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import attrs
from cyclopts import App

from campaign_workers.container import record_codec
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.layout import MERGED
from campaign_workers.entrypoints.cli.results import Result
from campaign_workers.ports.record_codec import Container

app = App(name="lake", help="Look into the Avro files of the lake.")

DEFAULT = Path("campaign-data")
ARCHIVED = "archived"


@attrs.frozen
class LakeFile:
    """One container on disk; what was merged lies on in the archive and counts no more."""

    path: Path
    content: Container

    @property
    def place(self) -> str:
        """Whether its records are the lake's or lie in the archive."""
        return ARCHIVED if ARCHIVED in self.path.parts else "lake"


@app.command
def ls(path: Path = DEFAULT, /) -> Result:
    """List containers with their type, records and size.

    Parameters
    ----------
    path
        An Avro file, or a folder anywhere above some.
    """
    rows = tuple(
        (str(file.path), file.content.record_type, file.content.records, file.path.stat().st_size)
        for file in _files(path)
    )
    columns = ("file", "type", "records", "bytes")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows],
        columns=columns,
        rows=rows,
        notes=() if rows else (f"no containers under {path}",),
    )


@app.command
def count(path: Path = DEFAULT, /) -> Result:
    """Count files and records by type; archived copies apart.

    Parameters
    ----------
    path
        An Avro file, or a folder anywhere above some.
    """
    files: Counter[tuple[str, str]] = Counter()
    records: Counter[tuple[str, str]] = Counter()
    for file in _files(path):
        group = (file.place, file.content.record_type)
        files[group] += 1
        records[group] += file.content.records
    rows = tuple((*group, files[group], records[group]) for group in sorted(files, reverse=True))
    columns = ("place", "type", "files", "records")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows],
        title=f"{path}",
        columns=columns,
        rows=rows,
        notes=() if rows else (f"no containers under {path}",),
    )


@app.command
def cat(path: Path, /, *, limit: int | None = None) -> None:
    """Print records as JSON lines.

    Parameters
    ----------
    path
        An Avro file, or a folder anywhere above some.
    limit
        Stop after this many records.
    """
    codec, printed = record_codec(), 0
    for place in _paths(path):
        try:
            with place.open("rb") as source:
                for record in codec.decode(source):
                    if limit is not None and printed >= limit:
                        return
                    sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
                    printed += 1
        except BadInput as error:
            raise error.within(str(place)) from None


def _files(path: Path) -> Iterator[LakeFile]:
    codec = record_codec()
    for place in _paths(path):
        try:
            with place.open("rb") as source:
                yield LakeFile(place, codec.describe(source))
        except BadInput as error:
            raise error.within(str(place)) from None


def _paths(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from (
            place
            for place in sorted(path.rglob("*"))
            if place.is_file()
            and (place.suffix == ".avro" or place.name == MERGED)
            and not any(part.startswith(".") for part in place.relative_to(path).parts)
        )
    else:
        raise BadInput("no such file or folder", file=str(path))
