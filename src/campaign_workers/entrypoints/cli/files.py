"""Files that commands read and write."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from campaign_workers.container import atomic_write
from campaign_workers.domain.csv.frames import write_frames
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.selection.selection import Selection
from campaign_workers.domain.wire import to_camel


def require_file(path: Path) -> Path:
    """`path`, where a file is.

    Raises:
        BadInput: nothing is there, or a folder.
    """
    if path.is_dir():
        raise BadInput("a folder, where a file is needed", file=str(path))
    if not path.exists():
        raise BadInput("no such file", file=str(path))
    return path


def read_document(path: Path) -> dict[str, Any]:
    """The JSON object that a file holds.

    Raises:
        BadInput: the file is not there or holds something else; names file and line.
    """
    return document(require_file(path).read_bytes(), str(path))


def document(content: bytes, name: str) -> dict[str, Any]:
    """The JSON object in these bytes; `name` is what they were read from.

    Raises:
        BadInput: they are something else; names the line.
    """
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadInput("not UTF-8", file=name) from None
    except (ValueError, RecursionError) as error:
        raise BadInput("not JSON", file=name, line=getattr(error, "lineno", 1)) from None
    if not isinstance(found, dict):
        raise BadInput("not a JSON object", file=name)
    return found


def read_standard_input() -> bytes:
    """All that standard input gives; a person at a terminal is told that it is waited for."""
    if sys.stdin.isatty():
        sys.stderr.write("reading from standard input; Ctrl-D ends it\n")
    return sys.stdin.read().encode("utf-8", "surrogateescape")


def make_folder(folder: Path) -> Path:
    """`folder`, made if it is not there.

    Raises:
        BadInput: a file stands in its place.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadInput("a file stands where a folder is needed", file=str(folder)) from None
    return folder


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """A JSON document with sorted keys."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """A CSV file with the wire's column names; cells are guarded, lists joined."""
    renamed = frame.rename({name: to_camel(name) for name in frame.columns})
    file = b"".join(write_frames(renamed.columns, [renamed]))
    with atomic_write(path) as part:
        part.write_bytes(file)


def write_selection(folder: Path, selection: Selection) -> dict[str, str]:
    """picks.csv, cutoffs.csv and, last, audit.json; returns where they are."""
    make_folder(folder)
    write_table(folder / "picks.csv", selection.picks)
    write_table(folder / "cutoffs.csv", selection.cutoffs)
    write_json(folder / "audit.json", selection.audit)
    return {name: str(folder / name) for name in ("picks.csv", "cutoffs.csv", "audit.json")}
