"""Schemathesis finds no failure of the doubles."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from starlette.requests import Request

from campaign_workers.doubles import Doubles
from campaign_workers.doubles.documents import SERVICES, Operation, operations
from campaign_workers.doubles.problems import Problem, Reply
from tests.contracts.http_worlds import Server, world
from tests.services.request_recorder import Recorder
from tests.services.schemathesis_runs import run_schemathesis, with_example_data

FEW = 4
"""The number of examples; `nox -s services` runs more."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_double_is_as_documented(http_server: Server, service: str) -> None:
    """Requests that the document allows succeed as documented; others are refused as documented."""
    fresh = with_example_data(world(http_server, channels={"#summer-tour"}))
    recorder = Recorder(fresh.doubles.app)
    fresh = attrs.evolve(fresh, url=http_server.add_app(recorder))
    passed, report = run_schemathesis(service, fresh.at(service), examples=FEW)
    assert passed, report
    # Refusing every request would match the document too.
    succeeded = {request.path for request in recorder.requests if request.status in range(200, 300)}
    for operation in operations(service):
        assert operation.path.format(campaignId="summer-tour") in succeeded


def fixed_reply(**reply: Any) -> Callable[[Doubles], None]:
    """Return a change that makes a double reply the same to every request."""

    def change(doubles: Doubles) -> None:
        doubles._handlers = {"searchUsers": lambda _: Reply(**reply)}

    return change


def skip_token_check(doubles: Doubles) -> None:
    """Make a double accept any token."""
    doubles._check_token = lambda *_: None  # type: ignore[method-assign]


def skip_validation(doubles: Doubles) -> None:
    """Make a double accept any body."""
    original = doubles._execute

    async def execute(operation: Operation, request: Request, body: bytes) -> Reply:
        try:
            return await original(operation, request, body)
        except Problem as problem:
            if problem.name == "invalid":
                return Reply(content={"users": []})
            raise

    doubles._execute = execute  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "change",
    [
        fixed_reply(content={"users": 5}),
        fixed_reply(content={}),
        fixed_reply(content={"users": []}, status=203),
        fixed_reply(content={"users": []}, media_type="text/plain"),
        skip_token_check,
        skip_validation,
    ],
    ids=["type", "field", "status", "media type", "token", "request"],
)
def test_schemathesis_finds_failures(
    http_server: Server, change: Callable[[Doubles], None]
) -> None:
    """A double that does not match its document fails."""
    wrong = world(http_server)
    change(wrong.doubles)
    passed, report = run_schemathesis("user", wrong.at("user"), examples=1)
    assert not passed, report
