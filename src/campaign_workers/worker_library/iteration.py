"""Iterating in batches, and in several threads at once."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def batches(items: Iterable[_In], size: int) -> Iterator[list[_In]]:
    """Yield `items` in lists of at most `size`, in order.

    Raises:
        ValueError: `size` is not positive.

    Example:
        >>> list(batches("abcde", 2))
        [['a', 'b'], ['c', 'd'], ['e']]
    """
    if size < 1:
        raise ValueError("size must be at least 1")
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def map_in_order(
    function: Callable[[_In], _Out], items: Iterable[_In], *, threads: int
) -> Iterator[_Out]:
    """Yield `function` of each item in the order of `items`, computed in `threads` threads.

    Items are taken a few ahead of the results, so memory does not grow with their number. The
    first error is raised in the place of its result, and no further item is taken.

    Raises:
        Exception: whatever `function` or the iteration of `items` raises.
    """
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[_Out]] = deque()
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) > threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
