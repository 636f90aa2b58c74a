"""A few calls at a time, of any number."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def side_by_side(
    call: Callable[[_Item], _Result], items: Iterable[_Item], *, at_once: int
) -> Iterator[_Result]:
    """What `call` gives for each item, in order; no more than `at_once` items are held.

    When a call or `items` raises, calls under way are waited for and no other is made.
    """
    under_way: deque[Future[_Result]] = deque()
    with ThreadPoolExecutor(at_once) as threads:
        try:
            for item in items:
                under_way.append(threads.submit(call, item))
                if len(under_way) == at_once:
                    yield under_way.popleft().result()
            while under_way:
                yield under_way.popleft().result()
        finally:
            for future in under_way:
                future.cancel()
