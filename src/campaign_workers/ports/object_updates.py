"""Objects that others change too: changing one, and making another one of it."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import BinaryIO, Final

from campaign_workers.domain.errors import Conflict, NotFound, RetryLater
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore

Opener = Callable[[], BinaryIO]
"""Opens the version that is being changed, as often as one likes."""

ATTEMPTS: Final = 5


def update_object(
    store: ObjectStore, key: str, change: Callable[[Opener | None], Iterable[bytes] | None]
) -> None:
    """Write what `change` makes of an object; it gets None if there is no such object.

    When `change` gives None, the object stays as it is. When somebody else was faster, `change`
    is asked again.

    Raises:
        RetryLater: the store fails, or somebody else was faster time and again.
    """
    for _ in range(ATTEMPTS):
        before = _head(store, key)
        opener = None if before is None else partial(store.open, key, etag=before.etag)
        try:
            body = change(opener)
            if body is not None:
                _put(store, key, body, before)
        except Conflict:
            continue
        return
    raise RetryLater(f"{key}: others keep changing it")


def unless_replaced(
    store: ObjectStore, source: ObjectInfo, body: Iterable[bytes]
) -> Iterator[bytes]:
    """`body`, which fails at its end if `source`, of which it is made, was replaced meanwhile.

    An object is written whole or not at all, so what was made of an older version never lies
    where what was made of the newer one belongs.

    Raises:
        Conflict: as `require_latest`.
    """
    yield from body
    require_latest(store, source)


def require_latest(store: ObjectStore, source: ObjectInfo) -> None:
    """See that no later version lies where `source` was read.

    Raises:
        Conflict: there is one, and an event of its own for it.
        RetryLater: the store fails.
    """
    if is_replaced(store, source):
        raise Conflict(f"{source.key}: replaced meanwhile")


def is_replaced(store: ObjectStore, source: ObjectInfo) -> bool:
    """Whether a later version lies where `source` was read; one that is gone has none.

    Raises:
        RetryLater: the store fails.
    """
    found = _head(store, source.key)
    return found is not None and found.etag != source.etag


def _head(store: ObjectStore, key: str) -> ObjectInfo | None:
    try:
        return store.head(key)
    except NotFound:
        return None


def _put(store: ObjectStore, key: str, body: Iterable[bytes], before: ObjectInfo | None) -> None:
    if before is None:
        store.put(key, body, if_absent=True)
    else:
        store.put(key, body, if_match=before.etag)
