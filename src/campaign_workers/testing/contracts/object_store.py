"""Contract of `ObjectStore`."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import CampaignError, NotFound
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.testing.contracts._base import Contract, SourceError, race
from campaign_workers.testing.contracts._objects import (
    Peek,
    Plant,
    ReadingContract,
    WritingContract,
    failing_body,
    keys,
    read,
)

__all__ = ["AnnouncingStore", "AnnouncingStoreContract", "ObjectStoreContract", "Peek", "Plant"]

MANY: Final = tuple(f"many/{number % 7}/{number}" for number in range(1200))
"""More keys than a store lists in one request, unordered."""

UNICODE: Final = ("u/Z", "u/a", "u/ab", "u/z", "u/é", "u/日", "u/\uffee", "u/🎫")
"""In the order of their UTF-8 bytes, which differs from that of UTF-16 and of dictionaries."""


class ListingContract(Contract):
    """Listing."""

    def test_many_keys_are_listed_in_order(self, store: ObjectStore, plant: Plant) -> None:
        """Every key is listed once, and a list after a key has all later keys."""
        for key in MANY:
            plant(key, b"")
        ordered = sorted(MANY, key=str.encode)
        assert keys(store) == keys(store, "many/") == ordered
        for position in (999, 1000, 1199):
            assert keys(store, "many/", after=ordered[position]) == ordered[position + 1 :]
        store.delete(info.key for info in store.list("many/", after=ordered[99]))
        assert keys(store) == ordered[:100]

    def test_keys_are_ordered_by_their_bytes(self, store: ObjectStore, plant: Plant) -> None:
        """Capitals, accents and emoji are in the order of their UTF-8 bytes."""
        for key in reversed(UNICODE):
            plant(key, b"")
        assert keys(store) == list(UNICODE)
        for before, key in pairwise(UNICODE):
            assert next(store.list("u/", after=before)).key == key

    @pytest.mark.parametrize(
        ("prefix", "after", "found"),
        [
            ("", "", ["a/b", "a/b c", "a/bc/d", "ab", "b"]),
            ("a", "", ["a/b", "a/b c", "a/bc/d", "ab"]),
            ("a/", "", ["a/b", "a/b c", "a/bc/d"]),
            ("a/b", "", ["a/b", "a/b c", "a/bc/d"]),
            ("a/bc/", "", ["a/bc/d"]),
            ("a/bc/d", "", ["a/bc/d"]),
            ("a/bc/d/", "", []),
            ("A", "", []),
            ("..", "", []),
            ("/", "", []),
            ("a/", "a/b", ["a/b c", "a/bc/d"]),
            ("a/", "a/bb", ["a/bc/d"]),
            ("a/", "A", ["a/b", "a/b c", "a/bc/d"]),
            ("a/", "b", []),
            ("", "a/bc/d", ["ab", "b"]),
        ],
    )
    def test_a_prefix_need_not_end_at_a_slash(
        self, store: ObjectStore, plant: Plant, prefix: str, after: str, found: list[str]
    ) -> None:
        """A prefix is any beginning of a key, and `after` need not exist."""
        for key in ("b", "ab", "a/bc/d", "a/b c", "a/b"):
            plant(key, b"")
        assert keys(store, prefix, after=after) == found

    def test_a_list_agrees_with_head(self, store: ObjectStore, plant: Plant) -> None:
        """A list has the size, the etag and the time of each object."""
        plant("a", b"12")
        store.put("b", iter([b"345"]))
        assert list(store.list("")) == [store.head("a"), store.head("b")]

    def test_a_list_tolerates_changes_during_iteration(
        self, store: ObjectStore, plant: Plant
    ) -> None:
        """Objects that exist throughout are listed once, whatever else is written or deleted."""
        for key in "acegi":
            plant(key, b"")
        seen = []
        for info in store.list(""):
            seen.append(info.key)
            store.delete([info.key, "g"])
            store.put("b", b"")
            store.put("z", b"")
        assert [key for key in seen if key in "acei"] == ["a", "c", "e", "i"]
        assert len(seen) == len(set(seen))

    def test_a_list_tolerates_other_threads(self, store: ObjectStore, plant: Plant) -> None:
        """Concurrent writes and deletes break no list."""
        for number in range(100):
            plant(f"stays/{number:02}", b"")

        def change() -> None:
            for number in range(20):
                store.put(f"comes/{number}", b"")
                store.delete([f"comes/{number}"])

        def list_objects() -> None:
            for _ in range(5):
                assert keys(store, "stays/") == [f"stays/{number:02}" for number in range(100)]
                assert len(keys(store)) >= 100

        assert race(change, list_objects, change, list_objects) == [None] * 4


class ObjectStoreContract(ReadingContract, WritingContract, ListingContract):
    """Fixtures: `store`, empty; `clock`, the source of its times; `outage`.

    `plant` and `peek` write and read the backend directly, without the adapter.
    """


class AnnouncingStore(ObjectStore, Protocol):
    """A store that notifies listeners of new objects, as a bucket does."""

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Call `callback` for every object that is written from now on."""
        ...


class AnnouncingStoreContract(Contract):
    """Fixtures: `store`."""

    def test_puts_and_copies_are_announced(self, store: AnnouncingStore) -> None:
        """Every listener is called once for each put and copy, with the written version."""
        store.put("before", b"")
        announced: list[ObjectInfo] = []
        keys_announced: list[str] = []
        store.on_created(announced.append)
        store.on_created(lambda info: keys_announced.append(info.key))
        written = [
            store.put("k", b"one"),
            store.put("k", iter([b"two"])),
            store.put("fresh", b"", if_absent=True),
            store.copy("k", "copy"),
        ]
        assert announced == written
        assert keys_announced == ["k", "k", "fresh", "copy"]

    def test_nothing_else_is_announced(self, store: AnnouncingStore) -> None:
        """Reads, lists, deletes and failed writes are not announced."""
        old = store.put("k", b"")
        announced: list[ObjectInfo] = []
        store.on_created(announced.append)
        attempts: tuple[Callable[[], object], ...] = (
            lambda: store.put("k", b"", if_absent=True),
            lambda: store.put("k", b"", if_match=f"not {old.etag}"),
            lambda: store.put("k", failing_body(b"half")),
            lambda: store.copy("gone", "k"),
            lambda: store.put("../k", b""),
        )
        for attempt in attempts:
            with pytest.raises((CampaignError, SourceError)):
                attempt()
        read(store, "k")
        list(store.list(""))
        store.delete(["k"])
        with pytest.raises(NotFound):
            store.head("k")
        assert announced == []

    def test_an_object_is_there_when_it_is_announced(self, store: AnnouncingStore) -> None:
        """A listener can read the announced version, and may write itself."""
        found: list[bytes] = []

        def answer(info: ObjectInfo) -> None:
            if info.key == "question":
                found.append(read(store, info.key, etag=info.etag))
                store.put("answer", found[0])

        store.on_created(answer)
        store.put("question", iter([b"who", b"?"]))
        assert (found, read(store, "answer")) == ([b"who?"], b"who?")
