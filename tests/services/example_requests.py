"""Example requests from the OpenAPI documents, sent to the doubles without our clients."""

from collections.abc import Iterator
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from campaign_workers.doubles import LOCAL_TOKEN
from campaign_workers.doubles.documents import SERVICES, Operation, document, operations
from tests.contracts.http_worlds import World


def every_operation() -> Iterator[Operation]:
    """Yield the operations of all services."""
    for service in SERVICES:
        yield from operations(service)


def operation_node(operation: Operation) -> dict[str, Any]:
    """Return the node of an operation in its document."""
    node: dict[str, Any] = document(operation.service)["paths"][operation.path][
        operation.method.lower()
    ]
    return node


def example_body(operation: Operation) -> Any:
    """Return the first example of the request body, None if there is no body."""
    body = operation_node(operation).get("requestBody")
    if body is None:
        return None
    return next(iter(body["content"]["application/json"]["examples"].values()))["value"]


def ask(
    world: World,
    operation: Operation,
    *,
    token: str = LOCAL_TOKEN,
    body: Any = ...,
    key: str = "key-1",
    campaign_id: str = "summer-tour",
    **headers: str,
) -> httpx.Response:
    """Send the example of an operation with the given changes."""
    queries: dict[str, dict[str, Any]] = {
        "findCampaigns": {"categoryId": [4711, 4712]},
    }
    return httpx.request(
        operation.method,
        world.at(operation.service) + operation.path.format(campaignId=campaign_id),
        params=queries.get(operation.name),
        json=example_body(operation) if body is ... else body,
        headers={
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "X-Correlation-Id": "call-1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
        trust_env=False,
    )


def assert_documented(operation: Operation, answer: httpx.Response) -> None:
    """Assert that status, media type, headers and content of a response are documented."""
    response = operation_node(operation)["responses"][str(answer.status_code)]
    for name, header in response.get("headers", {}).items():
        if name != "Retry-After":
            assert name in answer.headers
        elif name in answer.headers:
            assert answer.headers[name].isdigit(), header
    content = response.get("content")
    if content is None:
        assert not answer.content
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    Draft202012Validator(content[media_type]["schema"]).validate(answer.json())
