"""What a command reads: files that must be there, and documents in JSON."""

import json
import sys
from pathlib import Path
from typing import Any

from campaign_workers.domain.errors import BadInput


def needed_file(path: Path) -> Path:
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
    return document(needed_file(path).read_bytes(), str(path))


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


def standard_input() -> bytes:
    """All that standard input gives; a person at a terminal is told that it is waited for."""
    if sys.stdin.isatty():
        sys.stderr.write("reading from standard input; Ctrl-D ends it\n")
    return sys.stdin.read().encode("utf-8", "surrogateescape")
