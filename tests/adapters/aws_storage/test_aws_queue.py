"""A queue that takes some messages and not others."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.sqs import SqsMessageQueue
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import Fatal, RejectRecord, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES
from campaign_workers.testing.builders import CREATED
from tests.adapters.aws_storage.fake_batches import FakeSqs, Script

FAILED = "InternalError"

messages = st.lists(
    st.text("abé🎫\t\n", min_size=1, max_size=3)
    | st.integers(1, 4).map(lambda n: "é" * (n * MAX_MESSAGE_BYTES // 8)),
    max_size=40,
)
scripts = st.lists(st.lists(st.sampled_from(["", "", FAILED, "ThrottlingException"])), max_size=12)


def queue(client: FakeSqs) -> SqsMessageQueue:
    """The queue of a client, whose waits take no time."""
    return SqsMessageQueue(client, SteppedClock(CREATED), name="q")


@given(bodies=messages, script=scripts)
def test_partial_failures_lose_and_double_nothing(bodies: list[str], script: Script) -> None:
    """Whatever fails, each message is there once; when the queue gives up, none twice."""
    client = FakeSqs(script)
    try:
        assert queue(client).send(iter(bodies)) == len(bodies)
    except RetryLater:
        assert Counter(client.taken) <= Counter(bodies)
    else:
        assert Counter(client.taken) == Counter(bodies)


def test_only_what_failed_is_sent_again() -> None:
    """The others of the request are there already; the queue's address is asked for once."""
    client = FakeSqs([["", FAILED, "", FAILED], [FAILED]])
    assert queue(client).send("abcd") == 4
    assert client.requests == [["a", "b", "c", "d"], ["b", "d"], ["b"]]
    assert client.urls_asked == 1


def test_a_queue_that_keeps_failing_is_given_up() -> None:
    """After so many tries, with pauses between them; what was sent stays."""
    clock, client = (
        SteppedClock(CREATED),
        FakeSqs([["", FAILED]] + [[FAILED]] * Backoff().max_attempts),
    )
    with pytest.raises(RetryLater, match="sqs: q: the service failed"):
        SqsMessageQueue(client, clock, name="q").send("ab")
    assert (len(client.requests), client.taken) == (Backoff().max_attempts, ["a"])
    assert clock.now() > CREATED


@pytest.mark.parametrize("code", ["InvalidMessageContents", "KMS.DisabledException"])
def test_a_message_that_is_refused_is_not_sent_again(code: str) -> None:
    """Fault of the sender is for a person."""
    client = FakeSqs([[code]], sender_fault=True)
    with pytest.raises(Fatal, match=code):
        queue(client).send("ab")
    assert len(client.requests) == 1


def test_requests_are_as_large_as_they_may_be() -> None:
    """Ten messages, or 256 KiB of UTF-8."""
    client = FakeSqs()
    queue(client).send(["x"] * 23)
    assert [len(request) for request in client.requests] == [10, 10, 3]
    client = FakeSqs()
    queue(client).send(["é" * (MAX_MESSAGE_BYTES // 6)] * 7)
    assert [len(request) for request in client.requests] == [3, 3, 1]


def test_what_waits_is_sent_before_a_rejection() -> None:
    """Even if some of it fails at first."""
    client = FakeSqs([[FAILED, "", FAILED]])
    with pytest.raises(RejectRecord):
        queue(client).send(["a", "b", "c", "\0"])
    assert sorted(client.taken) == ["a", "b", "c"]
