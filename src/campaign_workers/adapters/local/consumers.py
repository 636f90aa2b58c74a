"""Where the embedded runtime takes its work from."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from campaign_workers.domain.running.events import StreamRecord


class ReadableStream(Protocol):
    """The consumers' side of a stream."""

    def shards(self) -> Sequence[str]:
        """Names of the shards, in order."""
        ...

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """At most `limit` records of a shard after a sequence number, None from its start."""
        ...


class ReceivedMessage(Protocol):
    """A message under way, and how often it was received, this time included."""

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


class ReceivableQueue(Protocol):
    """The consumers' side of a queue."""

    def receive(self, limit: int, *, visibility_seconds: float) -> Sequence[ReceivedMessage]:
        """At most `limit` messages, which nobody else gets for `visibility_seconds`."""
        ...

    def delete(self, message_id: str) -> None:
        """Forget a message; one that is not there is no error."""
        ...


class StartedWorkflows(Protocol):
    """The executions that were started."""

    def executions(self) -> Sequence[tuple[str, Mapping[str, Any], datetime]]:
        """What was started, oldest first: name, payload and when."""
        ...
