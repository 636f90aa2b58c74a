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
    """Return `path` if it is a file.

    Raises:
        BadInput: it does not exist or is a folder.
    """
    if path.is_dir():
        raise BadInput("expected a file, got a folder", file=str(path))
    if not path.exists():
        raise BadInput("no such file", file=str(path))
    return path


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        BadInput: the file does not exist or contains no JSON object; names file and line.
    """
    return parse_document(require_file(path).read_bytes(), str(path))


def parse_document(content: bytes, name: str) -> dict[str, Any]:
    """Return the JSON object in these bytes, which were read from the file `name`.

    Raises:
        BadInput: they are not a JSON object; names the line.
    """
    try:
        found = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise BadInput("not UTF-8", file=name) from None
    except (ValueError, RecursionError) as error:
        raise BadInput("not JSON", file=name, line=getattr(error, "lineno", 1)) from None
    if not isinstance(found, dict):
        raise BadInput("expected a JSON object", file=name)
    return found


def read_standard_input() -> bytes:
    """Return all of standard input; on a terminal, print a hint first."""
    if sys.stdin.isatty():
        sys.stderr.write("reading standard input; end it with Ctrl-D\n")
    return sys.stdin.read().encode("utf-8", "surrogateescape")


def make_folder(folder: Path) -> Path:
    """Create a folder if it does not exist, and return it.

    Raises:
        BadInput: a file has this name.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise BadInput("expected a folder, got a file", file=str(folder)) from None
    return folder


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write a JSON document with sorted keys, atomically."""
    text = json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    with atomic_write(path) as part:
        part.write_text(text, encoding="utf-8")


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a CSV file atomically: camelCase columns, lists joined, formulas escaped."""
    renamed = frame.rename({name: to_camel(name) for name in frame.columns})
    file = b"".join(write_frames(renamed.columns, [renamed]))
    with atomic_write(path) as part:
        part.write_bytes(file)


def write_selection(folder: Path, selection: Selection) -> dict[str, str]:
    """Write picks.csv, cutoffs.csv and, last, audit.json; return their paths by name."""
    make_folder(folder)
    write_table(folder / "picks.csv", selection.picks)
    write_table(folder / "cutoffs.csv", selection.cutoffs)
    write_json(folder / "audit.json", selection.audit)
    return {name: str(folder / name) for name in ("picks.csv", "cutoffs.csv", "audit.json")}
