"""The documents of the services: which operations there are, and what a request has to be."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, cast

import attrs
import yaml
from jsonschema import Draft202012Validator

SERVICES: Final = ("campaign", "entry", "code", "user", "pacman", "sms", "slack")
METHODS: Final = ("get", "post")

Schema = Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Parameter:
    """A part of an address, or a header."""

    name: str
    place: str
    required: bool
    validator: Draft202012Validator = attrs.field(repr=False)

    @property
    def kind(self) -> Schema:
        """Its schema."""
        return cast(Schema, self.validator.schema)


@attrs.frozen(kw_only=True)
class Operation:
    """One operation of a service, every reference resolved."""

    service: str
    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Draft202012Validator | None = attrs.field(repr=False)
    statuses: tuple[int, ...]

    @property
    def takes_key(self) -> bool:
        """Whether a repeat with the same idempotency key is answered as the first was."""
        return any(p.name == "Idempotency-Key" and p.required for p in self.parameters)


@cache
def folder() -> Traversable:
    """Where the documents lie: inside the installed package, or in the checkout."""
    packaged = files("campaign_workers") / "schemas"
    schemas = packaged if packaged.is_dir() else Path(__file__).parents[3] / "schemas"
    return schemas / "openapi"


def source(service: str) -> str:
    """The document of a service as it is written."""
    return (folder() / f"{service}.yaml").read_text(encoding="utf-8")


@cache
def document(service: str) -> Mapping[str, Any]:
    """The document of a service, every reference replaced by what it refers to."""
    loaded = yaml.safe_load(source(service))
    resolved: Mapping[str, Any] = _resolved(loaded, loaded)
    return resolved


@cache
def operations(service: str) -> tuple[Operation, ...]:
    """The operations of a service, in the order of its document."""
    return tuple(
        _operation(service, path, method, item[method])
        for path, item in document(service)["paths"].items()
        for method in METHODS
        if method in item
    )


def _operation(service: str, path: str, method: str, node: Mapping[str, Any]) -> Operation:
    body = node.get("requestBody", {}).get("content", {}).get("application/json")
    return Operation(
        service=service,
        name=node["operationId"],
        method=method.upper(),
        path=path,
        parameters=tuple(map(_parameter, node.get("parameters", ()))),
        body=None if body is None else Draft202012Validator(body["schema"]),
        statuses=tuple(map(int, node["responses"])),
    )


def _parameter(node: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=node["name"],
        place=node["in"],
        required=node.get("required", False),
        validator=Draft202012Validator(node["schema"]),
    )


def _resolved(node: Any, whole: Mapping[str, Any]) -> Any:
    """The node without references; none of ours refers to itself."""
    if isinstance(node, list):
        return [_resolved(item, whole) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        found: Any = whole
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return _resolved(found, whole)
    return {name: _resolved(item, whole) for name, item in node.items()}
