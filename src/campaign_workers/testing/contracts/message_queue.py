"""Contracts of `MessageQueue`, and of queues with the receivers' side."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract, Outage, SourceError, race

Held = Callable[[], Sequence[str]]
"""Reads the bodies of the queued messages directly from the backend, without the adapter."""

REFUSED: Final = {
    "empty": "",
    "large": "x" * (MAX_MESSAGE_BYTES + 1),
    "large in UTF-8": "é" * (MAX_MESSAGE_BYTES // 2 + 1),
    "without UTF-8": "\ud800",
    "control character": "xx\0",
    "no character": "xx\uffff",
}


class MessageQueueContract(Contract):
    """Fixtures: `queue`, empty; `held`, the bodies in the backend; `outage`."""

    def test_messages_arrive_unchanged(self, queue: MessageQueue, held: Held) -> None:
        """Any text is a message, and equal messages are separate."""
        bodies = ['{"name": "Zoë 🎫\\u0000"}', " \t\r\n", "x", "x"]
        assert queue.send(bodies) == 4
        assert sorted(held()) == sorted(bodies)

    def test_sending_no_messages_is_no_error(self, queue: MessageQueue, held: Held) -> None:
        """An empty send sends nothing."""
        assert queue.send([]) == 0
        assert list(held()) == []

    def test_many_messages_are_sent(self, queue: MessageQueue, held: Held) -> None:
        """More messages than fit in one request are sent in several."""
        bodies = [f"message {number}" for number in range(123)]
        assert queue.send(iter(bodies[:100])) == 100
        assert queue.send(bodies[100:]) == 23
        assert sorted(held()) == sorted(bodies)

    @pytest.mark.parametrize("letter", ["x", "é", "🎫"])
    def test_a_message_has_at_most_256_kibibytes(
        self, queue: MessageQueue, held: Held, letter: str
    ) -> None:
        """The size limit counts UTF-8 bytes, and several largest messages are sent together."""
        largest = letter * (MAX_MESSAGE_BYTES // len(letter.encode()))
        assert queue.send([largest] * 3) == 3
        with pytest.raises(RejectRecord):
            queue.send([largest + "x"])
        assert list(held()) == [largest] * 3

    @pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
    def test_what_comes_before_a_rejected_message_is_sent(
        self, queue: MessageQueue, held: Held, refused: str
    ) -> None:
        """Messages before the rejected one are queued, those after it are not."""
        with pytest.raises(RejectRecord) as caught:
            queue.send(["first", "second", refused, "later"])
        assert sorted(held()) == ["first", "second"]
        assert "xx" not in str(caught.value)

    def test_an_error_of_the_source_is_raised(self, queue: MessageQueue, held: Held) -> None:
        """The source's error is raised, and only messages from the source are queued."""
        given = [f"message {number}" for number in range(25)]

        def source() -> Iterator[str]:
            yield from given
            raise SourceError

        with pytest.raises(SourceError):
            queue.send(source())
        found = list(held())
        assert len(found) == len(set(found))
        assert set(found) <= set(given)

    def test_concurrent_senders_lose_nothing(self, queue: MessageQueue, held: Held) -> None:
        """All messages of concurrent threads are queued."""
        sent = [[f"{thread}/{number}" for number in range(50)] for thread in range(4)]
        assert race(*(partial(queue.send, bodies) for bodies in sent)) == [50] * 4
        assert sorted(held()) == sorted(body for bodies in sent for body in bodies)

    def test_an_outage_raises_retry_later(
        self, queue: MessageQueue, held: Held, outage: Outage
    ) -> None:
        """While the queue fails, `send` raises `RetryLater`; afterwards it succeeds."""
        with outage(), pytest.raises(RetryLater):
            queue.send(["x"])
        assert list(held()) == []
        assert queue.send(["x"]) == 1


class Received(Protocol):
    """A message in flight, and the number of its receipts."""

    @property
    def message_id(self) -> str:
        """The id, which is the same at every receipt."""
        ...

    @property
    def body(self) -> str:
        """The text of the message."""
        ...

    @property
    def receive_count(self) -> int:
        """The number of receipts, including this one."""
        ...


class ReceivableQueue(MessageQueue, Protocol):
    """A queue with the receivers' side, which the embedded runtime needs."""

    def receive(self, limit: int, *, visibility_seconds: float) -> Sequence[Received]:
        """Return at most `limit` messages and hide them from others for `visibility_seconds`."""
        ...

    def delete(self, message_id: str) -> None:
        """Delete a message; a missing one is no error."""
        ...

    def depth(self) -> int:
        """Return the number of messages, including those in flight."""
        ...

    def bodies(self) -> Iterator[str]:
        """Yield the bodies of all messages, oldest first, without receiving them."""
        ...


def receive_bodies(queue: ReceivableQueue, limit: int = 10, *, seconds: float = 30) -> list[str]:
    """Receive the next messages and return their bodies."""
    return [message.body for message in queue.receive(limit, visibility_seconds=seconds)]


class ReceivableQueueContract(Contract):
    """Fixtures: `queue`, empty; `clock`, the clock of the queue."""

    def test_the_oldest_messages_come_first(self, queue: ReceivableQueue) -> None:
        """The requested number of messages is returned in the order of sending."""
        bodies = [f"message {number}" for number in range(12)]
        queue.send(bodies)
        assert receive_bodies(queue, 3) == bodies[:3]
        assert receive_bodies(queue, 100) == bodies[3:]
        assert receive_bodies(queue, 100) == []

    def test_a_received_message_is_hidden_temporarily(
        self, queue: ReceivableQueue, clock: Clock
    ) -> None:
        """It reappears after the visibility timeout, until it is deleted."""
        queue.send(["x"])
        assert receive_bodies(queue, seconds=30) == ["x"]
        clock.sleep(29.5)
        assert receive_bodies(queue) == []
        clock.sleep(0.5)
        [again] = queue.receive(10, visibility_seconds=0)
        assert (again.body, again.receive_count) == ("x", 2)
        queue.delete(again.message_id)
        clock.sleep(60)
        assert receive_bodies(queue) == []

    def test_receipts_are_counted(self, queue: ReceivableQueue) -> None:
        """A message keeps its id, and has the number of its receipts."""
        queue.send(["x", "y"])
        seen = [queue.receive(1, visibility_seconds=0)[0] for _ in range(3)]
        assert [message.receive_count for message in seen] == [1, 2, 3]
        assert len({message.message_id for message in seen}) == 1

    def test_delete_removes_one_message(self, queue: ReceivableQueue) -> None:
        """A repeated delete changes nothing."""
        queue.send(["x", "y"])
        [first] = queue.receive(1, visibility_seconds=30)
        for _ in range(2):
            queue.delete(first.message_id)
        assert (queue.depth(), receive_bodies(queue)) == (1, ["y"])

    def test_depth_and_bodies_receive_nothing(self, queue: ReceivableQueue) -> None:
        """Depth and bodies include messages in flight and do not change any."""
        queue.send(["x", "y", "z"])
        receive_bodies(queue, 1)
        assert (queue.depth(), list(queue.bodies())) == (3, ["x", "y", "z"])
        assert receive_bodies(queue) == ["y", "z"]

    def test_concurrent_receivers_share_the_messages(self, queue: ReceivableQueue) -> None:
        """No message is received by two threads."""
        bodies = [f"message {number:03}" for number in range(200)]
        queue.send(bodies)

        def drain() -> list[str]:
            bodies: list[str] = []
            while chunk := receive_bodies(queue, 3):
                bodies += chunk
            return bodies

        shares = race(drain, drain, drain, drain)
        assert (
            sorted(body for share in shares if isinstance(share, list) for body in share) == bodies
        )

    def test_the_repr_of_a_message_hides_its_body(self, queue: ReceivableQueue) -> None:
        """Messages contain personal data, which a repr must not show."""
        queue.send(["fan@mail.example"])
        assert "fan@" not in repr(queue.receive(1, visibility_seconds=0))
