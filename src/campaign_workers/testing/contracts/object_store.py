"""What every object store promises."""

from collections.abc import Callable
from itertools import pairwise
from typing import Final, Protocol

import pytest

from campaign_workers.domain.errors import CampaignError, NotFound
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.testing.contracts._base import Contract
from campaign_workers.testing.contracts._object_reading import (
    Plant,
    ReadingContract,
    keys,
    read,
)
from campaign_workers.testing.contracts._object_writing import (
    Failed,
    Peek,
    WritingContract,
    failing,
)
from campaign_workers.testing.contracts._race import race

__all__ = ["AnnouncingStore", "AnnouncingStoreContract", "ObjectStoreContract", "Peek", "Plant"]

MANY: Final = tuple(f"many/{number % 7}/{number}" for number in range(1200))
"""More keys than any store lists at once, and not in order."""

UNICODE: Final = ("u/Z", "u/a", "u/ab", "u/z", "u/é", "u/日", "u/\uffee", "u/🎫")
"""In the order of their UTF-8 bytes, which is neither that of UTF-16 nor of any dictionary."""


class ListingContract(Contract):
    """What is promised of lists."""

    def test_any_number_is_listed_in_the_order_of_bytes(
        self, store: ObjectStore, plant: Plant
    ) -> None:
        """No page is lost, none comes twice, and whoever goes on after a key misses nothing."""
        for key in MANY:
            plant(key, b"")
        ordered = sorted(MANY, key=str.encode)
        assert keys(store) == keys(store, "many/") == ordered
        for position in (999, 1000, 1199):
            assert keys(store, "many/", after=ordered[position]) == ordered[position + 1 :]
        store.delete(info.key for info in store.list("many/", after=ordered[99]))
        assert keys(store) == ordered[:100]

    def test_keys_are_ordered_by_their_bytes(self, store: ObjectStore, plant: Plant) -> None:
        """Capitals, accents and pictures stand where their UTF-8 has them."""
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
    def test_a_prefix_is_the_beginning_of_a_key(
        self, store: ObjectStore, plant: Plant, prefix: str, after: str, found: list[str]
    ) -> None:
        """It need not end at a slash, nor need `after` be a key that there is."""
        for key in ("b", "ab", "a/bc/d", "a/b c", "a/b"):
            plant(key, b"")
        assert keys(store, prefix, after=after) == found

    def test_a_list_says_what_head_says(self, store: ObjectStore, plant: Plant) -> None:
        """Size, etag and time stand in the list."""
        plant("a", b"12")
        store.put("b", iter([b"345"]))
        assert list(store.list("")) == [store.head("a"), store.head("b")]

    def test_a_list_bears_changes_while_it_is_read(self, store: ObjectStore, plant: Plant) -> None:
        """What is there from the first to the last moment is listed once, come and go what may."""
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

    def test_a_list_bears_other_threads(self, store: ObjectStore, plant: Plant) -> None:
        """Whoever writes and deletes at the same moment breaks no list."""
        for number in range(100):
            plant(f"stays/{number:02}", b"")

        def change() -> None:
            for number in range(20):
                store.put(f"comes/{number}", b"")
                store.delete([f"comes/{number}"])

        def look() -> None:
            for _ in range(5):
                assert keys(store, "stays/") == [f"stays/{number:02}" for number in range(100)]
                assert len(keys(store)) >= 100

        assert race(change, look, change, look) == [None] * 4


class ObjectStoreContract(ReadingContract, WritingContract, ListingContract):
    """Fixtures: `store`, empty; `clock`, which it is written by; `outage`.

    `plant` and `peek` write and read its medium, past the adapter.
    """


class AnnouncingStore(ObjectStore, Protocol):
    """A store that tells what was written, as a bucket tells its notifications."""

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Tell `callback` of every object that is written from now on."""
        ...


class AnnouncingStoreContract(Contract):
    """Fixtures: `store`."""

    def test_what_is_written_is_announced(self, store: AnnouncingStore) -> None:
        """Everybody who listens hears of each put and each copy once, with its very version."""
        store.put("before", b"")
        heard: list[ObjectInfo] = []
        also: list[str] = []
        store.on_created(heard.append)
        store.on_created(lambda info: also.append(info.key))
        written = [
            store.put("k", b"one"),
            store.put("k", iter([b"two"])),
            store.put("fresh", b"", if_absent=True),
            store.copy("k", "copy"),
        ]
        assert heard == written
        assert also == ["k", "k", "fresh", "copy"]

    def test_nothing_else_is_announced(self, store: AnnouncingStore) -> None:
        """Reading, listing, deleting, and writing that fails, are no news."""
        old = store.put("k", b"")
        heard: list[ObjectInfo] = []
        store.on_created(heard.append)
        attempts: tuple[Callable[[], object], ...] = (
            lambda: store.put("k", b"", if_absent=True),
            lambda: store.put("k", b"", if_match=f"not {old.etag}"),
            lambda: store.put("k", failing(b"half")),
            lambda: store.copy("gone", "k"),
            lambda: store.put("../k", b""),
        )
        for attempt in attempts:
            with pytest.raises((CampaignError, Failed)):
                attempt()
        read(store, "k")
        list(store.list(""))
        store.delete(["k"])
        with pytest.raises(NotFound):
            store.head("k")
        assert heard == []

    def test_an_object_is_there_when_it_is_announced(self, store: AnnouncingStore) -> None:
        """Who hears of a version can read it, and may write in turn."""
        found: list[bytes] = []

        def answer(info: ObjectInfo) -> None:
            if info.key == "question":
                found.append(read(store, info.key, etag=info.etag))
                store.put("answer", found[0])

        store.on_created(answer)
        store.put("question", iter([b"who", b"?"]))
        assert (found, read(store, "answer")) == ([b"who?"], b"who?")
