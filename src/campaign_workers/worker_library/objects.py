"""Reading and updating objects of a bucket that several runs read and write.

An update is a compare-and-swap: it carries the ETag of the version that was read, and is tried
again with the new version if another run was faster.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import BinaryIO, Final, Generic, Protocol, TypeVar

import attrs

from campaign_workers.domain.errors import Conflict, NotFound, RetryLater
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore

MAX_ATTEMPTS: Final = 5
"""How often an update is tried."""

Opener = Callable[[], BinaryIO]
"""Opens the version that is being updated, as often as needed."""

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Parser(Protocol[_T_co]):
    """Turns the bytes of an object into a value; its errors name `file`."""

    def __call__(self, data: bytes, /, *, file: str) -> _T_co:
        """Return the value.

        Raises:
            BadInput: the bytes are not of the expected form.
        """
        ...


@attrs.frozen(kw_only=True)
class Versioned(Generic[_T]):
    """The value of an object and the ETag of the version it was read from."""

    value: _T
    etag: str


class Superseded(Conflict):
    """A newer version has replaced the object that is being processed."""


def read_object(
    store: ObjectStore, key: str, *, etag: str | None = None, limit: int | None = None
) -> bytes | None:
    """Return the bytes of an object, at most `limit` of them, or None if there is no object.

    Raises:
        Conflict: `etag` is given and the object has another one.
        RetryLater: the store fails.
    """
    try:
        with closing(store.open(key, etag=etag, length=limit)) as source:
            return source.read()
    except NotFound:
        return None


def load(store: ObjectStore, key: str, parse: Parser[_T], *, limit: int | None = None) -> _T | None:
    """Return the value of an object, or None if there is no object.

    At most `limit` bytes are read; `parse` refuses what is longer.

    Raises:
        BadInput: the object cannot be parsed.
        RetryLater: the store fails.

    Example:
        manifest = load(lake, layout.merge_manifest_key("2026/09"), Manifest.parse)
    """
    data = read_object(store, key, limit=limit)
    return None if data is None else parse(data, file=key)


def load_version(store: ObjectStore, key: str, parse: Parser[_T]) -> Versioned[_T] | None:
    """Return the value of an object with its ETag, or None if there is no object.

    Raises:
        BadInput: the object cannot be parsed.
        Conflict: the object was replaced while it was read.
        RetryLater: the store fails.
    """
    info = _head(store, key)
    data = None if info is None else read_object(store, key, etag=info.etag)
    if info is None or data is None:
        return None
    return Versioned(value=parse(data, file=key), etag=info.etag)


def put_if_unchanged(
    store: ObjectStore, key: str, body: bytes | Iterable[bytes], etag: str | None
) -> ObjectInfo:
    """Write an object in the place of the version `etag`, or of no object if `etag` is None.

    Raises:
        Conflict: the object is another version, or exists although `etag` is None.
        RetryLater: the store fails.
    """
    if etag is None:
        return store.put(key, body, if_absent=True)
    return store.put(key, body, if_match=etag)


def update_object(
    store: ObjectStore,
    key: str,
    change: Callable[[Opener | None], Iterable[bytes] | None],
    *,
    attempts: int = MAX_ATTEMPTS,
) -> None:
    """Replace an object by what `change` returns for it, or leave it if that is None.

    `change` gets None if there is no object. It is called again for the new version if another
    run writes the object meanwhile.

    Raises:
        RetryLater: the store fails, or other runs were faster in every attempt.
        Superseded: `change` raised it.
    """
    for _ in range(attempts):
        info = _head(store, key)
        opener = None if info is None else partial(store.open, key, etag=info.etag)
        try:
            body = change(opener)
            if body is not None:
                put_if_unchanged(store, key, body, None if info is None else info.etag)
        except Superseded:
            raise
        except Conflict:
            continue
        return
    raise RetryLater(f"{key}: other runs keep changing it")


def process_upload(
    store: ObjectStore, event: ObjectCreated, process: Callable[[ObjectInfo], _T]
) -> _T | None:
    """Return what `process` returns for the uploaded version, or None if it was superseded.

    A newer version, written before or while `process` runs, has an event of its own, which is
    left to process it.

    Raises:
        NotFound: there is no object.
        RetryLater: the store fails.
        CampaignError: whatever `process` raises, unless the version was superseded meanwhile.
    """
    upload = store.head(event.key)
    if event.etag not in {None, upload.etag}:
        return None
    try:
        return process(upload)
    except Conflict:
        if is_replaced(store, upload):
            return None
        raise


def unless_replaced(
    store: ObjectStore, source: ObjectInfo, body: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield `body`, then fail if `source`, from which it is made, was replaced meanwhile.

    A failing body aborts the upload, so results of a replaced source are never stored.

    Raises:
        Superseded: as `require_latest`.
    """
    yield from body
    require_latest(store, source)


def require_latest(store: ObjectStore, source: ObjectInfo) -> None:
    """Check that no newer version of `source` exists.

    Raises:
        Superseded: there is one, which has an event of its own.
        RetryLater: the store fails.
    """
    if is_replaced(store, source):
        raise Superseded(f"{source.key}: replaced by a newer version while it was processed")


def is_replaced(store: ObjectStore, source: ObjectInfo) -> bool:
    """Return whether a newer version of `source` exists; a deleted object has none.

    Raises:
        RetryLater: the store fails.
    """
    current = _head(store, source.key)
    return current is not None and current.etag != source.etag


def _head(store: ObjectStore, key: str) -> ObjectInfo | None:
    try:
        return store.head(key)
    except NotFound:
        return None
