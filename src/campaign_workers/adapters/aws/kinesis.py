"""The `RecordStream` port on Amazon Kinesis."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import attrs

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.errors import error_for_code, translate_errors
from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import validate_record
from campaign_workers.ports.system import Clock

REQUEST_RECORDS: Final = 500
REQUEST_BYTES: Final = 5 * 1024 * 1024


@attrs.frozen
class KinesisRecordStream:
    """Serves `RecordStream` with the stream `name`; threads may share it.

    A request contains each partition key at most once. Kinesis accepts or rejects the records of a
    request one by one, so a second record of a key could be put although the first one failed, and
    the order within the key would be lost.
    """

    client: Any = attrs.field(repr=False)
    clock: Clock
    name: str = attrs.field(kw_only=True)
    _backoff: Backoff = attrs.field(init=False, repr=False)

    @_backoff.default
    def _default_backoff(self) -> Backoff:
        return Backoff(sleep=self.clock.sleep)

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`; Kinesis hashes the partition keys itself."""
        pending, count = _PendingRecords(), 0
        try:
            for partition_key, data in records:
                pending.add(_Record(*validate_record(partition_key, data)))
                while pending.fill_a_request():
                    count += self._put_batch(pending)
        except RejectRecord:
            self._put_all(pending)
            raise
        return count + self._put_all(pending)

    def _put_all(self, pending: "_PendingRecords") -> int:
        count = 0
        while pending:
            count += self._put_batch(pending)
        return count

    def _put_batch(self, pending: "_PendingRecords") -> int:
        """Send one request; records that fail stay pending. Return how many were put."""
        records = pending.next_of_each_key()
        with translate_errors("kinesis", self.name):
            response = self.client.put_records(
                StreamName=self.name,
                Records=[{"PartitionKey": r.partition_key, "Data": r.data} for r in records],
            )
        count, failures = 0, 0
        for record, result in zip(records, response["Records"], strict=True):
            if code := result.get("ErrorCode"):
                failures = max(failures, self._count_failure(record, code))
            else:
                pending.remove(record)
                count += 1
        if failures:
            self._backoff.wait(failures)
        return count

    def _count_failure(self, record: "_Record", code: str) -> int:
        record.failures += 1
        error = error_for_code("kinesis", self.name, operation="PutRecords", code=code)
        if record.failures == self._backoff.max_attempts or not isinstance(error, RetryLater):
            raise error
        return record.failures


@attrs.define(eq=False)
class _Record:
    partition_key: str = attrs.field(repr=False)
    data: bytes = attrs.field(repr=False)
    failures: int = 0

    @property
    def size(self) -> int:
        return len(self.data) + len(self.partition_key.encode())


@attrs.define
class _PendingRecords:
    """Records that are not put yet, by key and in order within a key."""

    _by_key: dict[str, deque[_Record]] = attrs.field(factory=dict, init=False)
    _records: int = attrs.field(default=0, init=False)
    _bytes: int = attrs.field(default=0, init=False)

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def fill_a_request(self) -> bool:
        """Return whether there are enough records for a full request."""
        return self._records >= REQUEST_RECORDS or self._bytes >= REQUEST_BYTES

    def add(self, record: _Record) -> None:
        """Add a record."""
        self._by_key.setdefault(record.partition_key, deque()).append(record)
        self._records += 1
        self._bytes += record.size

    def next_of_each_key(self) -> list[_Record]:
        """Return the first record of each key, up to the size of one request."""
        batch, size = [], 0
        for records in self._by_key.values():
            size += records[0].size
            if size > REQUEST_BYTES:
                break
            batch.append(records[0])
        return batch

    def remove(self, record: _Record) -> None:
        """Remove a record that was put; the next one of its key queues behind the other keys."""
        rest = self._by_key.pop(record.partition_key)
        rest.popleft()
        if rest:
            self._by_key[record.partition_key] = rest
        self._records -= 1
        self._bytes -= record.size
