"""The schemas of the lake, as shipped: the one in force and all that ever were."""

import json
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from campaign_workers.domain.errors import BadInput

Schema = Mapping[str, Any]

# Prose about a schema is no part of what it means.
_PROSE: Final = frozenset({"doc"})


@cache
def folder() -> Traversable:
    """Where the schemas lie: inside the installed package, or in the checkout."""
    packaged = files("campaign_workers") / "schemas"
    return packaged if packaged.is_dir() else Path(__file__).parents[4] / "schemas"


@cache
def in_force(record_type: str) -> Schema:
    """The schema that records of a type are written with.

    Raises:
        BadInput: there is no such type.
    """
    return max(versions(record_type).items())[1]


@cache
def versions(record_type: str) -> Mapping[int, Schema]:
    """Every version of a type's schema, by number.

    Raises:
        BadInput: there is no such type.
    """
    history = folder() / "history"
    # Names are compared, never joined to a path: a type may come from somebody's file.
    for kind in history.iterdir():
        if kind.name == record_type:
            found = {_number(entry): _read(entry) for entry in kind.iterdir()}
            return dict(sorted(found.items()))
    raise BadInput("no such record type", field="type")


def version_of(schema: object) -> int | None:
    """The version of this very schema in the history of its type, None if it is not there."""
    if not isinstance(schema, Mapping) or not isinstance(schema.get("name"), str):
        return None
    return _version_of(json.dumps(dict(schema)))


# A merge asks for each of its files, and nearly all of them have one schema.
@lru_cache(maxsize=64)
def _version_of(text: str) -> int | None:
    schema: Schema = json.loads(text)
    try:
        known = versions(type_of(schema))
    except BadInput:
        return None
    meant = _meaning(schema)
    return next((number for number, old in known.items() if _meaning(old) == meant), None)


def type_of(schema: Schema) -> str:
    """The record type that a schema describes, without its namespace."""
    return str(schema["name"]).removeprefix("campaign.")


def _number(entry: Traversable) -> int:
    return int(entry.name.removeprefix("v").removesuffix(".avsc"))


def _read(entry: Traversable) -> Schema:
    schema: Schema = json.loads(entry.read_text(encoding="utf-8"))
    return schema


def _meaning(schema: Schema) -> Schema:
    """The schema without prose, and with its name and namespace in one spelling."""
    plain: dict[str, Any] = _without_prose(schema)
    return plain | {"name": type_of(plain), "namespace": plain.get("namespace", "campaign")}


def _without_prose(part: Any) -> Any:
    if isinstance(part, Mapping):
        kept = {n: _without_prose(v) for n, v in part.items() if n not in _PROSE}
        return {n: v for n, v in kept.items() if not n.startswith("__")}
    if isinstance(part, list):
        return [_without_prose(item) for item in part]
    return part
