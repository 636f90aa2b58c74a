"""Records the requests of clients, and checks them against the documents independently."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qs

import attrs
from jsonschema import Draft202012Validator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from campaign_workers.doubles.documents import SERVICES, document

OURS: Final = {"authorization", "idempotency-key", "x-correlation-id", "content-type"}
HTTP: Final = {"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"}


@attrs.frozen(kw_only=True)
class Recorded:
    """One received request."""

    service: str
    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes = attrs.field(repr=False)
    status: int | None
    """The status of the response; None if there was none."""


@attrs.define
class Recorder:
    """An app that records the requests to the app behind it."""

    inner: ASGIApp
    requests: list[Recorded] = attrs.field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and record it."""
        place = scope["path"].removeprefix(scope.get("root_path", ""))
        service, _, path = place.removeprefix("/").partition("/")
        chunks: list[bytes] = []
        statuses: list[int | None] = []

        async def record_receive() -> Message:
            message = await receive()
            chunks.append(message.get("body", b""))
            return message

        async def record_send(message: Message) -> None:
            statuses.append(message.get("status"))
            await send(message)

        await self.inner(scope, record_receive, record_send)
        self.requests.append(
            Recorded(
                service=service,
                method=scope["method"],
                path=f"/{path}",
                query=parse_qs(scope["query_string"].decode(), keep_blank_values=True),
                headers={name.decode(): value.decode() for name, value in scope["headers"]},
                body=b"".join(chunks),
                status=next(iter(statuses), None),
            )
        )


def assert_request_documented(request: Recorded) -> str:
    """Assert that a request matches its document, and return its operation id."""
    assert request.service in SERVICES
    template, node = operation(request)
    given = _path_values(template, request.path)
    expected = {parameter["name"]: parameter for parameter in node.get("parameters", ())}
    assert request.query.keys() <= expected.keys()
    for name, parameter in expected.items():
        value = {
            "path": given.get(name),
            "header": request.headers.get(name.lower()),
            "query": _query_value(request.query.get(name), parameter["schema"]),
        }[parameter["in"]]
        assert value is not None or not parameter.get("required"), name
        if value is not None:
            Draft202012Validator(parameter["schema"]).validate(value)
    _check_headers(request)
    if "requestBody" in node:
        content = node["requestBody"]["content"][request.headers["content-type"]]
        body = json.loads(request.body)
        Draft202012Validator(content["schema"]).validate(body)
        assert not list(_unknown_fields(body, content["schema"]))
    else:
        assert not request.body
    return str(node["operationId"])


def _unknown_fields(value: Any, schema: Mapping[str, Any], place: str = "$") -> Iterator[str]:
    """Yield fields that the document lacks, which a validator would accept."""
    if isinstance(value, list):
        for item in value:
            yield from _unknown_fields(item, schema.get("items", {}), f"{place}[]")
    if isinstance(value, dict) and "additionalProperties" not in schema:
        known = schema.get("properties", {})
        yield from (f"{place}.{name}" for name in value.keys() - known.keys())
        for name in value.keys() & known.keys():
            yield from _unknown_fields(value[name], known[name], f"{place}.{name}")


def operation(request: Recorded) -> tuple[str, Mapping[str, Any]]:
    """Return the path template and the node of the operation of a request."""
    found = [
        (path, item[request.method.lower()])
        for path, item in document(request.service)["paths"].items()
        if request.method.lower() in item and _matches(path, request.path)
    ]
    assert len(found) == 1, request
    return found[0]


def _matches(template: str, path: str) -> re.Match[str] | None:
    pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template))
    return re.fullmatch(pattern, path)


def _path_values(template: str, path: str) -> dict[str, str]:
    match = _matches(template, path)
    assert match
    return match.groupdict()


def _query_value(values: list[str] | None, schema: Mapping[str, Any]) -> Any:
    if values is None:
        return None
    return [int(value) for value in values] if schema["type"] == "array" else values[0]


def _check_headers(request: Recorded) -> None:
    """Assert that the request has the documented headers and no others."""
    assert request.headers.keys() <= OURS | HTTP
    assert request.headers["authorization"].startswith("Bearer ")
    assert request.headers["x-correlation-id"]
    assert ("idempotency-key" in request.headers) == (request.method == "POST")
