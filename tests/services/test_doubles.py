"""The doubles answer as documented: every status of every operation."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from campaign_workers.doubles.documents import Operation
from tests.contracts.http_worlds import Server, World, world
from tests.services.asking import ask, assert_documented, every_operation, example, node
from tests.services.examination import examinee

OPERATIONS = {operation.name: operation for operation in every_operation()}


@pytest.fixture
def fresh(http_server: Server) -> World:
    """A world in which every example of the documents can be carried out."""
    return examinee(world(http_server, channels={"#summer-tour"}, dead_endings=("0199",)))


def another_body(operation: Operation) -> Any:
    """The example with another value in it."""
    return json.loads(
        json.dumps(example(operation)).replace("fan-2", "fan-9").replace("K7Q", "K8Q")
    )


def reused(world: World, operation: Operation) -> httpx.Response:
    """A key that comes again with another request."""
    ask(world, operation)
    changed = another_body(operation)
    if changed == example(operation):
        changed |= {"count": 1}
    return ask(world, operation, body=changed)


def refused(world: World, operation: Operation) -> httpx.Response:
    """What the service refuses for good, or what is not as documented."""
    bodies = {
        "sendMessage": example(operation) | {"to": "+12125550199"}
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


def unknown_campaign(world: World, operation: Operation) -> httpx.Response:
    """A campaign that is not there."""
    body = example(operation)
    return ask(
        world, operation, campaign_id="nowhere", body=body and body | {"campaignId": "nowhere"}
    )


NATURALLY: dict[int, Callable[[World, Operation], httpx.Response]] = {
    200: ask,
    201: ask,
    202: ask,
    401: lambda world, operation: ask(world, operation, token="nobody's"),
    403: lambda world, operation: ask(world, operation, token="no scope"),
    404: unknown_campaign,
    409: reused,
    410: lambda world, operation: ask(world, operation, body=example(operation) | {"cursor": "x"}),
    422: refused,
}


@pytest.mark.parametrize(
    ("operation", "status"),
    [
        pytest.param(operation, status, id=f"{operation.name}-{status}")
        for operation in every_operation()
        for status in operation.statuses
    ],
)
def test_every_documented_status_can_be_had(
    fresh: World, operation: Operation, status: int
) -> None:
    """Each status of each operation comes for its own reason, or by order, and as documented."""
    fresh.doubles.tokens["no scope"] = ()
    if status in NATURALLY:
        answer = NATURALLY[status](fresh, operation)
    else:
        fault = "too-many=3" if status == 429 else f"error={status}"
        answer = ask(fresh, operation, X_Fault=fault)
    assert answer.status_code == status, answer.text
    assert_documented(operation, answer)
    if operation.service != "slack":
        assert answer.headers["X-Correlation-Id"] == answer.request.headers["X-Correlation-Id"]
    if status == 429:
        assert answer.headers["Retry-After"] == "3"


@pytest.mark.parametrize("name", [name for name, o in OPERATIONS.items() if o.takes_key])
def test_a_key_that_comes_again_is_answered_as_before(fresh: World, name: str) -> None:
    """A repeat gets the first answer to the byte and changes nothing."""
    first = ask(fresh, OPERATIONS[name])
    assert ask(fresh, OPERATIONS[name], X_Correlation_Id="call-2").content == first.content
    assert ask(fresh, OPERATIONS[name], key="another").status_code == first.status_code


@pytest.mark.parametrize(
    ("problem", "told"),
    [
        ({}, {("$.id", "missing"), ("$.to", "missing"), ("$.text", "missing")}),
        ({"id": "", "to": 5, "text": "x"}, {("$.id", "empty"), ("$.to", "wrong")}),
        ({"id": "m", "to": "x", "text": "x", "metadata": {"a": 1}}, {("$.metadata.*", "wrong")}),
        ([], {("$", "wrong")}),
    ],
)
def test_what_is_wrong_is_told_by_its_place(
    fresh: World, problem: Any, told: set[tuple[str, str]]
) -> None:
    """A request that is not as documented is answered with each field that is wrong."""
    answer = ask(fresh, OPERATIONS["sendMessage"], body=problem).json()
    assert {(error["field"], error["problem"]) for error in answer["errors"]} == told


@pytest.mark.parametrize("body", [b"", b"{", b"NaN", b'{"a": ' * 5000, b"\xff"])
def test_what_is_no_json_is_told(fresh: World, body: bytes) -> None:
    """A body that cannot be read is a documented problem."""
    headers = {"Authorization": "Bearer local", "Content-Type": "application/json"}
    place = fresh.at("user") + "/users/search"
    answer = httpx.post(place, content=body, headers=headers, trust_env=False)
    assert answer.status_code == 422
    assert_documented(OPERATIONS["searchUsers"], answer)


@pytest.mark.parametrize(
    ("error", "body", "token"),
    [
        ("invalid_auth", ..., "nobody's"),
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
def test_slack_says_what_is_wrong_in_its_own_way(
    fresh: World, error: str, body: Any, token: str
) -> None:
    """Slack's double answers 200 with the name of the error."""
    fresh.doubles.tokens["no scope"] = ()
    answer = ask(fresh, OPERATIONS["postMessage"], body=body, token=token)
    assert (answer.status_code, answer.json()) == (200, {"ok": False, "error": error})


def test_unknown_addresses_and_methods_are_problems(fresh: World) -> None:
    """Where there is no operation the answer is a problem too."""
    for method, path, status in (("GET", "/nope", 404), ("GET", "/users/search", 405)):
        answer = httpx.request(method, fresh.at("user") + path, trust_env=False)
        assert (answer.status_code, answer.json()["status"]) == (status, status)


def test_the_documents_are_served(fresh: World) -> None:
    """Each document can be fetched from where it is served."""
    for name, found in (("sms", 200), ("nope", 404)):
        answer = httpx.get(f"{fresh.url}/openapi/{name}.yaml", trust_env=False)
        assert answer.status_code == found
        assert ("openapi: 3.1.0" in answer.text) == (found == 200)


@pytest.mark.parametrize("order", ["fan", "score", "random"])
def test_pages_have_each_candidate_once(fresh: World, order: str) -> None:
    """Whatever the order, pages of any size hold every candidate once, as the order says."""
    records: list[dict[str, Any]] = [
        {"type": "scoring", "campaignId": "summer-tour", "globalUserId": f"g{number}", "tags": [],
         "score": (number * 7 % 10) / 10, "verdict": 1, "marketIds": ["nyc"], "source": "scored",
         "created": "2026-09-10T00:00:00Z"}
        for number in range(10)
    ]  # fmt: skip
    taken = httpx.post(
        f"{fresh.url}/_doubles/records", json=[json.dumps(r) for r in records], trust_env=False
    )
    assert taken.status_code == 200
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
    """The double does not only answer: what the examples ask for is done behind it."""
    for name in ("sendMessage", "postMessage", "assignPoolCodes"):
        ask(fresh, OPERATIONS[name], key="0b8f5c52-9a3f-5f0e-8a51-3a6f5f0d9b11")
    texts = httpx.get(f"{fresh.url}/_doubles/texts", trust_env=False).json()
    assert [text["group"] for text in texts] == ["summer-tour_2026-11-20"]
    posts = httpx.get(f"{fresh.url}/_doubles/posts", trust_env=False).json()
    assert posts[0]["text"] == example(OPERATIONS["postMessage"])["text"]
    assert fresh.behind.codes.available("summer-tour") == 1


def test_every_status_has_a_reason_here() -> None:
    """No operation documents a status that no test asks for."""
    ordered = {429, 500, 502, 503, 504}
    assert {s for o in every_operation() for s in o.statuses} <= NATURALLY.keys() | ordered
    assert all(node(operation)["responses"] for operation in every_operation())
