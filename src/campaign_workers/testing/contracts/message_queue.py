"""What every queue promises to whoever sends, and what an embedded one does to receivers."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract, Outage
from campaign_workers.testing.contracts._race import race

Held = Callable[[], Sequence[str]]
"""What the messages in the medium say, past the adapter."""

REFUSED: Final = {
    "empty": "",
    "large": "x" * (MAX_MESSAGE_BYTES + 1),
    "large in UTF-8": "é" * (MAX_MESSAGE_BYTES // 2 + 1),
    "without UTF-8": "\ud800",
    "control character": "xx\0",
    "no character": "xx\uffff",
}


class Failed(Exception):
    """What the test's own source of messages raises."""


class MessageQueueContract(Contract):
    """Fixtures: `queue`, empty; `held`; `outage`."""

    def test_messages_arrive_as_they_were_sent(self, queue: MessageQueue, held: Held) -> None:
        """Messages are any text, equal ones included."""
        bodies = ['{"name": "Zoë 🎫\\u0000"}', " \t\r\n", "x", "x"]
        assert queue.send(bodies) == 4
        assert sorted(held()) == sorted(bodies)

    def test_sending_nothing_sends_nothing(self, queue: MessageQueue, held: Held) -> None:
        """An empty send is no error."""
        assert queue.send([]) == 0
        assert list(held()) == []

    def test_any_number_is_sent(self, queue: MessageQueue, held: Held) -> None:
        """More messages than one request takes are sent in several."""
        bodies = [f"message {number}" for number in range(123)]
        assert queue.send(iter(bodies[:100])) == 100
        assert queue.send(bodies[100:]) == 23
        assert sorted(held()) == sorted(bodies)

    @pytest.mark.parametrize("letter", ["x", "é", "🎫"])
    def test_a_message_has_at_most_256_kibibytes(
        self, queue: MessageQueue, held: Held, letter: str
    ) -> None:
        """Messages of the largest size are sent, several together, counted in UTF-8."""
        largest = letter * (MAX_MESSAGE_BYTES // len(letter.encode()))
        assert queue.send([largest] * 3) == 3
        with pytest.raises(RejectRecord):
            queue.send([largest + "x"])
        assert list(held()) == [largest] * 3

    @pytest.mark.parametrize("refused", REFUSED.values(), ids=REFUSED)
    def test_what_comes_before_a_rejected_message_is_sent(
        self, queue: MessageQueue, held: Held, refused: str
    ) -> None:
        """The messages before it are in the queue, those after it are not."""
        with pytest.raises(RejectRecord) as caught:
            queue.send(["first", "second", refused, "later"])
        assert sorted(held()) == ["first", "second"]
        assert "xx" not in str(caught.value)

    def test_a_source_that_fails_sends_no_more_than_it_gave(
        self, queue: MessageQueue, held: Held
    ) -> None:
        """Its own error comes out, and what is in the queue is some of what it gave."""
        given = [f"message {number}" for number in range(25)]

        def source() -> Iterator[str]:
            yield from given
            raise Failed

        with pytest.raises(Failed):
            queue.send(source())
        found = list(held())
        assert len(found) == len(set(found))
        assert set(found) <= set(given)

    def test_senders_side_by_side_lose_nothing(self, queue: MessageQueue, held: Held) -> None:
        """Threads that send at once leave all messages."""
        mine = [[f"{thread}/{number}" for number in range(50)] for thread in range(4)]
        assert race(*(partial(queue.send, bodies) for bodies in mine)) == [50] * 4
        assert sorted(held()) == sorted(body for bodies in mine for body in bodies)

    def test_an_outage_asks_for_another_try(
        self, queue: MessageQueue, held: Held, outage: Outage
    ) -> None:
        """While the queue fails, nothing is sent; afterwards it goes on."""
        with outage(), pytest.raises(RetryLater):
            queue.send(["x"])
        assert list(held()) == []
        assert queue.send(["x"]) == 1


class Received(Protocol):
    """A message under way, and how often it was received."""

    @property
    def message_id(self) -> str:
        """The same at every receipt."""
        ...

    @property
    def body(self) -> str:
        """What it says."""
        ...

    @property
    def receive_count(self) -> int:
        """1 at the first receipt."""
        ...


class ReceivableQueue(MessageQueue, Protocol):
    """A queue with the receivers' side, as the embedded runtime has it."""

    def receive(self, limit: int, *, visibility_seconds: float) -> Sequence[Received]:
        """At most `limit` messages, which nobody else gets for `visibility_seconds`."""
        ...

    def delete(self, message_id: str) -> None:
        """Forget a message; one that is not there is no error."""
        ...

    def depth(self) -> int:
        """How many messages there are, under way or not."""
        ...

    def bodies(self) -> Iterator[str]:
        """What the messages say, oldest first; receives nothing."""
        ...


def received(queue: ReceivableQueue, limit: int = 10, *, seconds: float = 30) -> list[str]:
    """What the next messages say."""
    return [message.body for message in queue.receive(limit, visibility_seconds=seconds)]


class ReceivableQueueContract(Contract):
    """Fixtures: `queue`, empty; `clock`, which it goes by."""

    def test_the_oldest_messages_come_first(self, queue: ReceivableQueue) -> None:
        """As many as are asked for, in the order in which they were sent."""
        bodies = [f"message {number}" for number in range(12)]
        queue.send(bodies)
        assert received(queue, 3) == bodies[:3]
        assert received(queue, 100) == bodies[3:]
        assert received(queue, 100) == []

    def test_a_received_message_is_hidden_for_a_while(
        self, queue: ReceivableQueue, clock: Clock
    ) -> None:
        """Nobody else gets it until its time is over; then it comes again, until it is deleted."""
        queue.send(["x"])
        assert received(queue, seconds=30) == ["x"]
        clock.sleep(29.5)
        assert received(queue) == []
        clock.sleep(0.5)
        [again] = queue.receive(10, visibility_seconds=0)
        assert (again.body, again.receive_count) == ("x", 2)
        queue.delete(again.message_id)
        clock.sleep(60)
        assert received(queue) == []

    def test_receipts_are_counted(self, queue: ReceivableQueue) -> None:
        """A message keeps its id, and knows how often it was received."""
        queue.send(["x", "y"])
        seen = [queue.receive(1, visibility_seconds=0)[0] for _ in range(3)]
        assert [message.receive_count for message in seen] == [1, 2, 3]
        assert len({message.message_id for message in seen}) == 1

    def test_a_deleted_message_is_gone_and_no_other(self, queue: ReceivableQueue) -> None:
        """Deleting twice is as once."""
        queue.send(["x", "y"])
        [first] = queue.receive(1, visibility_seconds=30)
        for _ in range(2):
            queue.delete(first.message_id)
        assert (queue.depth(), received(queue)) == (1, ["y"])

    def test_looking_receives_nothing(self, queue: ReceivableQueue) -> None:
        """Depth and bodies count messages under way, and leave all as they are."""
        queue.send(["x", "y", "z"])
        received(queue, 1)
        assert (queue.depth(), list(queue.bodies())) == (3, ["x", "y", "z"])
        assert received(queue) == ["y", "z"]

    def test_of_all_who_receive_at_once_one_gets_a_message(self, queue: ReceivableQueue) -> None:
        """Threads share the messages; none comes to two of them."""
        bodies = [f"message {number:03}" for number in range(200)]
        queue.send(bodies)

        def drain() -> list[str]:
            mine: list[str] = []
            while some := received(queue, 3):
                mine += some
            return mine

        shares = race(drain, drain, drain, drain)
        assert (
            sorted(body for share in shares if isinstance(share, list) for body in share) == bodies
        )

    def test_a_message_under_way_hides_what_it_says(self, queue: ReceivableQueue) -> None:
        """Messages carry addresses: none shows in a repr."""
        queue.send(["fan@mail.example"])
        assert "fan@" not in repr(queue.receive(1, visibility_seconds=0))
