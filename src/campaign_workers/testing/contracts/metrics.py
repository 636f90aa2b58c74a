"""Contract of `Metrics`."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from campaign_workers.ports.system import Metrics
from campaign_workers.testing.contracts._base import Contract, race

Counted = Callable[[], Mapping[tuple[str, frozenset[tuple[str, str]]], int]]
"""Reads the sums by name and dimensions directly from the backend, without the adapter."""

ODD: Final[dict[str, Any]] = {"type": "code Assignment", "market": "Zürich=1 🎫", "empty": ""}


class MetricsContract(Contract):
    """Fixtures: `metrics`, without counts; `counted`, the sums in the backend."""

    def test_counts_add_up(self, metrics: Metrics, counted: Counted) -> None:
        """Counts are summed by name and dimensions, in any order of the dimensions."""
        metrics.count("in", 3)
        metrics.count("in", 4)
        metrics.count("in", 5, worker="saveStats", type="scoring")
        metrics.count("in", 6, type="scoring", worker="saveStats")
        metrics.count("in", 7, worker="saveStats")
        metrics.count("out", 8)
        assert counted() == {
            ("in", frozenset()): 7,
            ("in", frozenset({("worker", "saveStats"), ("type", "scoring")})): 11,
            ("in", frozenset({("worker", "saveStats")})): 7,
            ("out", frozenset()): 8,
        }

    def test_counts_may_be_zero_negative_or_large(self, metrics: Metrics, counted: Counted) -> None:
        """Any integer is added."""
        metrics.count("zero", 0)
        metrics.count("down", 5)
        metrics.count("down", -2)
        metrics.count("much", 10**12)
        found = {name: value for (name, _), value in counted().items() if value}
        assert found == {"down": 3, "much": 10**12}

    def test_dimensions_are_any_text(self, metrics: Metrics, counted: Counted) -> None:
        """Blanks, punctuation and emoji are kept."""
        metrics.count("in", 1, **ODD)
        assert counted() == {("in", frozenset(ODD.items())): 1}

    def test_concurrent_counts_are_not_lost(self, metrics: Metrics, counted: Counted) -> None:
        """Threads may count the same name."""

        def count() -> None:
            for _ in range(500):
                metrics.count("in", 1, worker="w")

        race(*[count] * 4)
        assert counted() == {("in", frozenset({("worker", "w")})): 2000}
