"""A stream that takes some records and not others."""

from collections.abc import Iterator
from functools import partial
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.kinesis import KinesisRecordStream
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.errors import Fatal, RejectRecord, RetryLater
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.contracts.record_stream import by_key, make_records
from tests.adapters.aws_storage.fake_batches import FakeKinesis, Script
from tests.servers.aws import FreshAws, aws_client
from tests.servers.aws_records import records_of

BUSY = "ProvisionedThroughputExceededException"
FAILED = "InternalFailure"

records = st.lists(
    st.tuples(
        st.sampled_from(["fan-1", "fan-2", "é", "🎫" * 9]),
        st.binary(max_size=2) | st.integers(1, 3).map(lambda n: b"x" * (n * 340_000)),
    ),
    max_size=30,
)
scripts = st.lists(st.lists(st.sampled_from(["", "", BUSY, FAILED]), max_size=30), max_size=12)


def stream(client: FakeKinesis) -> KinesisRecordStream:
    """The stream of a client, whose waits take no time."""
    return KinesisRecordStream(client, SteppedClock(CREATED), name="s")


def without_repeats(values: list[bytes]) -> list[bytes]:
    """Values of which neighbours differ."""
    return [value for value, _ in groupby(values)]


@given(put=records, script=scripts)
def test_partial_failures_lose_double_and_reorder_nothing(
    put: list[tuple[str, bytes]], script: Script
) -> None:
    """Whatever fails, what is on the stream of each key is what was put, in its order, once.

    When the stream gives up, it is the beginning of that.
    """
    client = FakeKinesis(script)
    try:
        assert stream(client).put(iter(put)) == len(put)
    except RetryLater:
        given_up = True
    else:
        given_up = False
    found, wanted = by_key(client.taken), by_key(put)
    if not given_up:
        assert found == wanted
    for key, data in found.items():
        assert data == wanted[key][: len(data)]


@given(put=records, script=scripts, repeats=st.frozensets(st.integers(0, 12)))
def test_requests_that_are_sent_twice_reorder_nothing(
    put: list[tuple[str, bytes]], script: Script, repeats: frozenset[int]
) -> None:
    """When answers get lost, each record is there at least once; copies stand side by side."""
    marked = [(key, b"%d:" % n + data) for n, (key, data) in enumerate(put)]
    client = FakeKinesis(script, repeats)
    try:
        stream(client).put(marked)
    except RetryLater:
        return
    wanted = by_key(marked)
    assert {key: without_repeats(data) for key, data in by_key(client.taken).items()} == wanted


def test_only_what_failed_is_put_again() -> None:
    """The others of the request are there already."""
    client = FakeKinesis([["", BUSY, "", FAILED], ["", BUSY]])
    put = make_records(4)
    assert stream(client).put(put) == 4
    assert client.requests == [put, [put[1], put[3]], [put[3]]]


def test_a_record_waits_for_those_of_its_key() -> None:
    """A later record never overtakes one that failed; those of other keys do not wait."""
    client = FakeKinesis([[BUSY, ""]])
    stream(client).put([("a", b"1"), ("a", b"2"), ("b", b"1"), ("b", b"2")])
    assert client.requests == [
        [("a", b"1"), ("b", b"1")],
        [("a", b"1"), ("b", b"2")],
        [("a", b"2")],
    ]


def test_requests_are_as_large_as_they_may_be() -> None:
    """Different keys go out five hundred together; waiting for more costs no request."""
    client = FakeKinesis()
    put = [(f"fan-{number}", b"x") for number in range(1203)]
    stream(client).put(put)
    assert [len(request) for request in client.requests] == [500, 500, 203]
    client = FakeKinesis()
    stream(client).put((f"fan-{number}", b"x" * 1_000_000) for number in range(12))
    assert [len(request) for request in client.requests] == [5, 5, 2]


@pytest.mark.parametrize("code", [BUSY, FAILED])
def test_a_stream_that_stays_busy_is_given_up(code: str) -> None:
    """After so many tries, with pauses between them; what was put stays."""
    clock = SteppedClock(CREATED)
    client = FakeKinesis([["", code]] + [[code]] * Backoff().max_attempts)
    with pytest.raises(RetryLater, match="kinesis: s:"):
        KinesisRecordStream(client, clock, name="s").put(make_records(2))
    assert (len(client.requests), client.taken) == (Backoff().max_attempts, make_records(1))
    assert 0 < (clock.now() - CREATED).total_seconds() <= 0.1 * (2**6 - 1) + 3 * 5


def test_one_hot_shard_does_not_delay_others() -> None:
    """Records of other keys are put while one key's wait, however long that takes."""
    client = FakeKinesis([[BUSY]] * 5)
    put = [("hot", b"1"), *((f"fan-{number}", b"x") for number in range(2000))]
    assert stream(client).put(put) == 2001
    assert by_key(client.taken) == by_key(put)
    assert len(client.requests) <= 7


def test_a_failure_that_no_try_mends_ends_it() -> None:
    """A key of KMS that is gone is for a person."""
    client = FakeKinesis([["", "KMSDisabledException"]])
    with pytest.raises(Fatal, match="encryption key"):
        stream(client).put(make_records(2))
    assert len(client.requests) == 1


def test_what_waits_is_put_before_a_rejection() -> None:
    """Even if some of it fails at first."""
    client = FakeKinesis([[BUSY, "", BUSY]])
    with pytest.raises(RejectRecord):
        stream(client).put([*make_records(9), ("", b"")])
    assert by_key(client.taken) == by_key(make_records(9))


@pytest.mark.parametrize(("failures", "most"), [(1, 0.1), (2, 0.2), (5, 1.6), (7, 5), (40, 5)])
def test_pauses_are_anything_up_to_a_limit_that_doubles(failures: int, most: float) -> None:
    """Full jitter: putters that failed together do not come back together."""
    for draw in (0.0, 0.5, 1.0):
        clock = SteppedClock(CREATED)
        Backoff(sleep=clock.sleep, rng=partial(float, draw)).wait(failures)
        assert (clock.now() - CREATED).total_seconds() == pytest.approx(draw * most)


def test_a_stream_may_be_resharded_while_records_are_put(aws: FreshAws) -> None:
    """Records go to the shards that there are, and keys keep their order across them."""
    name = aws.stream(shards=1)
    kinesis = aws_client("kinesis")
    put = make_records(900, keys=300)
    before: list[tuple[str, bytes]] = []

    def source() -> Iterator[tuple[str, bytes]]:
        yield from put[:600]
        before.extend(records_of(name))
        split(name)
        yield from put[600:]

    assert KinesisRecordStream(kinesis, SteppedClock(CREATED), name=name).put(source()) == 900
    # The emulator forgets a shard that was split, with what is in it.
    after = records_of(name)
    assert len(before) > 0 < len(after)
    assert by_key([*before, *after]) == by_key(put)


def test_records_of_a_shard_that_is_closing_are_put_again() -> None:
    """While a stream is resharded, some of its records fail for a moment."""
    client = FakeKinesis([[FAILED if number % 2 else "" for number in range(7)]] * 3)
    put = make_records(700, keys=100)
    assert stream(client).put(put) == 700
    assert by_key(client.taken) == by_key(put)


def split(stream: str) -> None:
    """Split the only shard of a stream in the middle of its keys, and wait for the new ones."""
    kinesis = aws_client("kinesis")
    [shard] = kinesis.list_shards(StreamName=stream)["Shards"]
    kinesis.split_shard(
        StreamName=stream, ShardToSplit=shard["ShardId"], NewStartingHashKey=str(2**127)
    )
    kinesis.get_waiter("stream_exists").wait(StreamName=stream, WaiterConfig={"Delay": 0.02})
