"""The `ObjectStore` port in memory."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO, UnsupportedOperation
from threading import RLock
from typing import BinaryIO, NoReturn

import attrs

from campaign_workers.adapters.memory.faults import FaultInjectionMixin
from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.domain.storage.layout import validate_object_key
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock


class _Stream(BytesIO):
    """A stream that only reads forward, as a download from a bucket does."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> NoReturn:
        raise UnsupportedOperation("not seekable")


@attrs.define
class MemoryObjectStore(FaultInjectionMixin):
    """Serves `ObjectStore`; `on_created` callbacks are called for every put and copy."""

    clock: Clock
    _objects: dict[str, tuple[ObjectInfo, bytes]] = attrs.field(
        factory=dict, init=False, repr=False
    )
    _listeners: list[Callable[[ObjectInfo], None]] = attrs.field(
        factory=list, init=False, repr=False
    )
    _lock: RLock = attrs.field(factory=RLock, init=False, repr=False)

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Call `callback` for every object that is written from now on."""
        self._listeners.append(callback)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._get(key)[0]

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`."""
        info, content = self._get(key)
        if etag is not None and info.etag != etag:
            raise Conflict(f"{key}: etag mismatch (expected {etag}, found {info.etag})")
        return _Stream(content[start : None if length is None else start + length])

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """See `ObjectStore.put`."""
        self._raise_injected_fault()
        validate_object_key(key)
        content = body if isinstance(body, bytes) else b"".join(body)
        info = ObjectInfo(
            key=key,
            size=len(content),
            etag=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            modified=self.clock.now(),
        )
        with self._lock:
            self._check_preconditions(key, if_absent=if_absent, if_match=if_match)
            self._objects[key] = (info, content)
        for listener in self._listeners:
            listener(info)
        return info

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`; returns a snapshot of the bucket at the time of the call."""
        self._raise_injected_fault()
        with self._lock:
            keys = [key for key in self._objects if key.startswith(prefix) and key > after]
            return iter([self._objects[key][0] for key in sorted(keys)])

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`."""
        return self.put(target, self._get(source)[1])

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`."""
        return hashlib.sha256(self._get(key)[1]).hexdigest()

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`."""
        self._raise_injected_fault()
        for key in keys:
            with self._lock:
                self._objects.pop(validate_object_key(key), None)

    def _get(self, key: str) -> tuple[ObjectInfo, bytes]:
        self._raise_injected_fault()
        if (found := self._objects.get(validate_object_key(key))) is None:
            raise NotFound(f"{key}: no such object")
        return found

    def _check_preconditions(self, key: str, *, if_absent: bool, if_match: str | None) -> None:
        info, _ = self._objects.get(key, (None, b""))
        actual = info.etag if info else None
        if if_absent and actual:
            raise Conflict(f"{key}: precondition failed (expected no object)")
        if if_match is not None and actual != if_match:
            found = actual or "no object"
            raise Conflict(f"{key}: precondition failed (expected {if_match}, found {found})")
