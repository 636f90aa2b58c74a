"""What every stream promises to whoever puts, and what an embedded one does to consumers."""

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
from campaign_workers.testing.contracts._base import Contract, Outage
from campaign_workers.testing.contracts._race import race

Taken = Callable[[], Sequence[tuple[str, bytes]]]
"""(partition key, data) of the records in the medium, past the adapter; of one key in order."""

REFUSED_KEYS: Final = ("", "k" * 257, "é" * 257, "\ud800")


class Failed(Exception):
    """What the test's own source of records raises."""


def by_key(records: Iterable[tuple[str, bytes]]) -> dict[str, list[bytes]]:
    """The data of each partition key, in order."""
    ordered = sorted(records, key=itemgetter(0))
    return {key: [data for _, data in some] for key, some in groupby(ordered, key=itemgetter(0))}


def numbered(count: int, *, keys: int = 7) -> list[tuple[str, bytes]]:
    """Records of a few keys, each with its number."""
    return [(f"fan-{number % keys}", b"%d" % number) for number in range(count)]


class RecordStreamContract(Contract):
    """Fixtures: `stream`, empty; `taken`; `outage`."""

    def test_records_arrive_as_they_were_put(self, stream: RecordStream, taken: Taken) -> None:
        """Keys and data are any text and any bytes, equal records and empty ones included."""
        records = [("fan 1+é/🎫", b"\0\xff{}\r\n"), ("fan 1+é/🎫", b""), ("g", b"x"), ("g", b"x")]
        assert stream.put(records) == 4
        assert by_key(taken()) == by_key(records)

    def test_putting_nothing_puts_nothing(self, stream: RecordStream, taken: Taken) -> None:
        """An empty put is no error."""
        assert stream.put([]) == 0
        assert list(taken()) == []

    def test_any_number_is_put_and_keys_keep_their_order(
        self, stream: RecordStream, taken: Taken
    ) -> None:
        """More records than one request takes are put in several, each key's one after another."""
        records = numbered(1203)
        assert stream.put(iter(records[:1200])) == 1200
        assert stream.put(records[1200:]) == 3
        assert by_key(taken()) == by_key(records)

    def test_any_size_is_put(self, stream: RecordStream, taken: Taken) -> None:
        """More bytes than one request takes are put in several."""
        records = [("fan", bytes([number]) * 900_000) for number in range(12)]
        assert stream.put(records) == 12
        assert by_key(taken()) == by_key(records)

    @pytest.mark.parametrize("letter", ["k", "é", "🎫"])
    def test_a_record_has_at_most_a_mebibyte_with_its_key(
        self, stream: RecordStream, taken: Taken, letter: str
    ) -> None:
        """The largest record of the longest key is put, and one of a byte more is rejected."""
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
        """The records before it are on the stream, those after it are not."""
        before = numbered(3)
        with pytest.raises(RejectRecord):
            stream.put([*before, refused, ("later", b"")])
        assert by_key(taken()) == by_key(before)

    def test_a_rejection_quotes_nothing(self, stream: RecordStream) -> None:
        """Neither key nor data, which may be a fan's, stands in the reason."""
        for record in (("fan@mail.example" * 20, b""), ("fan@mail.example", b"fan@" * 300_000)):
            with pytest.raises(RejectRecord) as caught:
                stream.put([record])
            assert "fan@" not in str(caught.value)

    def test_a_source_that_fails_puts_no_more_than_it_gave(
        self, stream: RecordStream, taken: Taken
    ) -> None:
        """Its own error comes out, and what is on the stream is the beginning of what it gave."""
        given = numbered(600, keys=1)

        def source() -> Iterator[tuple[str, bytes]]:
            yield from given
            raise Failed

        with pytest.raises(Failed):
            stream.put(source())
        found = list(taken())
        assert found == given[: len(found)]

    def test_putters_side_by_side_lose_nothing(self, stream: RecordStream, taken: Taken) -> None:
        """Threads that put at once leave all records, each thread's in its order."""
        mine = [[(f"thread-{thread}", b"%d" % n) for n in range(150)] for thread in range(4)]
        assert race(*(partial(stream.put, records) for records in mine)) == [150] * 4
        assert by_key(taken()) == by_key(record for records in mine for record in records)

    def test_an_outage_asks_for_another_try(
        self, stream: RecordStream, taken: Taken, outage: Outage
    ) -> None:
        """While the stream fails, nothing is put; afterwards it goes on."""
        with outage(), pytest.raises(RetryLater):
            stream.put(numbered(3))
        assert list(taken()) == []
        assert stream.put(numbered(3)) == 3


class ReadableStream(RecordStream, Protocol):
    """A stream with the consumers' side, as the embedded runtime reads it."""

    def shards(self) -> Sequence[str]:
        """Names of the shards, in order."""
        ...

    def read(self, shard: str, *, after: str | None, limit: int) -> tuple[StreamRecord, ...]:
        """At most `limit` records of a shard after a sequence number, None from its start."""
        ...

    def depth(self) -> int:
        """How many records were put."""
        ...


def everything(stream: ReadableStream, *, limit: int = 1000) -> dict[str, list[StreamRecord]]:
    """All records of each shard, read page by page."""
    found: dict[str, list[StreamRecord]] = {shard: [] for shard in stream.shards()}
    for shard, records in found.items():
        while page := stream.read(
            shard, after=records[-1].sequence if records else None, limit=limit
        ):
            assert len(page) <= limit
            records.extend(page)
    return found


class ReadableStreamContract(Contract):
    """Fixtures: `stream`, empty, with more than one shard; `clock`, which it is written by."""

    def test_every_record_is_on_one_shard_and_a_key_on_one(self, stream: ReadableStream) -> None:
        """All records come out once; a key's never part, and different keys spread."""
        put = numbered(200, keys=40)
        stream.put(put)
        found = everything(stream)
        assert len(set(found)) == len(found) > 1
        records = [record for shard in found.values() for record in shard]
        assert by_key((r.partition_key, r.data) for r in records) == by_key(put)
        keys = [{record.partition_key for record in shard} for shard in found.values()]
        assert sum(map(len, keys)) == 40
        assert all(keys)

    @pytest.mark.parametrize("limit", [1, 7, 30, 1000])
    def test_a_shard_is_read_page_by_page(self, stream: ReadableStream, limit: int) -> None:
        """No page is longer than asked for; whoever goes on after a record misses none."""
        stream.put(numbered(60, keys=1))
        [records] = [shard for shard in everything(stream, limit=limit).values() if shard]
        assert [record.data for record in records] == [b"%d" % number for number in range(60)]

    def test_sequences_ascend_as_text(self, stream: ReadableStream) -> None:
        """Later records of a shard have greater sequence numbers, however they are compared."""
        for _ in range(3):
            stream.put(numbered(50, keys=1))
        [records] = [shard for shard in everything(stream).values() if shard]
        sequences = [record.sequence for record in records]
        assert sequences == sorted(set(sequences)) == sorted(sequences, key=int)

    def test_putters_side_by_side_share_no_sequence(self, stream: ReadableStream) -> None:
        """Whatever threads put at once is read in an order, and none of it twice."""
        put = numbered(100, keys=9)
        race(*[partial(stream.put, put)] * 4)
        for records in everything(stream, limit=7).values():
            sequences = [record.sequence for record in records]
            assert sequences == sorted(set(sequences))
        assert sum(map(len, everything(stream).values())) == stream.depth() == 400

    def test_what_is_put_later_is_read_later(self, stream: ReadableStream) -> None:
        """A consumer that has read everything finds what came since, and only that."""
        stream.put([("fan", b"1")])
        [(shard, [first])] = [item for item in everything(stream).items() if item[1]]
        assert stream.read(shard, after=first.sequence, limit=9) == ()
        stream.put([("fan", b"2")])
        assert [r.data for r in stream.read(shard, after=first.sequence, limit=9)] == [b"2"]

    def test_a_record_has_the_time_of_its_arrival(
        self, stream: ReadableStream, clock: Clock
    ) -> None:
        """The clock's, to the microsecond."""
        expected = []
        for seconds in (0.0, 0.000123, 86_400.5):
            clock.sleep(seconds)
            expected.append(clock.now())
            stream.put([("fan", b"")])
        [records] = [shard for shard in everything(stream).values() if shard]
        assert [record.arrived for record in records] == expected

    def test_depth_counts_what_was_put(self, stream: ReadableStream) -> None:
        """Reading takes nothing away."""
        stream.put(numbered(23))
        everything(stream)
        assert stream.depth() == 23
