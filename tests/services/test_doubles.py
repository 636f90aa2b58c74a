"""The doubles respond as documented, with every status of every operation."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from campaign_workers.doubles.documents import Operation
from tests.contracts.http_worlds import Server, World, world
from tests.services.example_requests import (
    ask,
    assert_documented,
    every_operation,
    example_body,
    operation_node,
)
from tests.services.schemathesis_runs import with_example_data

OPERATIONS = {operation.name: operation for operation in every_operation()}


@pytest.fixture
def fresh(http_server: Server) -> World:
    """Return a world with the data of the documents' examples."""
    return with_example_data(world(http_server, channels={"#summer-tour"}, dead_endings=("0199",)))


def another_body(operation: Operation) -> Any:
    """Return the example body with a changed value."""
    return json.loads(
        json.dumps(example_body(operation)).replace("fan-2", "fan-9").replace("K7Q", "K8Q")
    )


def send_reused_key(world: World, operation: Operation) -> httpx.Response:
    """Send two different requests with the same key."""
    ask(world, operation)
    changed = another_body(operation)
    if changed == example_body(operation):
        changed |= {"count": 1}
    return ask(world, operation, body=changed)


def send_refused(world: World, operation: Operation) -> httpx.Response:
    """Send a request that is refused for good or does not match the document."""
    bodies = {
        "sendMessage": example_body(operation) | {"to": "+12125550199"}
        if operation.name == "sendMessage"
        else None,
        "createOfferCode": {
            "user": "g",
            "begin": "2026-01-02T00:00:00Z",
            "end": "2026-01-01T00:00:00Z",
        },
    }
    if operation.method == "GET":
        return ask(world, operation, campaign_id="a..b", X_Correlation_Id="x" * 129)
    return ask(world, operation, body=bodies.get(operation.name) or {})


def send_unknown_campaign(world: World, operation: Operation) -> httpx.Response:
    """Send a request for an unknown campaign."""
    body = example_body(operation)
    return ask(
        world, operation, campaign_id="nowhere", body=body and body | {"campaignId": "nowhere"}
    )


REQUESTS_BY_STATUS: dict[int, Callable[[World, Operation], httpx.Response]] = {
    200: ask,
    201: ask,
    202: ask,
    401: lambda world, operation: ask(world, operation, token="unknown"),
    403: lambda world, operation: ask(world, operation, token="no scope"),
    404: send_unknown_campaign,
    409: send_reused_key,
    410: lambda world, operation: ask(
        world, operation, body=example_body(operation) | {"cursor": "x"}
    ),
    422: send_refused,
}


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param(operation, status, id=f"{operation.name}-{status}")
        for operation in every_operation()
        for status in operation.statuses
    ],
)
def test_every_documented_status_occurs(fresh: World, operation: Operation, status: int) -> None:
    """Each status of each operation occurs, by its cause or by injection, as documented."""
    fresh.doubles.tokens["no scope"] = ()
    if status in REQUESTS_BY_STATUS:
        response = REQUESTS_BY_STATUS[status](fresh, operation)
    else:
        fault = "too-many=3" if status == 429 else f"error={status}"
        response = ask(fresh, operation, X_Fault=fault)
    assert response.status_code == status, response.text
    assert_documented(operation, response)
    if operation.service != "slack":
        assert response.headers["X-Correlation-Id"] == response.request.headers["X-Correlation-Id"]
    if status == 429:
        assert response.headers["Retry-After"] == "3"


@pytest.mark.parametrize("name", [name for name, o in OPERATIONS.items() if o.takes_key])
def test_a_repeated_key_gets_the_first_response(fresh: World, name: str) -> None:
    """A repeat gets the first response, byte for byte, and has no effect."""
    first = ask(fresh, OPERATIONS[name])
    assert ask(fresh, OPERATIONS[name], X_Correlation_Id="call-2").content == first.content
    assert ask(fresh, OPERATIONS[name], key="another").status_code == first.status_code


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {("$.id", "missing"), ("$.to", "missing"), ("$.text", "missing")}),
        ({"id": "", "to": 5, "text": "x"}, {("$.id", "empty"), ("$.to", "wrong")}),
        ({"id": "m", "to": "x", "text": "x", "metadata": {"a": 1}}, {("$.metadata.*", "wrong")}),
        ([], {("$", "wrong")}),
    ],
)
def test_every_wrong_field_is_reported(
    fresh: World, body: Any, errors: set[tuple[str, str]]
) -> None:
    """The problem lists every wrong field."""
    answer = ask(fresh, OPERATIONS["sendMessage"], body=body).json()
    assert {(error["field"], error["problem"]) for error in answer["errors"]} == errors


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a": ' * 5000, b"\xff"])
def test_invalid_json_is_reported(fresh: World, body: bytes) -> None:
    """An invalid body gets a documented problem."""
    headers = {"Authorization": "Bearer local", "Content-Type": "application/json"}
    place = fresh.at("user") + "/users/search"
    answer = httpx.post(place, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 422
    assert_documented(OPERATIONS["searchUsers"], answer)


@pytest.mark.parametrize(
    ("error", "body", "token"),
    [
        ("invalid_auth", ..., "unknown"),
        ("missing_scope", ..., "no scope"),
        ("invalid_arguments", {}, "local"),
        ("channel_not_found", {"channel": "#nowhere", "text": "x"}, "local"),
        ("no_text", {"channel": "#summer-tour"}, "local"),
        ("msg_too_long", {"channel": "#summer-tour", "text": "x" * 40_001}, "local"),
        (
            "invalid_blocks",
            {"channel": "#summer-tour", "blocks": [{"type": "divider"}] * 51},
            "local",
        ),
    ],
)
def test_slack_reports_errors_with_status_200(
    fresh: World, error: str, body: Any, token: str
) -> None:
    """Slack's double responds with status 200 and the name of the error."""
    fresh.doubles.tokens["no scope"] = ()
    answer = ask(fresh, OPERATIONS["postMessage"], body=body, token=token)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


def test_unknown_paths_and_methods_get_problems(fresh: World) -> None:
    """An unknown path or method gets a problem document."""
    for method, path, status in (("GET", "/nope", 404), ("GET", "/users/search", 405)):
        answer = httpx.request(method, fresh.at("user") + path, trust_env=False)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_the_documents_are_served(fresh: World) -> None:
    """Each document is available over HTTP."""
    for name, found in (("sms", 200), ("nope", 404)):
        answer = httpx.get(f"{fresh.url}/openapi/{name}.yaml", trust_env=False)
        assert answer.status_code == found
        assert ("openapi: 3.1.0" in answer.text) == (found == 200)


@pytest.mark.parametrize("order", ["fan", "score", "random"])
def test_pages_contain_each_candidate_once(fresh: World, order: str) -> None:
    """In any order, pages of any size contain every candidate once."""
    records: list[dict[str, Any]] = [
        {"type": "scoring", "campaignId": "summer-tour", "globalUserId": f"g{number}", "tags": [],
         "score": (number * 7 % 10) / 10, "verdict": 1, "marketIds": ["nyc"], "source": "scored",
         "created": "2026-09-10T00:00:00Z"}
        for number in range(10)
    ]  # fmt: skip
    response = httpx.post(
        f"{fresh.url}/_doubles/records", json=[json.dumps(r) for r in records], trust_env=False
    )
    assert response.status_code == 200
    wanted = {"campaignId": "summer-tour", "marketIds": ["nyc"], "limit": 3, "order": order}
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = ask(fresh, OPERATIONS["searchCandidates"], body=wanted | {"cursor": cursor}).json()
        found += [row["globalUserId"] for row in page["candidates"]]
        cursor, pages = page["next"], pages + 1
    scores = {record["globalUserId"]: record["score"] for record in records}
    assert (pages, sorted(found)) == (4, sorted(scores))
    if order == "fan":
        assert found == sorted(scores)
    if order == "score":
        assert found == sorted(scores, key=lambda fan: (-scores[fan], fan))


def test_examples_are_carried_out(fresh: World) -> None:
    """The requests of the examples take effect behind the doubles."""
    for name in ("sendMessage", "postMessage", "assignPoolCodes"):
        ask(fresh, OPERATIONS[name], key="0b8f5c52-9a3f-5f0e-8a51-3a6f5f0d9b11")
    texts = httpx.get(f"{fresh.url}/_doubles/texts", trust_env=False).json()
    assert [text["group"] for text in texts] == ["summer-tour_2026-11-20"]
    posts = httpx.get(f"{fresh.url}/_doubles/posts", trust_env=False).json()
    assert posts[0]["text"] == example_body(OPERATIONS["postMessage"])["text"]
    assert fresh.behind.codes.available("summer-tour") == 1


def test_every_documented_status_is_tested() -> None:
    """No operation documents a status without a test."""
    ordered = {429, 500, 502, 503, 504}
    assert {s for o in every_operation() for s in o.statuses} <= REQUESTS_BY_STATUS.keys() | ordered
    assert all(operation_node(operation)["responses"] for operation in every_operation())
