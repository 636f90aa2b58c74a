"""State machine that compares an object store with a dictionary."""

import hashlib
from collections.abc import Iterator
from contextlib import suppress

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore

KEYS = ("a/b", "a/b c", "a/bc/d", "a.b", "a0", "é/🎫", "é/\uffee", "z+z")
"""No key is the folder of another one, because a store may refuse that."""

keys = st.sampled_from(KEYS)
prefixes = st.sampled_from(("", "a", "a/", "a/b", "a/bc/", "a.", "é/", "z+z", "nothing"))
contents = st.binary(max_size=4)


@attrs.frozen(kw_only=True)
class Version:
    """The latest version of an object."""

    content: bytes
    info: ObjectInfo


class _Interrupted(Exception):
    """Raised by a body in place of its end."""


class ObjectStoreMachine(RuleBasedStateMachine):
    """Calls of a store in any order; subclasses override `start`, `TestCase` is the test."""

    def __init__(self) -> None:
        super().__init__()
        self.store = self.start()
        self.model: dict[str, Version] = {}
        self.past: dict[str, list[Version]] = {key: [] for key in KEYS}

    def start(self) -> ObjectStore:
        """Return a new, empty store."""
        raise NotImplementedError

    def again(self) -> ObjectStore:
        """Return another handle of the same store, as in another process."""
        return self.store

    @rule(key=keys, chunks=st.lists(contents, max_size=3), whole=st.booleans())
    def put(self, key: str, chunks: list[bytes], whole: bool) -> None:
        content = b"".join(chunks)
        self._record(key, content, self.store.put(key, content if whole else iter(chunks)))

    @rule(key=keys, content=contents)
    def put_if_absent(self, key: str, content: bytes) -> None:
        with suppress(Conflict):
            info = self.store.put(key, content, if_absent=True)
            assert key not in self.model
            self._record(key, content, info)
            return
        assert key in self.model

    @rule(key=keys, content=contents, age=st.integers(0, 3))
    def put_if_match(self, key: str, content: bytes, age: int) -> None:
        if not (versions := self.past[key]):
            return
        wanted = versions[-1 - age % len(versions)].info.etag
        current = self.model[key].info.etag if key in self.model else None
        with suppress(Conflict):
            info = self.store.put(key, content, if_match=wanted)
            assert wanted == current
            self._record(key, content, info)
            return
        assert wanted != current

    @rule(key=keys, chunks=st.lists(contents, max_size=3))
    def put_failing_body(self, key: str, chunks: list[bytes]) -> None:
        def body() -> Iterator[bytes]:
            yield from chunks
            raise _Interrupted

        with suppress(_Interrupted):
            self.store.put(key, body())
            raise AssertionError("the error of a body was swallowed")

    @rule(source=keys, to=keys)
    def copy(self, source: str, to: str) -> None:
        with suppress(NotFound):
            info = self.store.copy(source, to)
            self._record(to, self.model[source].content, info)
            return
        assert source not in self.model

    @rule(deleted=st.lists(keys, max_size=3))
    def delete(self, deleted: list[str]) -> None:
        self.store.delete(iter(deleted))
        for key in deleted:
            self.model.pop(key, None)

    @rule(key=keys, start=st.integers(0, 5), length=st.none() | st.integers(0, 5))
    def read(self, key: str, start: int, length: int | None) -> None:
        expected = self.model.get(key)
        with suppress(NotFound), self.store.open(key, start=start, length=length) as stream:
            assert expected is not None
            end = None if length is None else start + length
            assert stream.read() == expected.content[start:end]
            return
        assert expected is None

    @rule(key=keys, age=st.integers(0, 3))
    def read_a_version(self, key: str, age: int) -> None:
        if not (versions := self.past[key]):
            return
        wanted = versions[-1 - age % len(versions)]
        current = self.model[key].info.etag if key in self.model else None
        with suppress(NotFound, Conflict), self.store.open(key, etag=wanted.info.etag) as stream:
            assert wanted.info.etag == current
            assert stream.read() == wanted.content
            return
        assert wanted.info.etag != current

    @rule(prefix=prefixes, after=st.just("") | keys)
    def list_some(self, prefix: str, after: str) -> None:
        assert [info.key for info in self.store.list(prefix, after=after)] == sorted(
            (key for key in self.model if key.startswith(prefix) and key.encode() > after.encode()),
            key=str.encode,
        )

    @rule()
    def reopen(self) -> None:
        self.store = self.again()

    @invariant()
    def objects_equal_model(self) -> None:
        infos = {info.key: info for info in self.store.list("")}
        assert infos.keys() == self.model.keys()
        for key, version in self.model.items():
            found = infos[key]
            assert (found.size, found.etag) == (len(version.content), version.info.etag)
            assert self.store.checksum(key) == hashlib.sha256(version.content).hexdigest()

    def _record(self, key: str, content: bytes, info: ObjectInfo) -> None:
        assert (info.key, info.size) == (key, len(content))
        same = [version for version in self.past[key] if version.info.etag == info.etag]
        assert all(version.content == content for version in same)
        self.model[key] = Version(content=content, info=info)
        self.past[key].append(self.model[key])
