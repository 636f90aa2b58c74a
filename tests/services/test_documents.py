"""The documents of the services: valid, complete, and alike where they say the same."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from starlette.routing import Mount, Route

from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.doubles import Doubles, ServiceFakes
from campaign_workers.doubles.documents import (
    METHODS,
    SERVICES,
    document,
    document_folder,
    document_text,
    operations,
)
from campaign_workers.testing.builders import CREATED
from tests.services.handbook import PAGE, handbook

FAILURES = {"429", "500", "502", "503", "504"}
OF_NOBODY = {"campaignId", "categoryId", "X-Correlation-Id", "Idempotency-Key"}

every_service = pytest.mark.parametrize("service", SERVICES)


def nodes(service: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The operations of a document as they stand there."""
    for path, item in document(service)["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def contents(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each body that an operation has, to or fro."""
    bodies = {"request": node.get("requestBody", {}), **node["responses"]}
    for name, body in bodies.items():
        for media_type, content in body.get("content", {}).items():
            yield f"{name} {media_type}", content


def test_there_is_a_document_for_each_service() -> None:
    """The folder holds the seven documents and nothing else."""
    assert {entry.name for entry in document_folder().iterdir()} == {
        f"{name}.yaml" for name in SERVICES
    }


@every_service
def test_a_document_is_openapi(service: str) -> None:
    """Each document is valid OpenAPI 3.1."""
    loaded = yaml.safe_load(document_text(service))
    assert loaded["openapi"].startswith("3.1")
    validate(loaded)


@every_service
def test_every_body_has_examples_that_fit(service: str) -> None:
    """Each request and each answer is shown, and is as its own schema says."""
    for operation, node in nodes(service):
        for place, content in contents(node):
            validator = Draft202012Validator(content["schema"])
            assert content["examples"], (operation, place)
            for name, example in content["examples"].items():
                wrong = [error.message for error in validator.iter_errors(example["value"])]
                assert not wrong, (operation, place, name)


@every_service
def test_every_operation_says_how_it_fails(service: str) -> None:
    """Each operation has every failure, each POST that takes a key the answer to a reused one."""
    for operation, node in nodes(service):
        statuses = set(node["responses"])
        assert statuses >= FAILURES, operation
        if service != "slack":
            assert statuses >= {"401", "403", "422"}, operation
            assert ("409" in statuses) == any(
                p["name"] == "Idempotency-Key" and p.get("required") for p in node["parameters"]
            ), operation


@every_service
def test_addresses_and_headers_name_nobody(service: str) -> None:
    """What is logged on the way, addresses and headers, holds no id of a person and no code."""
    for operation in operations(service):
        assert {parameter.name for parameter in operation.parameters} <= OF_NOBODY


def test_what_has_one_name_is_one_thing() -> None:
    """Problems, headers and parameters of one name are alike in all documents."""
    seen: dict[tuple[str, str], Any] = {}
    for service in SERVICES:
        components = yaml.safe_load(document_text(service))["components"]
        for kind in ("schemas", "responses", "headers", "parameters", "securitySchemes"):
            for name, node in components.get(kind, {}).items():
                if service == "slack" or name in {"CodeAssignments", "Refused"}:
                    continue
                assert seen.setdefault((kind, name), node) == node, (service, kind, name)


def test_every_operation_has_a_double() -> None:
    """The doubles serve each documented operation under its address, and none besides."""
    doubles = Doubles(ServiceFakes.over(DictTables(), SteppedClock(CREATED)))
    mounts = [mount for mount in doubles.app.routes if isinstance(mount, Mount)]
    served = {
        (mount.path.strip("/"), route.path, method)
        for mount in mounts
        for route in mount.routes
        if isinstance(route, Route) and route.methods
        for method in route.methods - {"HEAD"}
    }
    documented = {
        (operation.service, operation.path, operation.method)
        for service in SERVICES
        for operation in operations(service)
    }
    assert served == documented


def test_the_page_is_that_of_the_documents() -> None:
    """docs/services.md is what `python -m tests.services.handbook` writes."""
    assert PAGE.read_text(encoding="utf-8") == handbook()
