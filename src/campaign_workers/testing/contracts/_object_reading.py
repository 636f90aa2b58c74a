"""What every object store promises of objects that are there."""

import hashlib
from collections.abc import Callable
from typing import Any, Final

import pytest

from campaign_workers.domain.errors import Conflict, Fatal, NotFound, RetryLater
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.testing.contracts._base import Contract, Outage

Plant = Callable[[str, bytes], object]
"""Writes an object into the medium, past the adapter."""

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
READINGS: Final = ("head", "open", "checksum", "copy")


def read(store: ObjectStore, key: str, **which: Any) -> bytes:
    """The bytes of an object as the store gives them."""
    with store.open(key, **which) as stream:
        return stream.read()


def keys(store: ObjectStore, prefix: str = "", **which: Any) -> list[str]:
    """The keys that the store lists."""
    return [info.key for info in store.list(prefix, **which)]


class ReadingContract(Contract):
    """What is promised of objects that are there."""

    @pytest.mark.parametrize("content", [b"", b"\0\xff\r\n", TEN * 300_000], ids=len)
    def test_an_object_is_read_as_it_lies_there(
        self, store: ObjectStore, plant: Plant, content: bytes
    ) -> None:
        """Content, size and checksum are those of the medium."""
        plant("k", content)
        assert read(store, "k") == content
        assert store.head("k").size == len(content)
        assert store.checksum("k") == hashlib.sha256(content).hexdigest()

    def test_an_object_is_read_in_pieces(self, store: ObjectStore, plant: Plant) -> None:
        """A stream gives as many bytes as are asked for, lines, and nothing after the end."""
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
    def test_a_range_is_that_part(
        self, store: ObjectStore, plant: Plant, start: int, length: int | None
    ) -> None:
        """A range ends where the object does, and is empty beyond it."""
        plant("k", TEN)
        expected = TEN[start:] if length is None else TEN[start : start + length]
        assert read(store, "k", start=start, length=length) == expected
        with store.open("k", start=start, length=length) as stream:
            assert b"".join(iter(lambda: stream.read(3), b"")) == expected

    def test_a_version_is_asked_for_by_its_etag(self, store: ObjectStore, plant: Plant) -> None:
        """The version that was meant is read, and no later one in its place."""
        plant("k", b"one")
        etag = store.head("k").etag
        assert read(store, "k", etag=etag, start=1) == b"ne"
        store.put("k", b"two")
        with pytest.raises(Conflict):
            store.open("k", etag=etag)
        assert read(store, "k", etag=store.head("k").etag) == b"two"

    def test_an_opened_stream_keeps_its_version(self, store: ObjectStore, plant: Plant) -> None:
        """Neither a later put nor a delete reaches who is reading."""
        plant("k", b"old" * MEBIBYTE)
        with store.open("k") as whole, store.open("k", start=3, length=300_000) as part:
            assert (whole.read(3), part.read(3)) == (b"old", b"old")
            store.put("k", b"new")
            store.delete(["k"])
            assert whole.read() == b"old" * (MEBIBYTE - 1)
            assert part.read() == b"old" * 99_999

    @pytest.mark.parametrize("call", READINGS)
    def test_what_is_not_there_is_not_found(self, store: ObjectStore, call: str) -> None:
        """Nothing is invented for a key that has no object, not even for a part of a key."""
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
        """A key that no bucket takes is a mistake in every call, and changes nothing."""
        store.put("source", b"")
        with pytest.raises(Fatal):
            CALLS[call](store, key)
        assert keys(store) == ["source"]

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_asks_for_another_try(
        self, store: ObjectStore, outage: Outage, call: str
    ) -> None:
        """A store that fails says so, never that there is nothing, and nothing is changed."""
        store.put("source", b"old")
        with outage(), pytest.raises(RetryLater):
            CALLS[call](store, "source" if call in READINGS else "k")
        with outage(), pytest.raises(RetryLater):
            list(store.list(""))
        assert (keys(store), read(store, "source")) == (["source"], b"old")
