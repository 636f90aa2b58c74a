"""What every object store promises of writing, copying and deleting."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any, ClassVar, Final

import pytest

from campaign_workers.domain.errors import Conflict, Fatal, NotFound
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.system import Clock
from campaign_workers.testing.contracts._base import Contract
from campaign_workers.testing.contracts._object_reading import MEBIBYTE, TEN, Plant, keys, read
from campaign_workers.testing.contracts._race import PATIENCE_SECONDS, race

Peek = Callable[[str], bytes | None]
"""The bytes of an object in the medium, past the adapter; None if there is none."""

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
"""Keys that a bucket takes; the last one has 1024 bytes."""


class Failed(Exception):
    """What the test's own body raises."""


def failing(*chunks: bytes) -> Iterator[bytes]:
    """A body that raises after some chunks."""
    yield from chunks
    raise Failed


class WritingContract(Contract):
    """What is promised of put, copy and delete."""

    keys_within_keys: ClassVar[bool] = True
    """Whether there may be both `a` and `a/b`, as in a bucket."""

    @pytest.mark.parametrize("key", ODD_KEYS, ids=lambda key: ascii(key[:9]))
    def test_a_key_is_any_text(
        self, store: ObjectStore, plant: Plant, peek: Peek, key: str
    ) -> None:
        """Blanks, plus signs, unicode and long keys are taken as they are."""
        plant(key, b"old")
        assert (read(store, key), keys(store)) == (b"old", [key])
        info = store.put(key, b"new")
        assert (info.key, peek(key), keys(store)) == (key, b"new", [key])
        assert store.copy(key, "other").size == store.copy("other", key).size == 3
        store.delete([key])
        assert (peek(key), keys(store)) == (None, ["other"])

    def test_a_put_object_is_there_whole(self, store: ObjectStore, peek: Peek) -> None:
        """Bytes and chunks are written alike, in place of all that was there."""
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

    def test_an_object_has_the_time_of_its_writing(self, store: ObjectStore, clock: Clock) -> None:
        """To the second, which is all that some stores know, and aware."""
        before = clock.now()
        modified = store.put("k", b"").modified
        second = timedelta(seconds=1)
        assert before - second <= modified <= clock.now() + second
        assert next(store.list("")).modified == store.head("k").modified

    def test_another_content_has_another_etag(self, store: ObjectStore) -> None:
        """Versions are told apart, also those of one size."""
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
        """Half an object is never seen, and what was there before stays, version and all."""
        old = store.put("old", b"old")
        preconditions: dict[str, dict[str, Any]] = {
            "none": {},
            "if_absent": {"if_absent": True},
            "if_match": {"if_match": old.etag},
        }
        which = preconditions[precondition]
        for key in ("old", "fresh"):
            with pytest.raises((Failed, Conflict)):
                store.put(key, failing(*chunks), **which)
        assert (peek("fresh"), peek("old"), store.head("old")) == (None, b"old", old)
        assert keys(store) == ["old"]

    def test_a_body_may_be_made_of_what_it_replaces(self, store: ObjectStore, peek: Peek) -> None:
        """An object is read while its successor is written, and others are written meanwhile."""
        store.put("k", b"x" * 1_000_000)

        def doubled() -> Iterator[bytes]:
            with store.open("k") as source:
                for chunk in iter(lambda: source.read(65_536), b""):
                    store.put("progress", b"%d" % len(chunk))
                    yield chunk + chunk

        assert store.put("k", doubled()).size == 2_000_000
        assert peek("k") == b"x" * 2_000_000

    def test_an_object_is_not_written_over_if_absent(self, store: ObjectStore, peek: Peek) -> None:
        """The first one to write wins, and who comes later is told."""
        first = store.put("k", b"first", if_absent=True)
        with pytest.raises(Conflict):
            store.put("k", iter([b"second"]), if_absent=True)
        assert (peek("k"), store.head("k")) == (b"first", first)

    def test_only_the_version_that_was_meant_is_replaced(
        self, store: ObjectStore, peek: Peek
    ) -> None:
        """Who has not seen the latest version does not write over it, nor over its absence."""
        first = store.put("k", b"first")
        second = store.put("k", b"second", if_match=first.etag)
        with pytest.raises(Conflict):
            store.put("k", iter([b"third"]), if_match=first.etag)
        with pytest.raises(Conflict):
            store.put("fresh", b"", if_match=second.etag)
        assert (peek("k"), peek("fresh"), store.head("k")) == (b"second", None, second)

    @pytest.mark.parametrize("fresh", [True, False], ids=["if_absent", "if_match"])
    def test_of_all_who_write_at_once_one_wins(
        self, store: ObjectStore, peek: Peek, fresh: bool
    ) -> None:
        """Writers with a precondition exclude each other; the object is the winner's, whole."""
        which: dict[str, Any] = (
            {"if_absent": True} if fresh else {"if_match": store.put("k", b"old").etag}
        )
        together = Barrier(8, timeout=PATIENCE_SECONDS)

        def body(number: int) -> Iterator[bytes]:
            yield b"%d" % number * 100_000
            together.wait()
            yield b"%d" % number * 100_000

        outcomes = race(*(partial(store.put, "k", body(n), **which) for n in range(8)))
        winners = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, ObjectInfo)]
        assert len(winners) == 1
        assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 7
        assert peek("k") == b"%d" % winners[0] * 200_000

    def test_writers_without_a_precondition_never_mix(self, store: ObjectStore) -> None:
        """Whoever comes last, the object is one writer's, and so are its size and etag."""
        puts = [partial(store.put, "k", iter([b"%d" % n * 50_000] * 2)) for n in range(6)]
        written = {outcome.etag for outcome in race(*puts) if isinstance(outcome, ObjectInfo)}
        assert len(written) == 6
        found = store.head("k")
        assert found.etag in written
        assert len(set(read(store, "k", etag=found.etag))) == 1

    def test_a_copy_is_equal(self, store: ObjectStore, plant: Plant, peek: Peek) -> None:
        """A copy has the bytes of its source, which stays; it may replace what is there."""
        plant("source", TEN * 300_000)
        store.put("there", b"old")
        for target in ("fresh/copy", "there", "source"):
            assert store.copy("source", target) == store.head(target)
            assert store.head(target).size == 3_000_000
            assert peek(target) == peek("source") == TEN * 300_000

    def test_a_copy_of_nothing_changes_nothing(self, store: ObjectStore, peek: Peek) -> None:
        """Without a source the target stays as it is."""
        store.put("there", b"old")
        with pytest.raises(NotFound):
            store.copy("gone", "there")
        assert peek("there") == b"old"

    def test_deleted_objects_are_gone_and_no_others(self, store: ObjectStore, peek: Peek) -> None:
        """Any number is deleted, twice is as once, and neighbours stay."""
        for key in ("a", "a b", "f/a", "f/b", "g/only"):
            store.put(key, b"x")
        for _ in range(2):
            store.delete(key for key in ("a", "f/a", "g/only", "gone", "gone/too", "a b/x"))
        store.delete([])
        assert keys(store) == ["a b", "f/b"]
        assert (peek("a"), peek("f/a"), peek("f/b")) == (None, None, b"x")

    def test_a_key_within_a_key_is_held_or_refused(self, store: ObjectStore, peek: Peek) -> None:
        """`a` and `a/b` are two objects; a store that cannot hold both says so and keeps one."""
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
