"""`lake`: read the Avro files of a lake; `mongo`: prepare the database."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import islice
from pathlib import Path, PurePath, PurePosixPath
from typing import Any, BinaryIO

import attrs
from cyclopts import App

from campaign_workers.container import bucket, ensure_mongo_indexes, record_codec
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.storage.layout import MERGED
from campaign_workers.entrypoints.cli.results import Result
from campaign_workers.ports.record_codec import AvroFileInfo
from campaign_workers.settings import load_settings

lake_app = App(name="lake", help="Read the Avro files of the lake.")

DEFAULT = "campaign-data"
ARCHIVED = "archived"


@contextmanager
def name_file(name: str) -> Iterator[None]:
    """Put the file name in front of any error about bad input."""
    try:
        yield
    except BadInput as error:
        raise error.within(name) from None


@attrs.frozen
class LakeFile:
    """One Avro file of the lake, or an archived copy of a merged one."""

    name: str
    size: int
    open: Callable[[], BinaryIO] = attrs.field(repr=False)

    @property
    def place(self) -> str:
        """Return `lake`, or `archived` for a copy, whose records are counted apart."""
        return ARCHIVED if ARCHIVED in self.name.split("/") else "lake"

    def describe(self) -> AvroFileInfo:
        """Return record type and count from the file's header and blocks.

        Raises:
            BadInput: the file cannot be read.
        """
        with name_file(self.name), closing(self.open()) as source:
            return record_codec().describe(source)


@lake_app.command
def ls(path: str = DEFAULT, /) -> Result:
    """List Avro files with their record type, number of records and size.

    Parameters
    ----------
    path
        An Avro file, a folder that contains some at any depth, or s3://bucket/prefix.
    """
    files = ((file, file.describe()) for file in _files(path))
    rows = tuple(
        (file.name, content.record_type, content.records, file.size) for file, content in files
    )
    columns = ("file", "type", "records", "bytes")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows],
        columns=columns,
        rows=rows,
        notes=() if rows else (f"no Avro files under {path}",),
    )


@lake_app.command
def count(path: str = DEFAULT, /) -> Result:
    """Count files and records by type, archived copies separately.

    Parameters
    ----------
    path
        An Avro file, a folder that contains some at any depth, or s3://bucket/prefix.
    """
    files: Counter[tuple[str, str]] = Counter()
    records: Counter[tuple[str, str]] = Counter()
    for file in _files(path):
        content = file.describe()
        group = (file.place, content.record_type)
        files[group] += 1
        records[group] += content.records
    rows = tuple((*group, files[group], records[group]) for group in sorted(files, reverse=True))
    columns = ("place", "type", "files", "records")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows],
        title=f"{path}",
        columns=columns,
        rows=rows,
        notes=() if rows else (f"no Avro files under {path}",),
    )


@lake_app.command
def cat(path: str = DEFAULT, /, *, limit: int | None = None) -> None:
    """Print records as JSON lines.

    Parameters
    ----------
    path
        An Avro file, a folder that contains some at any depth, or s3://bucket/prefix.
    limit
        Stop after this many records.
    """
    if limit is not None and limit < 0:
        raise BadInput(f"expected 0 or more, got {limit}", field="--limit")
    records = (record for file in _files(path) for record in _records(file))
    for record in islice(records, limit):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


def _records(file: LakeFile) -> Iterator[dict[str, Any]]:
    with name_file(file.name), closing(file.open()) as source:
        yield from record_codec().decode(source)


def _files(path: str) -> Iterator[LakeFile]:
    scheme, separator, place = path.partition("://")
    if not separator:
        return _in_folder(Path(path))
    if scheme != "s3":
        raise BadInput("unsupported scheme", file=path, remedy="use a folder or s3://bucket/prefix")
    return _in_bucket(*place.partition("/")[::2])


def _in_bucket(name: str, prefix: str) -> Iterator[LakeFile]:
    store = bucket(name)
    for info in store.list(prefix):
        if _is_avro_file(PurePosixPath(info.key)):
            yield LakeFile(f"s3://{name}/{info.key}", info.size, partial(store.open, info.key))


def _in_folder(path: Path) -> Iterator[LakeFile]:
    if path.is_file():
        places = [path]
    elif path.is_dir():
        places = sorted(place for place in path.rglob("*") if _is_listed(place.relative_to(path)))
    else:
        raise BadInput("no such file or folder", file=str(path))
    for place in places:
        yield LakeFile(str(place), place.stat().st_size, partial(_open_file, place))


def _open_file(path: Path) -> BinaryIO:
    return path.open("rb")


def _is_listed(path: Path) -> bool:
    return _is_avro_file(path) and not any(part.startswith(".") for part in path.parts)


def _is_avro_file(path: PurePath) -> bool:
    return path.suffix == ".avro" or path.name == MERGED


mongo_app = App(name="mongo", help="Prepare the MongoDB database.")


@mongo_app.command
def ensure_indexes() -> Result:
    """Create the indexes that the workers' queries need and that do not exist yet.

    The address of the database is read from CAMPAIGN_WORKERS_MONGODB_URI and not from an argument,
    so that its password stays out of the shell history.
    """
    rows = tuple(
        (index.collection, ", ".join(index.keys), "created" if index.created else "there")
        for index in ensure_mongo_indexes(load_settings())
    )
    columns = ("collection", "keys", "index")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows], columns=columns, rows=rows
    )
