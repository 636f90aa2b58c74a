"""The OpenAPI documents of the services: their operations and the schemas of requests."""

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


@attrs.frozen(kw_only=True)
class Parameter:
    """A path parameter, query parameter or header of an operation."""

    name: str
    place: str
    required: bool
    validator: Draft202012Validator = attrs.field(repr=False)

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the value."""
        return cast(Mapping[str, Any], self.validator.schema)


@attrs.frozen(kw_only=True)
class Operation:
    """An operation of a service, with all references resolved."""

    service: str
    name: str
    method: str
    path: str
    parameters: tuple[Parameter, ...]
    body: Draft202012Validator | None = attrs.field(repr=False)
    statuses: tuple[int, ...]

    @property
    def takes_key(self) -> bool:
        """Whether a repeat with the same idempotency key gets the first response."""
        return any(p.name == "Idempotency-Key" and p.required for p in self.parameters)


def document_text(service: str) -> str:
    """Return the YAML text of a service's document."""
    return (document_folder() / f"{service}.yaml").read_text(encoding="utf-8")


@cache
def document(service: str) -> Mapping[str, Any]:
    """Return the document of a service with all references resolved."""
    loaded = yaml.safe_load(document_text(service))
    resolved: Mapping[str, Any] = _resolve(loaded, loaded)
    return resolved


@cache
def operations(service: str) -> tuple[Operation, ...]:
    """Return the operations of a service in document order."""
    return tuple(
        _operation(service, path, method, item[method])
        for path, item in document(service)["paths"].items()
        for method in METHODS
        if method in item
    )


@cache
def document_folder() -> Traversable:
    """Return the folder of the documents: in the installed package, or in the checkout."""
    packaged = files("campaign_workers") / "schemas"
    schemas = packaged if packaged.is_dir() else Path(__file__).parents[3] / "schemas"
    return schemas / "openapi"


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


def _resolve(node: Any, root: Mapping[str, Any]) -> Any:
    """Return the node with each reference replaced by its target; none is recursive."""
    if isinstance(node, list):
        return [_resolve(item, root) for item in node]
    if not isinstance(node, Mapping):
        return node
    if "$ref" in node:
        target: Any = root
        for segment in node["$ref"].removeprefix("#/").split("/"):
            target = target[segment]
        return _resolve(target, root)
    return {name: _resolve(item, root) for name, item in node.items()}
