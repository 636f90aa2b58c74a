"""A bucket in a dict."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from threading import RLock
from typing import BinaryIO

import attrs

from campaign_workers.domain.errors import Conflict, NotFound
from campaign_workers.domain.limits import checked_key
from campaign_workers.ports.object_store import ObjectInfo
from campaign_workers.ports.system import Clock


@attrs.define
class MemoryObjectStore:
    """A bucket; `on_created` callbacks hear of every object that was written or copied."""

    clock: Clock
    _objects: dict[str, tuple[ObjectInfo, bytes]] = attrs.field(factory=dict, init=False)
    _listeners: list[Callable[[ObjectInfo], None]] = attrs.field(factory=list, init=False)
    _faults: list[Exception] = attrs.field(factory=list, init=False)
    _lock: RLock = attrs.field(factory=RLock, init=False)

    def fail_next(self, error: Exception, times: int = 1) -> None:
        """Make the next calls raise `error`."""
        self._faults.extend([error] * times)

    def on_created(self, callback: Callable[[ObjectInfo], None]) -> None:
        """Tell `callback` of every object that is written from now on."""
        self._listeners.append(callback)

    def head(self, key: str) -> ObjectInfo:
        """See `ObjectStore.head`."""
        return self._found(key)[0]

    def open(
        self, key: str, *, etag: str | None = None, start: int = 0, length: int | None = None
    ) -> BinaryIO:
        """See `ObjectStore.open`."""
        info, content = self._found(key)
        if etag is not None and info.etag != etag:
            raise Conflict(f"{key}: another version by now")
        return BytesIO(content[start : None if length is None else start + length])

    def put(
        self,
        key: str,
        body: bytes | Iterable[bytes],
        *,
        if_absent: bool = False,
        if_match: str | None = None,
    ) -> ObjectInfo:
        """See `ObjectStore.put`."""
        self._fail()
        content = body if isinstance(body, bytes) else b"".join(body)
        return self._write(checked_key(key), content, if_absent=if_absent, if_match=if_match)

    def list(self, prefix: str, *, after: str = "") -> Iterator[ObjectInfo]:
        """See `ObjectStore.list`."""
        self._fail()
        with self._lock:
            found = [info for key, (info, _) in self._objects.items() if key.startswith(prefix)]
        found.sort(key=lambda info: info.key.encode())
        return iter([info for info in found if info.key.encode() > after.encode()])

    def copy(self, source: str, target: str) -> ObjectInfo:
        """See `ObjectStore.copy`."""
        _, content = self._found(source)
        return self._write(checked_key(target), content, if_absent=False, if_match=None)

    def checksum(self, key: str) -> str:
        """See `ObjectStore.checksum`."""
        return hashlib.sha256(self._found(key)[1]).hexdigest()

    def delete(self, keys: Iterable[str]) -> None:
        """See `ObjectStore.delete`."""
        self._fail()
        for key in keys:
            self._objects.pop(checked_key(key), None)

    def _found(self, key: str) -> tuple[ObjectInfo, bytes]:
        self._fail()
        if (found := self._objects.get(checked_key(key))) is None:
            raise NotFound(f"{key}: no such object")
        return found

    def _write(
        self, key: str, content: bytes, *, if_absent: bool, if_match: str | None
    ) -> ObjectInfo:
        info = ObjectInfo(
            key=key,
            size=len(content),
            etag=hashlib.md5(content, usedforsecurity=False).hexdigest(),
            modified=self.clock.now(),
        )
        with self._lock:
            before = self._objects.get(key)
            if (if_absent and before) or (
                if_match is not None and (before is None or before[0].etag != if_match)
            ):
                raise Conflict(f"{key}: written by somebody else")
            self._objects[key] = (info, bytes(content))
        for listener in self._listeners:
            listener(info)
        return info

    def _fail(self) -> None:
        if self._faults:
            raise self._faults.pop(0)
