"""The `MessageQueue` port on Amazon SQS."""

from collections.abc import Iterable
from typing import Any, Final

import attrs

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.errors import error_for_code, translate_errors
from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import MAX_MESSAGE_BYTES, validate_message
from campaign_workers.ports.system import Clock

BATCH_MESSAGES: Final = 10
BATCH_BYTES: Final = MAX_MESSAGE_BYTES
"""Limit on the total size of the messages of a request."""


@attrs.define
class SqsMessageQueue:
    """Serves `MessageQueue` with the standard queue `name`; threads may share it."""

    client: Any = attrs.field(repr=False)
    clock: Clock
    name: str = attrs.field(kw_only=True)
    _backoff: Backoff = attrs.field(init=False, repr=False)
    _url: str | None = attrs.field(default=None, init=False, repr=False)

    @_backoff.default
    def _default_backoff(self) -> Backoff:
        return Backoff(sleep=self.clock.sleep)

    def send(self, bodies: Iterable[str]) -> int:
        """See `MessageQueue.send`."""
        batch, count = _Batch(), 0
        try:
            for body in bodies:
                message = validate_message(body)
                if not batch.has_room_for(message):
                    count += self._send_batch(batch)
                    batch = _Batch()
                batch.add(message)
        except RejectRecord:
            self._send_batch(batch)
            raise
        return count + self._send_batch(batch)

    def _send_batch(self, batch: "_Batch") -> int:
        """Send a batch, retry the messages that failed, and return how many were sent."""
        left, failures = list(batch.messages), 0
        while left:
            errors = self._request(left)
            left = [left[number] for number in sorted(errors)]
            if left:
                failures += 1
                self._require_retryable(errors.values(), failures)
                self._backoff.wait(failures)
        return len(batch.messages)

    def _request(self, messages: list[str]) -> dict[int, Any]:
        """Send one request; return its errors by the position of the message."""
        with translate_errors("sqs", self.name):
            response = self.client.send_message_batch(
                QueueUrl=self._queue_url(),
                Entries=[{"Id": str(n), "MessageBody": body} for n, body in enumerate(messages)],
            )
        return {int(error["Id"]): error for error in response.get("Failed", ())}

    def _require_retryable(self, errors: Iterable[Any], failures: int) -> None:
        """Raise the first permanent error; after the last attempt, the first error of any kind."""
        for entry in errors:
            error = error_for_code(
                "sqs",
                self.name,
                operation="SendMessageBatch",
                code=entry["Code"],
                refused=entry["SenderFault"],
            )
            if failures == self._backoff.max_attempts or not isinstance(error, RetryLater):
                raise error

    def _queue_url(self) -> str:
        if self._url is None:
            self._url = self.client.get_queue_url(QueueName=self.name)["QueueUrl"]
        return self._url


@attrs.define
class _Batch:
    """The messages of one request."""

    messages: list[str] = attrs.field(factory=list, repr=False)
    _bytes: int = 0

    def has_room_for(self, message: str) -> bool:
        """Return whether the message fits into the request."""
        return (
            len(self.messages) < BATCH_MESSAGES
            and self._bytes + len(message.encode()) <= BATCH_BYTES
        )

    def add(self, message: str) -> None:
        """Add a message."""
        self.messages.append(message)
        self._bytes += len(message.encode())
