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

lake_app = App(name="lake", help="Look into the Avro files of the lake.")

DEFAULT = "campaign-data"
ARCHIVED = "archived"


@contextmanager
def within(name: str) -> Iterator[None]:
    """What is wrong inside is wrong with the file `name`."""
    try:
        yield
    except BadInput as error:
        raise error.within(name) from None


@attrs.frozen
class LakeFile:
    """One container; what was merged lies on in the archive and counts no more."""

    name: str
    size: int
    open: Callable[[], BinaryIO] = attrs.field(repr=False)

    @property
    def place(self) -> str:
        """Whether its records are the lake's or lie in the archive."""
        return ARCHIVED if ARCHIVED in self.name.split("/") else "lake"

    def content(self) -> AvroFileInfo:
        """What the container says about itself.

        Raises:
            BadInput: it cannot be read.
        """
        with within(self.name), closing(self.open()) as source:
            return record_codec().describe(source)


@lake_app.command
def ls(path: str = DEFAULT, /) -> Result:
    """List containers with their type, records and size.

    Parameters
    ----------
    path
        An Avro file, a folder anywhere above some, or s3://bucket/prefix.
    """
    files = ((file, file.content()) for file in _files(path))
    rows = tuple(
        (file.name, content.record_type, content.records, file.size) for file, content in files
    )
    columns = ("file", "type", "records", "bytes")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows],
        columns=columns,
        rows=rows,
        notes=() if rows else (f"no containers under {path}",),
    )


@lake_app.command
def count(path: str = DEFAULT, /) -> Result:
    """Count files and records by type; archived copies apart.

    Parameters
    ----------
    path
        An Avro file, a folder anywhere above some, or s3://bucket/prefix.
    """
    files: Counter[tuple[str, str]] = Counter()
    records: Counter[tuple[str, str]] = Counter()
    for file in _files(path):
        content = file.content()
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
        notes=() if rows else (f"no containers under {path}",),
    )


@lake_app.command
def cat(path: str = DEFAULT, /, *, limit: int | None = None) -> None:
    """Print records as JSON lines.

    Parameters
    ----------
    path
        An Avro file, a folder anywhere above some, or s3://bucket/prefix.
    limit
        Stop after this many records.
    """
    if limit is not None and limit < 0:
        raise BadInput("not 0 or more", field="--limit")
    records = (record for file in _files(path) for record in _records(file))
    for record in islice(records, limit):
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")


def _records(file: LakeFile) -> Iterator[dict[str, Any]]:
    with within(file.name), closing(file.open()) as source:
        yield from record_codec().decode(source)


def _files(path: str) -> Iterator[LakeFile]:
    scheme, separator, place = path.partition("://")
    if not separator:
        return _in_folder(Path(path))
    if scheme != "s3":
        raise BadInput("no such place", file=path, remedy="give a folder, or s3://bucket/prefix")
    return _in_bucket(*place.partition("/")[::2])


def _in_bucket(name: str, prefix: str) -> Iterator[LakeFile]:
    store = bucket(name)
    for info in store.list(prefix):
        if _is_container(PurePosixPath(info.key)):
            yield LakeFile(f"s3://{name}/{info.key}", info.size, partial(store.open, info.key))


def _in_folder(path: Path) -> Iterator[LakeFile]:
    if path.is_file():
        places = [path]
    elif path.is_dir():
        places = sorted(place for place in path.rglob("*") if _shown(place.relative_to(path)))
    else:
        raise BadInput("no such file or folder", file=str(path))
    for place in places:
        yield LakeFile(str(place), place.stat().st_size, partial(_opened, place))


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _shown(path: Path) -> bool:
    return _is_container(path) and not any(part.startswith(".") for part in path.parts)


def _is_container(path: PurePath) -> bool:
    return path.suffix == ".avro" or path.name == MERGED


mongo_app = App(name="mongo", help="Prepare the MongoDB database.")


@mongo_app.command
def ensure_indexes() -> Result:
    """Create the indexes that the workers' queries need; those that are there stay.

    The address of the database is read from CAMPAIGN_WORKERS_MONGODB_URI, where no shell history
    keeps its password.
    """
    rows = tuple(
        (index.collection, ", ".join(index.keys), "created" if index.created else "there")
        for index in ensure_mongo_indexes(load_settings())
    )
    columns = ("collection", "keys", "index")
    return Result(
        data=[dict(zip(columns, row, strict=True)) for row in rows], columns=columns, rows=rows
    )
