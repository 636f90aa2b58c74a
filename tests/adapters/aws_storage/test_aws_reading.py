"""Objects are read whole from a bucket that breaks off, or an error says that they are not."""

import hashlib
import io
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.adapters.aws.s3.transfers import MAX_RESUMES
from campaign_workers.domain.errors import Conflict, NotFound, RetryLater
from campaign_workers.testing.contracts.object_store import Plant
from tests.servers.aws_faults import (
    Deed,
    Fault,
    FaultyCloud,
    after,
    cut,
    damaged,
    refused,
    reset,
    stalled,
)

CONTENT: Final = bytes(range(251)) * 4000
"""About a megabyte, no two places of which look alike to a mistake."""


def breaks(deed: Deed) -> Fault:
    """The next read goes wrong so."""
    return Fault("GET", deed, "/k")


@pytest.mark.parametrize(
    "deed",
    [cut(0), cut(1), cut(400_000), reset(300_000), stalled(500_000, seconds=0.8)],
    ids=["nothing came", "truncated at once", "truncated", "reset", "slow"],
)
def test_a_broken_read_goes_on_where_it_stopped(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud, deed: Deed
) -> None:
    """Every byte comes once, of the version that was opened, and few of them are sent twice."""
    plant("k", CONTENT)
    etag = store.head("k").etag
    cloud.order(breaks(deed))
    hasty = S3ObjectStore(cloud.client("s3", read_timeout=0.5), store.bucket)
    with hasty.open("k") as stream:
        assert stream.read() == CONTENT
    first, second = cloud.asked("GET", "/k")
    assert "Range" not in first.headers
    assert second.headers["If-Match"] == f'"{etag}"'
    assert second.headers["Range"].endswith(f"-{len(CONTENT) - 1}")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(
    cuts=st.lists(st.integers(0, 5000), max_size=MAX_RESUMES),
    start=st.integers(0, 5000),
    length=st.none() | st.integers(0, 5000),
    piece=st.sampled_from([1, 7, 1000, -1]),
)
def test_any_breaks_are_survived(
    store: S3ObjectStore,
    plant: Plant,
    cloud: FaultyCloud,
    cuts: list[int],
    start: int,
    length: int | None,
    piece: int,
) -> None:
    """Wherever a connection breaks, a range is what it is, in pieces or at once."""
    content = CONTENT[:4000]
    plant("k", content)
    if start < len(content):
        cloud.order(*(breaks(cut(position)) for position in cuts))
    with store.open("k", start=start, length=length) as stream:
        read = b"".join(iter(lambda: stream.read(piece), b""))
    assert read == content[start : None if length is None else start + length]
    cloud.forget()


def test_a_read_that_never_gets_on_fails(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud
) -> None:
    """After some tries it is an outage; never is a part taken for the whole."""
    plant("k", CONTENT)
    cloud.order(breaks(cut(1000)), *[breaks(cut(0))] * MAX_RESUMES)
    with store.open("k") as stream, pytest.raises(RetryLater, match="cannot be read"):
        stream.read()
    assert len(cloud.asked("GET", "/k")) == 1 + MAX_RESUMES


def test_a_read_that_gets_on_may_break_often(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud
) -> None:
    """Only tries that bring nothing are counted against it."""
    content = CONTENT * 10
    plant("k", content)
    cloud.order(*[breaks(cut(1_100_000))] * (MAX_RESUMES + 3))
    with store.open("k") as stream:
        assert hashlib.md5(stream.read()).digest() == hashlib.md5(content).digest()


def test_a_version_that_changes_while_it_is_read_is_a_conflict(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud
) -> None:
    """Two versions are never joined to one."""
    plant("k", CONTENT)
    cloud.order(breaks(cut(1000)))
    with store.open("k") as stream:
        plant("k", CONTENT[::-1])
        with pytest.raises(Conflict):
            stream.read()


def test_a_version_that_goes_while_it_is_read_is_not_found(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud
) -> None:
    """What is deleted cannot be read to its end."""
    plant("k", CONTENT)
    cloud.order(breaks(cut(1000)))
    with store.open("k") as stream:
        store.delete(["k"])
        with pytest.raises(NotFound):
            stream.read()


def test_an_object_that_changed_between_list_and_get_is_a_conflict(store: S3ObjectStore) -> None:
    """A reader of one version does not get bytes of another."""
    store.put("k", b"listed")
    [info] = store.list("")
    store.put("k", b"changed")
    with pytest.raises(Conflict):
        store.open("k", etag=info.etag)
    with pytest.raises(Conflict):
        store.open("k", etag=info.etag, length=0)


def test_a_damaged_object_asks_for_another_try(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """What does not fit its checksum is never taken for the object."""
    store.put("k", b"as it was written")
    cloud.order(breaks(damaged()))
    with store.open("k") as stream, pytest.raises(RetryLater, match="damaged in transit"):
        stream.read()
    assert store.checksum("k") == hashlib.sha256(b"as it was written").hexdigest()


def test_a_resumption_that_is_refused_says_why(
    store: S3ObjectStore, plant: Plant, cloud: FaultyCloud
) -> None:
    """A failure of the second request is not hidden behind the first."""
    plant("k", CONTENT)
    cloud.order(breaks(cut(1000)), breaks(refused(503, "SlowDown")))
    with store.open("k") as stream, pytest.raises(RetryLater, match="too many requests"):
        stream.read()


def test_an_error_that_is_cut_off_asks_for_another_try(
    store: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """The outcome of the lost response is unknown."""
    cloud.order(breaks(cut(20)))
    with pytest.raises(RetryLater, match="the connection broke"):
        store.open("k")


def test_a_stream_reads_forward_only(store: S3ObjectStore) -> None:
    """It cannot be wound back, and says so; lines and closing work as of a file."""
    store.put("k", b"one\ntwo\n")
    with store.open("k") as stream:
        assert not stream.seekable()
        assert stream.readable()
        with pytest.raises(io.UnsupportedOperation):
            stream.seek(0)
        assert list(stream) == [b"one\n", b"two\n"]
    assert stream.closed


def test_a_checksum_that_is_stored_is_not_computed(
    store: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """A small object is not read for its checksum; one of parts is, for S3 has none of it whole."""
    store.put("small", b"x" * 1000)
    store.put("large", b"x" * 1001)
    for key, size in (("small", 1000), ("large", 1001)):
        assert store.checksum(key) == hashlib.sha256(b"x" * size).hexdigest()
    assert [request.path.rpartition("/")[2] for request in cloud.asked("GET")] == ["large"]


def test_a_checksum_is_of_one_version(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """When the object changes between question and reading, it is begun again."""
    store.put("k", b"x" * 3000)
    cloud.order(Fault("GET", after(lambda: store.put("k", b"y" * 3000)), "/k"))
    assert store.checksum("k") == hashlib.sha256(b"y" * 3000).hexdigest()


def test_a_list_is_read_page_by_page(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """A page is fetched when it is needed; one that fails asks for another try."""
    for number in range(8):
        store.put(f"p/{number}", b"")
    listed = store.list("p/", after="p/0")
    assert next(listed).key == "p/1"
    assert len(cloud.asked("GET", "list-type")) == 1
    assert [info.key for info in listed] == [f"p/{number}" for number in range(2, 8)]
    assert len(cloud.asked("GET", "list-type")) == 3
    listed = store.list("p/")
    next(listed)
    cloud.order(Fault("GET", refused(503, "SlowDown"), "list-type"))
    with pytest.raises(RetryLater):
        list(listed)
