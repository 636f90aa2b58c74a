"""The parts of the object store's contract about reading and about writing."""

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any, ClassVar, Final

import pytest

from campaign_workers.domain.errors import Conflict, Fatal, NotFound, RetryLater
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import (
    RACE_TIMEOUT_SECONDS,
    Contract,
    Outage,
    SourceError,
    race,
)

Plant = Callable[[str, bytes], object]
"""Writes an object directly to the backend, without the adapter."""

TEN: Final = b"0123456789"
MEBIBYTE: Final = 1024 * 1024

REFUSED_KEYS: Final = (
    "",
    "/a",
    "a/",
    "a//b",
    ".",
    "..",
    "a/./b",
    "../a",
    "a/..",
    "k" * 1025,
    "é" * 513,
    "\ud800",
)

CALLS: Final[dict[str, Callable[[ObjectStore, str], object]]] = {
    "head": lambda store, key: store.head(key),
    "open": lambda store, key: store.open(key),
    "checksum": lambda store, key: store.checksum(key),
    "copy": lambda store, key: store.copy(key, "target"),
    "put": lambda store, key: store.put(key, b"new"),
    "copy to": lambda store, key: store.copy("source", key),
    "delete": lambda store, key: store.delete([key]),
}
READ_CALLS: Final = ("head", "open", "checksum", "copy")


def read(store: ObjectStore, key: str, **params: Any) -> bytes:
    """Return the content of an object."""
    with store.open(key, **params) as stream:
        return stream.read()


def keys(store: ObjectStore, prefix: str = "", **params: Any) -> list[str]:
    """Return the listed keys."""
    return [info.key for info in store.list(prefix, **params)]


class ReadingContract(Contract):
    """Reading of existing objects."""

    @pytest.mark.parametrize("content", [b"", b"\0\xff\r\n", TEN * 300_000], ids=len)
    def test_content_is_read_unchanged(
        self, store: ObjectStore, plant: Plant, content: bytes
    ) -> None:
        """Content, size and checksum are those of the stored object."""
        plant("k", content)
        assert read(store, "k") == content
        assert store.head("k").size == len(content)
        assert store.checksum("k") == hashlib.sha256(content).hexdigest()

    def test_an_object_is_read_in_parts(self, store: ObjectStore, plant: Plant) -> None:
        """A stream returns the requested number of bytes, lines, and nothing after the end."""
        plant("k", b"0123\n4567\n89")
        with store.open("k") as stream:
            assert [stream.read(2), stream.readline(), *stream] == [
                b"01",
                b"23\n",
                b"4567\n",
                b"89",
            ]
            assert stream.read() == stream.read(5) == b""

    @pytest.mark.parametrize("length", [None, 0, 1, 7, 10, 100])
    @pytest.mark.parametrize("start", [0, 3, 9, 10, 100])
    def test_a_range_is_read(
        self, store: ObjectStore, plant: Plant, start: int, length: int | None
    ) -> None:
        """A range ends at the end of the object, and is empty beyond it."""
        plant("k", TEN)
        expected = TEN[start:] if length is None else TEN[start : start + length]
        assert read(store, "k", start=start, length=length) == expected
        with store.open("k", start=start, length=length) as stream:
            assert b"".join(iter(lambda: stream.read(3), b"")) == expected

    def test_a_version_is_read_by_its_etag(self, store: ObjectStore, plant: Plant) -> None:
        """The requested version is read, never a later one."""
        plant("k", b"one")
        etag = store.head("k").etag
        assert read(store, "k", etag=etag, start=1) == b"ne"
        store.put("k", b"two")
        with pytest.raises(Conflict):
            store.open("k", etag=etag)
        assert read(store, "k", etag=store.head("k").etag) == b"two"

    def test_an_opened_stream_keeps_its_version(self, store: ObjectStore, plant: Plant) -> None:
        """A later put or delete does not affect an open stream."""
        plant("k", b"old" * MEBIBYTE)
        with store.open("k") as whole, store.open("k", start=3, length=300_000) as part:
            assert (whole.read(3), part.read(3)) == (b"old", b"old")
            store.put("k", b"new")
            store.delete(["k"])
            assert whole.read() == b"old" * (MEBIBYTE - 1)
            assert part.read() == b"old" * 99_999

    @pytest.mark.parametrize("call", READ_CALLS)
    def test_missing_names_are_not_found(self, store: ObjectStore, call: str) -> None:
        """A key without an object is not found, even if it is part of another key."""
        store.put("folder/k", b"")
        for key in ("gone", "folder", "folder/k/x", "folder/kk"):
            with pytest.raises(NotFound):
                CALLS[call](store, key)
        with pytest.raises(NotFound):
            store.open("gone", etag="any")
        assert keys(store) == ["folder/k"]

    @pytest.mark.parametrize("call", CALLS)
    @pytest.mark.parametrize("key", REFUSED_KEYS, ids=lambda key: ascii(key[:9]))
    def test_a_refused_key_is_refused_by_every_method(
        self, store: ObjectStore, key: str, call: str
    ) -> None:
        """Every method refuses an invalid key, and nothing changes."""
        store.put("source", b"")
        with pytest.raises(Fatal):
            CALLS[call](store, key)
        assert keys(store) == ["source"]

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, store: ObjectStore, outage: Outage, call: str
    ) -> None:
        """A failing store raises `RetryLater`, never `NotFound`, and nothing changes."""
        store.put("source", b"old")
        with outage(), pytest.raises(RetryLater):
            CALLS[call](store, "source" if call in READ_CALLS else "k")
        with outage(), pytest.raises(RetryLater):
            list(store.list(""))
        assert (keys(store), read(store, "source")) == (["source"], b"old")


Peek = Callable[[str], bytes | None]
"""Reads an object directly from the backend, without the adapter; None if there is none."""

ODD_KEYS: Final = (
    "a b+c%20d",
    "Zürich/日本/🎫",
    " leading and trailing ",
    "...",
    "a..b/.hidden",
    "q?x=1&y#z;*[0]",
    "\uffee",
    "/".join(["k" * 127] * 8) + "k",
)
"""Valid but unusual keys; the last one has 1024 bytes."""


def failing_body(*chunks: bytes) -> Iterator[bytes]:
    """Yield chunks, then raise."""
    yield from chunks
    raise SourceError


class WritingContract(Contract):
    """Put, copy and delete."""

    keys_within_keys: ClassVar[bool] = True
    """Whether both `a` and `a/b` may exist, as in a bucket."""

    @pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key[:9]))
    def test_unusual_keys_are_valid(
        self, store: ObjectStore, plant: Plant, peek: Peek, key: str
    ) -> None:
        """Blanks, plus signs, Unicode and long keys are used unchanged."""
        plant(key, b"old")
        assert (read(store, key), keys(store)) == (b"old", [key])
        info = store.put(key, b"new")
        assert (info.key, peek(key), keys(store)) == (key, b"new", [key])
        assert store.copy(key, "other").size == store.copy("other", key).size == 3
        store.delete([key])
        assert (peek(key), keys(store)) == (None, ["other"])

    def test_put_replaces_the_object(self, store: ObjectStore, peek: Peek) -> None:
        """Bytes and chunks are written alike and replace the former content."""
        chunks = [b"", TEN * 100_000, b"", b"end"] * 9
        for body, content in (
            (b"long before", b"long before"),
            (iter(chunks), b"".join(chunks)),
            ([b"a", b"b"], b"ab"),
            (b"", b""),
            ((), b""),
        ):
            info = store.put("k", body)
            assert (peek("k"), info) == (content, store.head("k"))
            assert (info.key, info.size) == ("k", len(content))

    def test_modified_is_the_time_of_the_put(self, store: ObjectStore, clock: Clock) -> None:
        """The time is timezone-aware and exact to the second, the resolution of some stores."""
        before = clock.now()
        modified = store.put("k", b"").modified
        second = timedelta(seconds=1)
        assert before - second <= modified <= clock.now() + second
        assert next(store.list("")).modified == store.head("k").modified

    def test_versions_have_different_etags(self, store: ObjectStore) -> None:
        """Etags differ, also for versions of the same size."""
        assert len({store.put("k", bytes([number])).etag for number in range(20)}) == 20

    @pytest.mark.parametrize("chunks", [(), (b"new",), (TEN * MEBIBYTE, b"new")], ids=len)
    @pytest.mark.parametrize("precondition", ["none", "if_absent", "if_match"])
    def test_a_body_that_fails_changes_nothing(
        self,
        store: ObjectStore,
        peek: Peek,
        chunks: tuple[bytes, ...],
        precondition: str,
    ) -> None:
        """A partial object is never visible; the former version stays."""
        old = store.put("old", b"old")
        preconditions: dict[str, dict[str, Any]] = {
            "none": {},
            "if_absent": {"if_absent": True},
            "if_match": {"if_match": old.etag},
        }
        params = preconditions[precondition]
        for key in ("old", "fresh"):
            with pytest.raises((SourceError, Conflict)):
                store.put(key, failing_body(*chunks), **params)
        assert (peek("fresh"), peek("old"), store.head("old")) == (None, b"old", old)
        assert keys(store) == ["old"]

    def test_a_body_may_be_read_from_the_object_it_replaces(
        self, store: ObjectStore, peek: Peek
    ) -> None:
        """The old version is readable while the new one and other objects are written."""
        store.put("k", b"x" * 1_000_000)

        def double_chunks() -> Iterator[bytes]:
            with store.open("k") as source:
                for chunk in iter(lambda: source.read(65_536), b""):
                    store.put("progress", b"%d" % len(chunk))
                    yield chunk + chunk

        assert store.put("k", double_chunks()).size == 2_000_000
        assert peek("k") == b"x" * 2_000_000

    def test_if_absent_never_overwrites(self, store: ObjectStore, peek: Peek) -> None:
        """The first writer wins; later ones get a `Conflict`."""
        first = store.put("k", b"first", if_absent=True)
        with pytest.raises(Conflict):
            store.put("k", iter([b"second"]), if_absent=True)
        assert (peek("k"), store.head("k")) == (b"first", first)

    def test_if_match_replaces_only_that_version(self, store: ObjectStore, peek: Peek) -> None:
        """A writer with an old etag, or for a missing object, gets a `Conflict`."""
        first = store.put("k", b"first")
        second = store.put("k", b"second", if_match=first.etag)
        with pytest.raises(Conflict):
            store.put("k", iter([b"third"]), if_match=first.etag)
        with pytest.raises(Conflict):
            store.put("fresh", b"", if_match=second.etag)
        assert (peek("k"), peek("fresh"), store.head("k")) == (b"second", None, second)

    @pytest.mark.parametrize("fresh", [True, False], ids=["if_absent", "if_match"])
    def test_concurrent_conditional_puts_have_one_winner(
        self, store: ObjectStore, peek: Peek, fresh: bool
    ) -> None:
        """Of concurrent conditional writers one succeeds; the object has its content."""
        params: dict[str, Any] = (
            {"if_absent": True} if fresh else {"if_match": store.put("k", b"old").etag}
        )
        together = Barrier(8, timeout=RACE_TIMEOUT_SECONDS)

        def body(number: int) -> Iterator[bytes]:
            yield b"%d" % number * 100_000
            together.wait()
            yield b"%d" % number * 100_000

        outcomes = race(*(partial(store.put, "k", body(n), **params) for n in range(8)))
        winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ObjectInfo)]
        assert len(winners) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
        assert peek("k") == b"%d" % winners[0] * 200_000

    def test_writers_without_a_precondition_never_mix(self, store: ObjectStore) -> None:
        """Content, size and etag are all of the same writer."""
        puts = [partial(store.put, "k", iter([b"%d" % n * 50_000] * 2)) for n in range(6)]
        written = {outcome.etag for outcome in race(*puts) if isinstance(outcome, ObjectInfo)}
        assert len(written) == 6
        found = store.head("k")
        assert found.etag in written
        assert len(set(read(store, "k", etag=found.etag))) == 1

    def test_a_copy_is_equal(self, store: ObjectStore, plant: Plant, peek: Peek) -> None:
        """A copy has the content of its source, which stays, and may replace an object."""
        plant("source", TEN * 300_000)
        store.put("there", b"old")
        for target in ("fresh/copy", "there", "source"):
            assert store.copy("source", target) == store.head(target)
            assert store.head(target).size == 3_000_000
            assert peek(target) == peek("source") == TEN * 300_000

    def test_a_copy_of_a_missing_object_changes_nothing(
        self, store: ObjectStore, peek: Peek
    ) -> None:
        """If the source is missing, the target does not change."""
        store.put("there", b"old")
        with pytest.raises(NotFound):
            store.copy("gone", "there")
        assert peek("there") == b"old"

    def test_delete_removes_only_the_given_objects(self, store: ObjectStore, peek: Peek) -> None:
        """Any number of objects is deleted; repeats and missing keys are no error."""
        for key in ("a", "a b", "f/a", "f/b", "g/only"):
            store.put(key, b"x")
        for _ in range(2):
            store.delete(key for key in ("a", "f/a", "g/only", "gone", "gone/too", "a b/x"))
        store.delete([])
        assert keys(store) == ["a b", "f/b"]
        assert (peek("a"), peek("f/a"), peek("f/b")) == (None, None, b"x")

    def test_a_key_within_a_key_is_stored_or_refused(self, store: ObjectStore, peek: Peek) -> None:
        """`a` and `a/b` are two objects; a store that cannot keep both refuses the second."""
        store.put("a", b"1")
        store.put("f/b", b"2")
        for key in ("a/b", "f"):
            if self.keys_within_keys:
                assert store.put(key, b"3") == store.head(key)
                continue
            with pytest.raises(Fatal):
                store.put(key, b"3")
        held = ["a", "a/b", "f", "f/b"] if self.keys_within_keys else ["a", "f/b"]
        assert (keys(store), peek("a"), peek("f/b")) == (held, b"1", b"2")
