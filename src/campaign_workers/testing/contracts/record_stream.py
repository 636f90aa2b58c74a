"""Contracts of `RecordStream`, and of streams with the consumers' side."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import RejectRecord, RetryLater
from campaign_workers.domain.running.events import MAX_RECORD_BYTES, StreamRecord
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract, Outage, SourceError, race

Taken = Callable[[], Sequence[tuple[str, bytes]]]
"""Reads (partition key, data) directly from the backend; the records of a key are in order."""

REFUSED_KEYS: Final = ("", "k" * 257, "é" * 257, "\ud800")


def by_key(records: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """Return the data of each partition key, in order."""
    ordered = sorted(records, key=itemgetter(0))
    return {key: [data for _, data in some] for key, some in groupby(ordered, key=itemgetter(0))}


def make_records(count: int, *, keys: int = 7) -> list[tuple[str, bytes]]:
    """Return numbered records of a few keys."""
    return [(f"fan-{number % keys}", b"%d" % number) for number in range(count)]


class RecordStreamContract(Contract):
    """Fixtures: `stream`, empty; `taken`, the records in the backend; `outage`."""

    def test_records_arrive_unchanged(self, stream: RecordStream, taken: Taken) -> None:
        """Keys are any text, data are any bytes, and equal records are separate."""
        records = [("fan 1+é/🎫", b"\0\xff{}\r\n"), ("fan 1+é/🎫", b""), ("g", b"x"), ("g", b"x")]
        assert stream.put(records) == 4
        assert by_key(taken()) == by_key(records)

    def test_putting_no_records_is_no_error(self, stream: RecordStream, taken: Taken) -> None:
        """An empty put writes nothing."""
        assert stream.put([]) == 0
        assert list(taken()) == []

    def test_many_records_are_put_in_order(self, stream: RecordStream, taken: Taken) -> None:
        """More records than fit in one request are put in several; each key keeps its order."""
        records = make_records(1203)
        assert stream.put(iter(records[:1200])) == 1200
        assert stream.put(records[1200:]) == 3
        assert by_key(taken()) == by_key(records)

    def test_many_bytes_are_put(self, stream: RecordStream, taken: Taken) -> None:
        """More bytes than fit in one request are put in several."""
        records = [("fan", bytes([number]) * 900_000) for number in range(12)]
        assert stream.put(records) == 12
        assert by_key(taken()) == by_key(records)

    @pytest.mark.parametrize("letter", ["k", "é", "🎫"])
    def test_a_record_has_at_most_a_mebibyte_with_its_key(
        self, stream: RecordStream, taken: Taken, letter: str
    ) -> None:
        """The largest record with the longest key is put; one byte more is rejected."""
        key = letter * 256
        room = MAX_RECORD_BYTES - len(key.encode())
        assert stream.put([(key, b"x" * room)]) == 1
        with pytest.raises(RejectRecord):
            stream.put([(key, b"x" * (room + 1))])
        assert [len(data) for _, data in taken()] == [room]

    @pytest.mark.parametrize(
        "refused",
        [*((key, b"data") for key in REFUSED_KEYS), ("k", b"x" * MAX_RECORD_BYTES)],
        ids=["empty key", "long key", "long unicode key", "key without UTF-8", "large record"],
    )
    def test_what_comes_before_a_rejected_record_is_put(
        self, stream: RecordStream, taken: Taken, refused: tuple[str, bytes]
    ) -> None:
        """Records before the rejected one are on the stream, those after it are not."""
        before = make_records(3)
        with pytest.raises(RejectRecord):
            stream.put([*before, refused, ("later", b"")])
        assert by_key(taken()) == by_key(before)

    def test_a_rejection_quotes_nothing(self, stream: RecordStream) -> None:
        """The reason quotes neither key nor data, which may be personal."""
        for record in (("fan@mail.example" * 20, b""), ("fan@mail.example", b"fan@" * 300_000)):
            with pytest.raises(RejectRecord) as caught:
                stream.put([record])
            assert "fan@" not in str(caught.value)

    def test_an_error_of_the_source_is_raised(self, stream: RecordStream, taken: Taken) -> None:
        """The source's error is raised, and the stream has the first records of the source."""
        given = make_records(600, keys=1)

        def source() -> Iterator[tuple[str, bytes]]:
            yield from given
            raise SourceError

        with pytest.raises(SourceError):
            stream.put(source())
        found = list(taken())
        assert found == given[: len(found)]

    def test_concurrent_puts_lose_nothing(self, stream: RecordStream, taken: Taken) -> None:
        """All records of concurrent threads are on the stream, each thread's in order."""
        put = [[(f"thread-{thread}", b"%d" % n) for n in range(150)] for thread in range(4)]
        assert race(*(partial(stream.put, records) for records in put)) == [150] * 4
        assert by_key(taken()) == by_key(record for records in put for record in records)

    def test_an_outage_raises_retry_later(
        self, stream: RecordStream, taken: Taken, outage: Outage
    ) -> None:
        """While the stream fails, `put` raises `RetryLater`; afterwards it succeeds."""
        with outage(), pytest.raises(RetryLater):
            stream.put(make_records(3))
        assert list(taken()) == []
        assert stream.put(make_records(3)) == 3


class ReadableStream(RecordStream, Protocol):
    """A stream with the consumers' side, which the embedded runtime needs."""

    def shards(self) -> Sequence[str]:
        """Return the names of the shards, in order."""
        ...

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """Return at most `limit` records of a shard after a sequence number; None is the start."""
        ...

    def depth(self) -> int:
        """Return the number of records."""
        ...


def read_all(stream: ReadableStream, *, limit: int = 1000) -> dict[str, list[StreamRecord]]:
    """Return all records of each shard, read page by page."""
    found: dict[str, list[StreamRecord]] = {shard: [] for shard in stream.shards()}
    for shard, records in found.items():
        while page := stream.read(
            shard, after=records[-1].sequence if records else None, limit=limit
        ):
            assert len(page) <= limit
            records.extend(page)
    return found


class ReadableStreamContract(Contract):
    """Fixtures: `stream`, empty, with several shards; `clock`, the source of its times."""

    def test_every_key_is_on_one_shard(self, stream: ReadableStream) -> None:
        """Every record is read once, each key is on one shard, and all shards are used."""
        put = make_records(200, keys=40)
        stream.put(put)
        found = read_all(stream)
        assert len(set(found)) == len(found) > 1
        records = [record for shard in found.values() for record in shard]
        assert by_key((r.partition_key, r.data) for r in records) == by_key(put)
        keys = [{record.partition_key for record in shard} for shard in found.values()]
        assert sum(map(len, keys)) == 40
        assert all(keys)

    @pytest.mark.parametrize("limit", [1, 7, 30, 1000])
    def test_a_shard_is_read_page_by_page(self, stream: ReadableStream, limit: int) -> None:
        """No page exceeds the limit, and reading after a record misses none."""
        stream.put(make_records(60, keys=1))
        [records] = [shard for shard in read_all(stream, limit=limit).values() if shard]
        assert [record.data for record in records] == [b"%d" % number for number in range(60)]

    def test_sequences_ascend_as_text(self, stream: ReadableStream) -> None:
        """Later records of a shard have greater sequence numbers, as text and as numbers."""
        for _ in range(3):
            stream.put(make_records(50, keys=1))
        [records] = [shard for shard in read_all(stream).values() if shard]
        sequences = [record.sequence for record in records]
        assert sequences == sorted(set(sequences)) == sorted(sequences, key=int)

    def test_concurrent_puts_share_no_sequence_number(self, stream: ReadableStream) -> None:
        """The records of concurrent threads have unique, ascending sequence numbers."""
        put = make_records(100, keys=9)
        race(*[partial(stream.put, put)] * 4)
        for records in read_all(stream, limit=7).values():
            sequences = [record.sequence for record in records]
            assert sequences == sorted(set(sequences))
        assert sum(map(len, read_all(stream).values())) == stream.depth() == 400

    def test_later_records_are_read_later(self, stream: ReadableStream) -> None:
        """A consumer that has read all records then reads only newer ones."""
        stream.put([("fan", b"1")])
        [(shard, [first])] = [item for item in read_all(stream).items() if item[1]]
        assert stream.read(shard, after=first.sequence, limit=9) == ()
        stream.put([("fan", b"2")])
        assert [r.data for r in stream.read(shard, after=first.sequence, limit=9)] == [b"2"]

    def test_a_record_has_the_time_of_its_arrival(
        self, stream: ReadableStream, clock: Clock
    ) -> None:
        """The time of arrival is that of the clock, to the microsecond."""
        expected = []
        for seconds in (0.0, 0.000123, 86_400.5):
            clock.sleep(seconds)
            expected.append(clock.now())
            stream.put([("fan", b"")])
        [records] = [shard for shard in read_all(stream).values() if shard]
        assert [record.arrived for record in records] == expected

    def test_depth_counts_all_records(self, stream: ReadableStream) -> None:
        """Reading does not change the depth."""
        stream.put(make_records(23))
        read_all(stream)
        assert stream.depth() == 23
