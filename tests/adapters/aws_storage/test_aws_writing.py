"""Objects are written to a bucket whole, once and by one, whatever gets lost on the way."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.adapters.aws.s3.transfers import CONCURRENT_PARTS, split_parts
from campaign_workers.domain.errors import Conflict, Fatal, NotFound, RetryLater
from tests.servers.aws import aws_client
from tests.servers.aws_faults import Fault, FaultyCloud, after, answered, lost, refused

SIZES: Final = {"at once": 10, "in parts": 3500}
ERROR: Final = "<Error><Code>InternalError</Code><Message>no</Message></Error>"


@pytest.fixture(params=SIZES.values(), ids=list(SIZES))
def body(request: pytest.FixtureRequest) -> bytes:
    """A body of one request, and one of several parts."""
    return (b"0123456789" * 350)[: request.param]


def content(store: S3ObjectStore, key: str = "k") -> bytes:
    """Return the keys in the bucket."""
    return aws_client("s3").get_object(Bucket=store.bucket, Key=key)["Body"].read()


def unfinished(store: S3ObjectStore) -> list[Any]:
    """Return the multipart uploads that are still open."""
    return aws_client("s3").list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])


def last_write(body: bytes, deed: Any) -> Fault:
    """A fault of the request that makes the object."""
    return Fault("PUT", deed, "/k") if len(body) <= 1000 else Fault("POST", deed, "uploadId")


@pytest.mark.parametrize("which", [{}, {"if_absent": True}], ids=["any", "if_absent"])
def test_a_write_whose_answer_is_lost_is_known_for_ours(
    patient: S3ObjectStore, cloud: FaultyCloud, body: bytes, which: dict[str, Any]
) -> None:
    """The SDK asks twice; that the object is there by then is no conflict with ourselves."""
    cloud.order(last_write(body, lost()))
    info = patient.put("k", iter([body]), **which)
    assert (info, content(patient)) == (patient.head("k"), body)
    assert unfinished(patient) == []


def test_a_replacement_whose_answer_is_lost_is_known_for_ours(
    patient: S3ObjectStore, cloud: FaultyCloud, body: bytes
) -> None:
    """The same with a version that was meant."""
    old = patient.put("k", b"old")
    cloud.order(last_write(body, lost()))
    assert patient.put("k", iter([body]), if_match=old.etag) == patient.head("k")
    assert content(patient) == body


def test_another_writer_is_a_conflict_though_an_answer_is_lost(
    patient: S3ObjectStore, cloud: FaultyCloud, body: bytes
) -> None:
    """Equal bytes of another writer are a conflict."""
    s3 = aws_client("s3")
    first_try = after(
        lambda: s3.put_object(Bucket=patient.bucket, Key="k", Body=body),
        refused(500, "InternalError"),
    )
    cloud.order(last_write(body, first_try))
    with pytest.raises(Conflict):
        patient.put("k", iter([body]), if_absent=True)
    assert unfinished(patient) == []


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_writers_at_the_same_moment_conflict(
    store: S3ObjectStore, cloud: FaultyCloud, body: bytes, code: str
) -> None:
    """Both S3 errors about another writer are a conflict."""
    cloud.order(last_write(body, refused(409 if "Request" in code else 412, code)))
    with pytest.raises(Conflict):
        store.put("k", iter([body]), if_absent=True)
    assert unfinished(store) == []


def test_a_completion_that_fails_within_its_answer_is_tried_again(
    patient: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """S3 may say 200 and then that it failed."""
    cloud.order(Fault("POST", answered(ERROR), "uploadId"))
    assert patient.put("k", b"x" * 2500).size == 2500
    assert content(patient) == b"x" * 2500


@pytest.mark.parametrize("number", [1, 4])
def test_a_part_that_fails_ends_the_upload(
    store: S3ObjectStore, cloud: FaultyCloud, number: int
) -> None:
    """Nothing is changed, and no part stays behind to be paid for."""
    cloud.order(Fault("PUT", refused(503, "SlowDown"), f"partNumber={number}"))
    with pytest.raises(RetryLater):
        store.put("k", b"x" * 3500)
    assert unfinished(store) == []
    with pytest.raises(NotFound):
        store.head("k")


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit, ValueError])
def test_an_interrupted_upload_is_ended(
    store: S3ObjectStore, interruption: type[BaseException]
) -> None:
    """Any interruption aborts the upload, and the earlier object stays."""
    store.put("k", b"old")

    def body() -> Iterator[bytes]:
        yield b"x" * 2500
        raise interruption

    with pytest.raises(interruption):
        store.put("k", body())
    assert (unfinished(store), content(store)) == ([], b"old")


def test_an_upload_that_cannot_be_ended_hides_no_error(
    store: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """The first error is the one that is raised."""
    cloud.order(
        Fault("PUT", refused(403, "AccessDenied"), "partNumber=2"),
        Fault("DELETE", refused(503, "SlowDown"), "uploadId"),
    )
    with pytest.raises(Fatal, match="allow s3:PutObject"):
        store.put("k", b"x" * 3500)


def test_no_more_than_a_few_parts_are_held(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """A body is asked for more only when there is room for it, whatever its size."""
    held: list[int] = []

    def body() -> Iterator[bytes]:
        for made in range(60):
            held.append(made - len(cloud.asked("PUT", "partNumber")))
            yield b"x" * 1000

    store.put("k", body())
    assert content(store) == b"x" * 60_000
    assert max(held) <= CONCURRENT_PARTS + 2


@pytest.mark.parametrize("size", [1, 2, 3, 10, 11])
def test_parts_are_all_of_the_body(size: int) -> None:
    """Of one size but for the last one, however the body comes."""
    whole = b"0123456789"
    expected = [whole[start : start + size] for start in range(0, 10, size)]
    for body in (whole, [whole], [b"01", b"", b"23456", b"789"], iter([whole[:9], whole[9:]])):
        assert list(split_parts(body, size)) == expected
    assert list(split_parts(b"", size)) == list(split_parts([], size)) == []


def test_who_may_write_but_not_read_writes(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """The put returns the object's etag, size and time from its responses."""
    cloud.order(Fault("HEAD", refused(403, "AccessDenied")))
    info = store.put("k", b"written")
    found = store.head("k")
    assert (info.key, info.size, info.etag) == (found.key, found.size, found.etag)
    assert abs((info.modified - found.modified).total_seconds()) <= 1


def test_a_copy_is_of_one_version(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """When the source changes after it was looked at, it is looked at again."""
    store.put("source", b"old")
    cloud.order(Fault("PUT", after(lambda: store.put("source", b"new")), "/target"))
    copy = store.copy("source", "target")
    assert (copy, content(store, "target")) == (store.head("target"), b"new")


def test_a_source_that_keeps_changing_is_given_up(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """It is copied another time."""
    store.put("source", b"old")
    cloud.order(*[Fault("PUT", refused(412, "PreconditionFailed"), "/target")] * 5)
    with pytest.raises(RetryLater, match="another writer keeps"):
        store.copy("source", "target")


def parted(store: S3ObjectStore) -> S3ObjectStore:
    """The same bucket; only tiny objects are copied at once."""
    return S3ObjectStore(store.client, store.bucket, copy_threshold_bytes=10, copy_part_bytes=900)


@pytest.mark.parametrize("size", [11, 900, 1000, 3500])
def test_what_is_too_large_to_copy_at_once_is_copied_in_parts(
    store: S3ObjectStore, cloud: FaultyCloud, size: int
) -> None:
    """Side by side and of one version; the copy is compared, as its etag is another one."""
    store.put("source", (b"0123456789" * 350)[:size])
    copy = parted(store).copy("source", "target")
    assert (copy, content(store, "target")) == (store.head("target"), content(store, "source"))
    parts = [request for request in cloud.asked("PUT", "partNumber") if "/target?" in request.path]
    assert len(parts) == -(-size // 900)
    # What S3 knows of the source is not computed again.
    computed = ["target", "source"] if size > 1000 else ["target"]
    assert [r.path.rpartition("/")[2] for r in cloud.asked("GET")] == computed
    assert unfinished(store) == []


def test_a_copy_in_parts_that_fails_is_ended(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """No part of it stays behind."""
    store.put("source", b"x" * 900)
    cloud.order(Fault("PUT", refused(500, "InternalError"), "/target"))
    with pytest.raises(RetryLater):
        parted(store).copy("source", "target")
    assert unfinished(store) == []


def test_a_copy_that_is_not_equal_is_no_copy(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """An object of another writer is not accepted as the copy, even if its size is equal."""
    store.put("source", b"what was meant")
    cloud.order(Fault("HEAD", after(lambda: store.put("target", b"somebody else's")), "/target"))
    with pytest.raises(RetryLater, match="the copy differs"):
        store.copy("source", "target")
    for deed in (
        lambda: store.put("target", b"what was_meant"),
        lambda: store.delete(["target"]),
    ):
        cloud.order(Fault("HEAD", after(deed), "/target"))
        with pytest.raises(RetryLater, match="the copy differs"):
            store.copy("source", "target")


def test_an_upload_that_somebody_else_ended_asks_for_another_try(
    store: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """It is no missing object."""
    cloud.order(Fault("POST", refused(404, "NoSuchUpload"), "uploadId"))
    with pytest.raises(RetryLater, match="ended the upload"):
        store.put("k", b"x" * 2500)


def deleted(*errors: tuple[str, str]) -> Callable[..., Any]:
    """An answer to a deletion of which some failed."""
    entries = (
        f"<Error><Key>{key}</Key><Code>{code}</Code><Message>no</Message></Error>"
        for key, code in errors
    )
    return answered(f"<DeleteResult>{''.join(entries)}</DeleteResult>")


@pytest.mark.parametrize(
    ("code", "error", "words"),
    [
        ("InternalError", RetryLater, "the service failed"),
        ("SlowDown", RetryLater, "too many requests"),
        ("AccessDenied", Fatal, "allow s3:DeleteObject"),
    ],
)
def test_objects_that_are_not_deleted_are_reported(
    store: S3ObjectStore, cloud: FaultyCloud, code: str, error: type[Exception], words: str
) -> None:
    """One of them is named, and how many there are."""
    cloud.order(Fault("POST", deleted(("b", code), ("c", code)), "delete"))
    with pytest.raises(error, match=words) as caught:
        store.delete(["a", "b", "c"])
    assert "/b and 1 more of 3: not deleted" in str(caught.value)


def test_an_object_that_is_gone_already_is_no_error(
    store: S3ObjectStore, cloud: FaultyCloud
) -> None:
    """An object that another client deleted counts as deleted."""
    cloud.order(Fault("POST", deleted(("a", "NoSuchKey")), "delete"))
    store.delete(["a"])


def test_a_thousand_objects_are_deleted_at_once(store: S3ObjectStore, cloud: FaultyCloud) -> None:
    """And not one more."""
    store.delete(f"gone/{number}" for number in range(1001))
    sizes = [request.body.count(b"<Object>") for request in cloud.asked("POST", "delete")]
    assert sizes == [1000, 1]


@pytest.mark.parametrize("odd", ["a\x01b", "a\rb", "a\nb", "a&b<c>\"'", "a\ufffeb"])
def test_a_key_that_no_list_holds_is_deleted_and_no_other(store: S3ObjectStore, odd: str) -> None:
    """Characters that XML loses or cannot hold do not lead to another object."""
    for key in (odd, "ab", "a b", "a\tb"):
        store.put(key, b"")
    store.delete(["a\tb", odd])
    assert [info.key for info in store.list("")] == ["a b", "ab"]
