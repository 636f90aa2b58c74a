"""Reading and updating objects that other runs write at the same time."""

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.domain.errors import BadInput, Conflict, NotFound, RetryLater
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.testing.crashes import KillSwitch
from campaign_workers.worker_library.objects import (
    MAX_ATTEMPTS,
    Opener,
    Superseded,
    Versioned,
    load,
    load_version,
    process_upload,
    put_if_unchanged,
    read_object,
    require_latest,
    unless_replaced,
    update_object,
)
from tests.worlds import World

KEY = "smsWaves/errors/w.csv"


@attrs.define(kw_only=True)
class BeforeCall(KillSwitch):
    """Runs `action` once, just before port call number `at`."""

    action: Callable[[], object]

    def check(self, side: str) -> None:
        """Run the action if this is the call."""
        if side == "before" and self.calls == self.at and not self.fired:
            self.fired = True
            self.action()


class ContestedStore:
    """A bucket in which another run writes just before each of the first `times` puts."""

    def __init__(self, store: MemoryObjectStore, times: int) -> None:
        self.store, self.times = store, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def put(self, key: str, body: Any, **conditions: Any) -> Any:
        """Write as the bucket does, after the other run."""
        if self.times:
            self.times -= 1
            self.store.put(key, b"theirs%d" % self.times)
        return self.store.put(key, body, **conditions)


@pytest.fixture
def store() -> MemoryObjectStore:
    """An empty bucket."""
    return World().scoring


def parse_number(data: bytes, *, file: str) -> int:
    """Parse a decimal number."""
    if not data.isdigit():
        raise BadInput("expected digits", file=file)
    return int(data)


def append(opener: Opener | None) -> list[bytes]:
    """Return the previous content and an addition."""
    return [b"" if opener is None else opener().read(), b"+ours"]


def leave(_: Opener | None) -> None:
    """Change nothing."""


def refuse_call(_: ObjectInfo) -> None:
    """Fail the test that calls it."""
    pytest.fail("called")


def supersede(_: Opener | None) -> list[bytes]:
    """Fail as a source that was replaced does."""
    raise Superseded("k")


def test_a_missing_object_is_none(store: MemoryObjectStore) -> None:
    """Reading and loading return None; the parser is not called."""
    assert read_object(store, KEY) is None
    assert load(store, KEY, parse_number) is None
    assert load_version(store, KEY, parse_number) is None


def test_an_object_is_parsed_with_its_version(store: MemoryObjectStore) -> None:
    """The ETag is that of the version whose bytes were parsed."""
    etag = store.put(KEY, b"12").etag
    assert load(store, KEY, parse_number) == 12
    assert load_version(store, KEY, parse_number) == Versioned(value=12, etag=etag)
    assert load(store, KEY, parse_number, limit=1) == 1
    with pytest.raises(Conflict):
        read_object(store, KEY, etag="another")


@pytest.mark.parametrize("load_it", [load, load_version])
def test_a_parser_names_the_object(store: MemoryObjectStore, load_it: Any) -> None:
    """Errors of the parser have the key as their file."""
    store.put(KEY, b"x")
    with pytest.raises(BadInput, match=f"{KEY}: expected digits"):
        load_it(store, KEY, parse_number)


@pytest.mark.parametrize("call", [1, 2])
def test_an_object_deleted_while_it_is_loaded_is_missing(
    store: MemoryObjectStore, call: int
) -> None:
    """It makes no difference whether it goes before its ETag or before its bytes are read."""
    store.put(KEY, b"1")
    switch = BeforeCall(at=call, action=lambda: store.delete([KEY]))
    assert load_version(switch.wrap(store), KEY, parse_number) is None
    assert switch.fired


def test_a_write_needs_the_version_that_was_read(store: MemoryObjectStore) -> None:
    """Without an ETag there must be no object; with one, it must be the current one."""
    first = put_if_unchanged(store, KEY, b"1", None)
    with pytest.raises(Conflict):
        put_if_unchanged(store, KEY, b"2", None)
    second = put_if_unchanged(store, KEY, b"2", first.etag)
    with pytest.raises(Conflict):
        put_if_unchanged(store, KEY, b"3", first.etag)
    assert store.head(KEY).etag == second.etag


@given(st.integers(0, MAX_ATTEMPTS + 1), st.booleans())
def test_an_update_loses_no_write(times: int, exists: bool) -> None:
    """Content of a faster run stays below ours, unless other runs are faster every time."""
    store = World().scoring
    if exists:
        store.put(KEY, b"before")
    event(f"contested: {times > 0}")
    contested: Any = ContestedStore(store, times)
    if times >= MAX_ATTEMPTS:
        with pytest.raises(RetryLater, match="other runs keep changing it"):
            update_object(contested, KEY, append)
        return
    update_object(contested, KEY, append)
    before = b"theirs0" if times else b"before" if exists else b""
    assert store.open(KEY).read() == before + b"+ours"


def test_an_update_may_be_tried_more_often(store: MemoryObjectStore) -> None:
    """A caller chooses the number of attempts."""
    contested: Any = ContestedStore(store, MAX_ATTEMPTS)
    update_object(contested, KEY, append, attempts=MAX_ATTEMPTS + 1)
    assert store.open(KEY).read() == b"theirs0+ours"


def test_a_change_to_none_leaves_the_object(store: MemoryObjectStore) -> None:
    """Nothing is written, whether there is an object or not."""
    update_object(store, KEY, leave)
    assert read_object(store, KEY) is None
    etag = store.put(KEY, b"x").etag
    update_object(store, KEY, leave)
    assert store.head(KEY).etag == etag


def test_a_superseded_update_is_not_tried_again(store: MemoryObjectStore) -> None:
    """The error of a replaced source leaves the update at once."""
    with pytest.raises(Superseded):
        update_object(store, KEY, supersede)


def test_results_of_a_replaced_source_are_never_stored(store: MemoryObjectStore) -> None:
    """The body fails at its end, so that the put changes nothing."""
    source = store.put("source", b"old")
    store.put("result", unless_replaced(store, source, [b"made of ", b"old"]))
    store.put("source", b"new")
    with pytest.raises(Superseded, match="source: replaced by a newer version"):
        store.put("result", unless_replaced(store, source, [b"again"]))
    assert read_object(store, "result") == b"made of old"
    store.delete(["source"])
    require_latest(store, source)


class TestProcessUpload:
    """An upload is processed for its newest version only."""

    def test_the_uploaded_version_is_processed(self, store: MemoryObjectStore) -> None:
        """With or without an ETag in the event."""
        upload = store.put("scored/a.txt", b"1")
        for etag in (None, upload.etag):
            uploaded = ObjectCreated(bucket="scoring", key=upload.key, etag=etag)
            assert process_upload(store, uploaded, lambda info: info) == upload

    def test_an_older_version_is_left_to_the_newer_event(self, store: MemoryObjectStore) -> None:
        """`process` is not called."""
        old = store.put("scored/a.txt", b"1")
        store.put("scored/a.txt", b"2")
        uploaded = ObjectCreated(bucket="scoring", key=old.key, etag=old.etag)
        assert process_upload(store, uploaded, refuse_call) is None

    def test_a_version_replaced_meanwhile_is_left_too(self, store: MemoryObjectStore) -> None:
        """Any conflict counts as superseded once there is a newer version, and only then."""

        def replace(info: ObjectInfo) -> None:
            store.put(info.key, b"2")
            raise Conflict("etag mismatch")

        def clash(info: ObjectInfo) -> None:
            raise Conflict("another object")

        upload = store.put("scored/a.txt", b"1")
        uploaded = ObjectCreated(bucket="scoring", key=upload.key)
        assert process_upload(store, uploaded, replace) is None
        with pytest.raises(Conflict, match="another object"):
            process_upload(store, uploaded, clash)

    def test_a_missing_upload_is_an_error(self, store: MemoryObjectStore) -> None:
        """An event without its object is not ignored."""
        with pytest.raises(NotFound):
            process_upload(store, ObjectCreated(bucket="scoring", key="scored/a.txt"), refuse_call)
