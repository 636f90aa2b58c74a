"""The shipped Avro schemas of the lake: the current version of each type, and its history."""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from campaign_workers.domain.errors import BadInput

Schema = Mapping[str, Any]

# Documentation does not change the meaning of a schema.
_DOCUMENTATION: Final = frozenset({"doc"})


@cache
def folder() -> Traversable:
    """Return the folder of the schemas, in the installed package or in the checkout."""
    packaged = files("campaign_workers") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "schemas"


@cache
def current_schema(record_type: str) -> Schema:
    """Return the current schema of a type, which new records are written with.

    Raises:
        BadInput: the type is unknown.
    """
    return max(versions(record_type).items())[1]


@cache
def versions(record_type: str) -> Mapping[int, Schema]:
    """Return every version of a type's schema, by number.

    Raises:
        BadInput: the type is unknown.
    """
    history = folder() / "history"
    # Compare names instead of joining them to a path: the type may come from an untrusted file.
    for kind in history.iterdir():
        if kind.name == record_type:
            found = {_number(entry): _read(entry) for entry in kind.iterdir()}
            return dict(sorted(found.items()))
    raise BadInput("unknown record type", field="type")


def version_of(schema: object) -> int | None:
    """Return the version of a schema in the history of its type, or None if it is not there."""
    if not isinstance(schema, Mapping) or not isinstance(schema.get("name"), str):
        return None
    return _version_of(json.dumps(dict(schema)))


# A merge looks up the schema of every file, and nearly all files have the same one.
@lru_cache(maxsize=64)
def _version_of(text: str) -> int | None:
    schema: Schema = json.loads(text)
    try:
        known = versions(type_of(schema))
    except BadInput:
        return None
    wanted = _canonical(schema)
    return next((number for number, old in known.items() if _canonical(old) == wanted), None)


def type_of(schema: Schema) -> str:
    """Return the record type that a schema describes, without its namespace."""
    return str(schema["name"]).removeprefix("campaign.")


def _number(entry: Traversable) -> int:
    return int(entry.name.removeprefix("v").removesuffix(".avsc"))


def _read(entry: Traversable) -> Schema:
    schema: Schema = json.loads(entry.read_text(encoding="utf-8"))
    return schema


def _canonical(schema: Schema) -> Schema:
    """Return the schema without documentation, and its name and namespace in one spelling."""
    plain: dict[str, Any] = _without_docs(schema)
    return plain | {"name": type_of(plain), "namespace": plain.get("namespace", "campaign")}


def _without_docs(part: Any) -> Any:
    if isinstance(part, Mapping):
        kept = {n: _without_docs(v) for n, v in part.items() if n not in _DOCUMENTATION}
        return {n: v for n, v in kept.items() if not n.startswith("__")}
    if isinstance(part, list):
        return [_without_docs(item) for item in part]
    return part
