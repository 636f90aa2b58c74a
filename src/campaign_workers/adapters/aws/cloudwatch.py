"""The `Metrics` port on CloudWatch, written to the log in the embedded metric format.

One log line holds all metrics that share a set of dimensions. CloudWatch accepts only printable
ASCII in dimensions, so other characters are percent-encoded; an empty value becomes `%`.
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
MAX_DIMENSION_LENGTH: Final = 1024
"""The most characters of a dimension's value."""

Metric = tuple[str, tuple[tuple[str, str], ...]]
"""The name of a metric and its dimensions, sorted by name."""

_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


@attrs.define
class EmfMetrics:
    """Serves `Metrics`: collects metrics during an invocation and prints them at its end.

    Outside of an invocation nothing is printed, so that the output of commands stays clean.
    """

    _counts: Counter[Metric] = attrs.field(factory=Counter, init=False)
    _durations: defaultdict[Metric, list[float]] = attrs.field(
        factory=lambda: defaultdict(list), init=False
    )
    _lock: Any = attrs.field(factory=Lock, init=False)

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        with self._lock:
            self._counts[_metric(name, dimensions)] += value

    def record_duration(self, worker: str, seconds: float) -> None:
        """Record how long a call took."""
        with self._lock:
            self._durations[_metric("duration", {"worker": worker})].append(seconds * 1000)

    @contextmanager
    def invocation(self) -> Iterator[None]:
        """Collect metrics while the block runs and print them when it ends, even by an error."""
        try:
            yield
        finally:
            self.flush()

    def flush(self) -> None:
        """Print all collected metrics and clear them."""
        with self._lock:
            metrics: dict[Metric, tuple[str, list[float]]] = {
                metric: ("Count", [float(value)]) for metric, value in self._counts.items()
            }
            metrics |= {metric: ("Milliseconds", ms) for metric, ms in self._durations.items()}
            for collected in (self._counts, self._durations):
                collected.clear()
        for dimensions in dict.fromkeys(dimensions for _, dimensions in metrics):
            _print(dimensions, {m[0]: v for m, v in metrics.items() if m[1] == dimensions})


def _metric(name: str, dimensions: Mapping[str, str]) -> Metric:
    return name, tuple(sorted(dimensions.items())[:MAX_DIMENSIONS])


def _print(
    dimensions: tuple[tuple[str, str], ...], metrics: Mapping[str, tuple[str, list[float]]]
) -> None:
    """Print the metrics of one set of dimensions; the provider starts a new line at a hundred."""
    lines = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
    # Alarms match these dimensions exactly, so the service name of the environment is left out.
    lines.service = ""
    for name, text in dimensions:
        lines.add_dimension(name, _encode_dimension(text))
    for name, (unit, values) in metrics.items():
        for value in values:
            lines.add_metric(name, unit, value)
    if lines.metric_set:
        lines.flush_metrics()


def _encode_dimension(value: str) -> str:
    safe = "" if not value.strip() or value.startswith(":") else _PRINTABLE
    return quote(value, safe=safe)[:MAX_DIMENSION_LENGTH] or "%"
