"""Schemathesis finds nothing wrong with the doubles."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from starlette.requests import Request

from campaign_workers.doubles import Doubles
from campaign_workers.doubles.documents import SERVICES, Operation, operations
from campaign_workers.doubles.problems import Problem, Reply
from tests.contracts.http_worlds import Server, world
from tests.services.examination import examined, examinee
from tests.services.recording import Recorder

FEW = 4
"""`nox -s services` looks longer."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_double_is_as_documented(http_server: Server, service: str) -> None:
    """Requests that the document allows are answered as it says, others refused as it says."""
    fresh = examinee(world(http_server, channels={"#summer-tour"}))
    recorder = Recorder(fresh.doubles.app)
    fresh = attrs.evolve(fresh, url=http_server.add_app(recorder))
    good, report = examined(service, fresh.at(service), examples=FEW)
    assert good, report
    # Refusing everything would be as documented too.
    succeeded = {request.path for request in recorder.requests if request.status in range(200, 300)}
    for operation in operations(service):
        assert operation.path.format(campaignId="summer-tour") in succeeded


def answering(**reply: Any) -> Callable[[Doubles], None]:
    """A double that gives everybody the same answer."""

    def change(doubles: Doubles) -> None:
        doubles._handlers = {"searchUsers": lambda _: Reply(**reply)}

    return change


def trusting(doubles: Doubles) -> None:
    """A double that asks for no token."""
    doubles._check_token = lambda *_: None  # type: ignore[method-assign]


def indulgent(doubles: Doubles) -> None:
    """A double that takes any body for a good one."""
    carry_out = doubles._execute

    async def whatever(operation: Operation, request: Request, body: bytes) -> Reply:
        try:
            return await carry_out(operation, request, body)
        except Problem as problem:
            if problem.name == "invalid":
                return Reply(content={"users": []})
            raise

    doubles._execute = whatever  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "lie",
    [
        answering(content={"users": 5}),
        answering(content={}),
        answering(content={"users": []}, status=203),
        answering(content={"users": []}, media_type="text/plain"),
        trusting,
        indulgent,
    ],
    ids=["type", "field", "status", "media type", "token", "request"],
)
def test_what_is_wrong_is_found(http_server: Server, lie: Callable[[Doubles], None]) -> None:
    """The examination can fail: a double that does not as it is documented does not pass."""
    wrong = world(http_server)
    lie(wrong.doubles)
    good, report = examined("user", wrong.at("user"), examples=1)
    assert not good, report
