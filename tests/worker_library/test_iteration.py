"""Batches, and a concurrent map that keeps the order."""

from collections.abc import Iterator
from threading import Barrier

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from campaign_workers.worker_library.iteration import batches, map_in_order


@given(st.lists(st.integers(), max_size=20), st.integers(1, 7))
def test_batches_are_the_items_in_order(items: list[int], size: int) -> None:
    """All batches but the last one are full, and none is empty."""
    found = list(batches(iter(items), size))
    event(f"several batches: {len(found) > 1}")
    assert [item for batch in found for item in batch] == items
    assert all(len(batch) == size for batch in found[:-1])
    assert all(found)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_an_item(size: int) -> None:
    """A size below 1 would never end."""
    with pytest.raises(ValueError, match="size must be at least 1"):
        list(batches("a", size))


@given(st.lists(st.integers(), max_size=20), st.integers(1, 4))
def test_results_keep_the_order_of_the_items(items: list[int], threads: int) -> None:
    """The concurrent map equals the plain one."""
    assert list(map_in_order(abs, items, threads=threads)) == [abs(item) for item in items]


def test_items_are_computed_at_the_same_time() -> None:
    """Both threads wait for each other; a sequential map would time out."""
    barrier = Barrier(2, timeout=10)
    arrivals = map_in_order(lambda _: barrier.wait(), range(2), threads=2)
    assert sorted(arrivals) == [0, 1]


def test_items_are_taken_a_few_ahead() -> None:
    """Memory does not grow with the number of items."""
    taken: list[int] = []

    def count() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    results = map_in_order(abs, count(), threads=2)
    assert next(results) == 0
    assert len(taken) == 3
    results.close()  # type: ignore[attr-defined]


def test_an_error_is_raised_in_its_place() -> None:
    """Results before it are yielded; no further item is taken."""
    results = map_in_order(lambda number: 1 // number, [1, 0, 1], threads=1)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
