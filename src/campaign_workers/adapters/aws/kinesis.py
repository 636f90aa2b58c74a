"""A stream of Kinesis."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

import attrs

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.errors import error_for_code, translate_errors
from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import checked_record
from campaign_workers.ports.system import Clock

REQUEST_RECORDS: Final = 500
REQUEST_BYTES: Final = 5 * 1024 * 1024


@attrs.frozen
class KinesisRecordStream:
    """The stream `name`; threads may share it.

    A request has each partition key at most once, because Kinesis takes the records of a request
    one by one: a second record of a key would be put although the first one failed.
    """

    client: Any = attrs.field(repr=False)
    clock: Clock
    name: str = attrs.field(kw_only=True)
    _backoff: Backoff = attrs.field(init=False, repr=False)

    @_backoff.default
    def _on_the_clock(self) -> Backoff:
        return Backoff(sleep=self.clock.sleep)

    def put(self, records: Iterable[tuple[str, bytes]]) -> int:
        """See `RecordStream.put`; keys decide shards as they are."""
        waiting, count = _Waiting(), 0
        try:
            for partition_key, data in records:
                waiting.add(_Record(*checked_record(partition_key, data)))
                while waiting.fill_a_request():
                    count += self._put_some(waiting)
        except RejectRecord:
            self._put_all(waiting)
            raise
        return count + self._put_all(waiting)

    def _put_all(self, waiting: "_Waiting") -> int:
        count = 0
        while waiting:
            count += self._put_some(waiting)
        return count

    def _put_some(self, waiting: "_Waiting") -> int:
        """One request; those of its records that failed go on waiting."""
        records = waiting.next_of_each_key()
        with translate_errors("kinesis", self.name):
            answer = self.client.put_records(
                StreamName=self.name,
                Records=[{"PartitionKey": r.partition_key, "Data": r.data} for r in records],
            )
        count, failures = 0, 0
        for record, result in zip(records, answer["Records"], strict=True):
            if error_code := result.get("ErrorCode"):
                failures = max(failures, self._failed(record, error_code))
            else:
                waiting.forget(record)
                count += 1
        if failures:
            self._backoff.wait(failures)
        return count

    def _failed(self, record: "_Record", error_code: str) -> int:
        record.failures += 1
        error = error_for_code("kinesis", self.name, operation="PutRecords", code=error_code)
        if record.failures == self._backoff.attempts or not isinstance(error, RetryLater):
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
class _Waiting:
    """Records that are not put yet, by key; those of a key in their order."""

    _by_key: dict[str, deque[_Record]] = attrs.field(factory=dict, init=False)
    _records: int = attrs.field(default=0, init=False)
    _bytes: int = attrs.field(default=0, init=False)

    def __bool__(self) -> bool:
        return bool(self._by_key)

    def fill_a_request(self) -> bool:
        """Whether there are as many as one request may have."""
        return self._records >= REQUEST_RECORDS or self._bytes >= REQUEST_BYTES

    def add(self, record: _Record) -> None:
        """One more."""
        self._by_key.setdefault(record.partition_key, deque()).append(record)
        self._records += 1
        self._bytes += record.size

    def next_of_each_key(self) -> list[_Record]:
        """The first record of each key, as far as one request takes them."""
        chosen, size = [], 0
        for records in self._by_key.values():
            size += records[0].size
            if size > REQUEST_BYTES:
                break
            chosen.append(records[0])
        return chosen

    def forget(self, record: _Record) -> None:
        """The first record of its key is put; the key's next one comes after other keys."""
        rest = self._by_key.pop(record.partition_key)
        rest.popleft()
        if rest:
            self._by_key[record.partition_key] = rest
        self._records -= 1
        self._bytes -= record.size
