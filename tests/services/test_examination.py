"""Schemathesis finds nothing wrong with the doubles."""

import attrs
import pytest

from campaign_workers.testing.doubles.documents import SERVICES, operations
from campaign_workers.testing.doubles.problems import Reply
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


def test_what_is_wrong_is_found(http_server: Server) -> None:
    """The examination can fail: a double that answers something else does not pass."""
    wrong = world(http_server)
    wrong.doubles._handlers = {"searchUsers": lambda _: Reply(content={"users": 5})}
    good, report = examined("user", wrong.at("user"), examples=1)
    assert not good, report
