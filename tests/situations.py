"""How often the cases of a strategy reach the situations that its laws are about.

A law about duplicates proves nothing if no drawn file has any. Each suite therefore names its
situations, and a test counts them in a sample that is the same in every run.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Case = TypeVar("Case")


def sample(strategy: SearchStrategy[Case], count: int) -> list[Case]:
    """Return `count` cases of a strategy, the same ones in every run."""
    drawn: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(case: Case) -> None:
        drawn.append(case)

    collect()
    return drawn


def shares(
    strategy: SearchStrategy[Case],
    situations_of: Callable[[Case], Iterable[str]],
    *,
    count: int = 300,
) -> dict[str, float]:
    """Return the share of a strategy's cases in which each situation occurs."""
    cases = sample(strategy, count)
    reached = Counter(name for case in cases for name in set(situations_of(case)))
    return {name: times / len(cases) for name, times in sorted(reached.items())}


def assert_reached(
    strategy: SearchStrategy[Case],
    situations_of: Callable[[Case], Iterable[str]],
    minimum: Mapping[str, float],
    *,
    count: int = 300,
) -> None:
    """Check that each situation occurs in at least its minimum share of the cases.

    Raises:
        AssertionError: a situation is too rare; the message gives all measured shares.
    """
    measured = shares(strategy, situations_of, count=count)
    rare = {name for name, share in minimum.items() if measured.get(name, 0.0) < share}
    assert not rare, f"too rare: {sorted(rare)}; measured {measured}"
