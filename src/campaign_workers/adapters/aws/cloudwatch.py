"""Figures as CloudWatch takes them from the log, in the embedded metric format.

One line a set of dimensions holds all figures that have it. CloudWatch takes dimensions of
printable ASCII only, so that any other sign stands percent-encoded; an empty value is a single `%`.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final
from urllib.parse import quote

import attrs
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.constants import MAX_DIMENSIONS

NAMESPACE: Final = "CampaignWorkers"
LONGEST: Final = 1024
"""Signs of a dimension's value."""

Figure = tuple[str, tuple[tuple[str, str], ...]]
"""A name and its dimensions, by name."""

_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


@attrs.define
class EmfMetrics:
    """Keeps figures until the invocation ends, then prints them.

    A command has no end of an invocation and prints nothing, so that its output stays its own.
    """

    _counted: Counter[Figure] = attrs.field(factory=Counter, init=False)
    _lasted: defaultdict[Figure, list[float]] = attrs.field(
        factory=lambda: defaultdict(list), init=False
    )
    _lock: Any = attrs.field(factory=Lock, init=False)

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        with self._lock:
            self._counted[_figure(name, dimensions)] += value

    def record_duration(self, worker: str, seconds: float) -> None:
        """Note how long a call took."""
        with self._lock:
            self._lasted[_figure("duration", {"worker": worker})].append(seconds * 1000)

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """Within this, figures are kept; at its end, however it ends, they are printed."""
        try:
            yield
        finally:
            self.flush()

    def flush(self) -> None:
        """Print what was kept, and keep nothing of it."""
        with self._lock:
            figures: dict[Figure, tuple[str, list[float]]] = {
                figure: ("Count", [float(value)]) for figure, value in self._counted.items()
            }
            figures |= {figure: ("Milliseconds", taken) for figure, taken in self._lasted.items()}
            for kept in (self._counted, self._lasted):
                kept.clear()
        for dimensions in dict.fromkeys(dimensions for _, dimensions in figures):
            _print(dimensions, {f[0]: told for f, told in figures.items() if f[1] == dimensions})


def _figure(name: str, dimensions: Mapping[str, str]) -> Figure:
    return name, tuple(sorted(dimensions.items())[:MAX_DIMENSIONS])


def _print(
    dimensions: tuple[tuple[str, str], ...], figures: Mapping[str, tuple[str, list[float]]]
) -> None:
    """Print the figures of one set of dimensions; at a hundred, the provider begins a new line."""
    lines = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
    # Alarms look for these very dimensions, whatever service name the environment holds.
    lines.service = ""
    for name, text in dimensions:
        lines.add_dimension(name, _dimension(text))
    for name, (unit, values) in figures.items():
        for value in values:
            lines.add_metric(name, unit, value)
    if lines.metric_set:
        lines.flush_metrics()


def _dimension(value: str) -> str:
    safe = "" if not value.strip() or value.startswith(":") else _PRINTABLE
    return quote(value, safe=safe)[:LONGEST] or "%"
