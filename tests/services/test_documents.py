"""The OpenAPI documents are valid, complete and consistent with each other."""

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
from tests.services.services_page import PAGE, services_page

FAILURES = {"429", "500", "502", "503", "504"}
IMPERSONAL = {"campaignId", "categoryId", "X-Correlation-Id", "Idempotency-Key"}

every_service = pytest.mark.parametrize("service", SERVICES)


def nodes(service: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the operations of a document and their nodes."""
    for path, item in document(service)["paths"].items():
        for method in METHODS:
            if method in item:
                yield f"{method} {path}", item[method]


def contents(node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each request and response body of an operation."""
    bodies = {"request": node.get("requestBody", {}), **node["responses"]}
    for name, body in bodies.items():
        for media_type, content in body.get("content", {}).items():
            yield f"{name} {media_type}", content


def test_there_is_a_document_for_each_service() -> None:
    """The folder has the seven documents and no other file."""
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
def test_every_body_has_valid_examples(service: str) -> None:
    """Each request and response has examples that match its schema."""
    for operation, node in nodes(service):
        for place, content in contents(node):
            validator = Draft202012Validator(content["schema"])
            assert content["examples"], (operation, place)
            for name, example in content["examples"].items():
                wrong = [error.message for error in validator.iter_errors(example["value"])]
                assert not wrong, (operation, place, name)


@every_service
def test_every_operation_documents_its_failures(service: str) -> None:
    """Each operation documents every failure, with 409 where a key is required."""
    for operation, node in nodes(service):
        statuses = set(node["responses"])
        assert statuses >= FAILURES, operation
        if service != "slack":
            assert statuses >= {"401", "403", "422"}, operation
            assert ("409" in statuses) == any(
                p["name"] == "Idempotency-Key" and p.get("required") for p in node["parameters"]
            ), operation


@every_service
def test_urls_and_headers_have_no_personal_data(service: str) -> None:
    """URLs and headers, which are logged, have no id of a person and no code."""
    for operation in operations(service):
        assert {parameter.name for parameter in operation.parameters} <= IMPERSONAL


def test_shared_components_are_equal() -> None:
    """Components with the same name are equal in all documents."""
    seen: dict[tuple[str, str], Any] = {}
    for service in SERVICES:
        components = yaml.safe_load(document_text(service))["components"]
        for kind in ("schemas", "responses", "headers", "parameters", "securitySchemes"):
            for name, node in components.get(kind, {}).items():
                if service == "slack" or name in {"CodeAssignments", "Refused"}:
                    continue
                assert seen.setdefault((kind, name), node) == node, (service, kind, name)


def test_every_operation_has_a_double() -> None:
    """The doubles serve the documented operations and no others."""
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


def test_the_page_is_up_to_date() -> None:
    """docs/services.md is the output of `python -m tests.services.services_page`."""
    assert PAGE.read_text(encoding="utf-8") == services_page()
