"""What a worker is, and the report that it returns: counts that add up, and details."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final, Protocol, TypeVar

import attrs

Equation = tuple[str, tuple[str, ...]]
"""A count, and the counts whose sum it is."""

_IN_OUT: Final[tuple[Equation, ...]] = (("in", ("out", "rejected", "duplicates")),)

EQUATIONS: Final[Mapping[str, tuple[Equation, ...]]] = {
    "generateSmsWaveCodes": (("in", ("out", "errors")),),
    "processScheduledWave": (
        ("in", ("valid", "ignored")),
        ("valid", ("updated", "alreadyAssigned", "refused")),
    ),
    "smsWaveSend": (
        ("total", ("ok", "failed", "overLimit", "duplicates")),
        ("ok", ("sms", "email")),
    ),
}
"""Equations of the workers whose counts are not `in = out + rejected + duplicates`."""

_REPORT: Final = "report"

_E = TypeVar("_E", bound=Exception)


@attrs.frozen(kw_only=True)
class Breakdown:
    """Counts of one part of the items, such as the records of one type.

    `dimensions` name the part, for instance `{"type": "scoring"}`, and are free of personal data.
    """

    dimensions: Mapping[str, str]
    counts: Mapping[str, int]


@attrs.frozen(kw_only=True)
class Report:
    """Outcome of one run of `worker`; `details` is JSON-ready and free of personal data.

    `breakdown` has the counts again, by parts; it is for metrics only.
    """

    worker: str
    counts: Mapping[str, int]
    details: Mapping[str, Any] = attrs.field(factory=dict)
    breakdown: tuple[Breakdown, ...] = ()

    @property
    def imbalances(self) -> tuple[str, ...]:
        """The equations that do not hold, in words; empty if all counts add up."""
        return tuple(
            f"{self.worker}: {total} = {self.counts.get(total, 0)}, but "
            f"{' + '.join(parts)} = {sum(self.counts.get(part, 0) for part in parts)}"
            for total, parts in _equations(self.worker)
            if self.counts.get(total, 0) != sum(self.counts.get(part, 0) for part in parts)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the report as the JSON object that callers get."""
        return {**self.details, "count": dict(self.counts)}


RequestT = TypeVar("RequestT")


class Worker(Protocol[RequestT]):
    """One of the fifteen workers.

    Events of streams, queues and buckets are requests already; everything else arrives as a JSON
    object, of which `parse` makes a request.
    """

    def parse(self, payload: Mapping[str, Any], /) -> RequestT:
        """Return the request that the payload of an invocation, a schedule or a step describes.

        Raises:
            BadInput: the payload describes no request of this worker; names the field.
        """
        ...

    def __call__(self, request: RequestT, /) -> Report:
        """Do the work and report it.

        Raises:
            CampaignError: the work failed; the class of the error decides about a retry.
        """
        ...


@attrs.frozen
class Tally:
    """Counts what becomes of the items of one run, and builds the run's report.

    Every count in the worker's equations starts at zero, so that reports name all of them.

    Example:
        >>> tally = Tally("saveStats")
        >>> tally.add("in", 2)
        >>> tally.add("out")
        >>> tally.counts
        {'in': 2, 'out': 1, 'rejected': 0, 'duplicates': 0}
    """

    worker: str
    _counted: Counter[str] = attrs.field(factory=Counter, init=False)

    def add(self, name: str, number: int = 1) -> None:
        """Add `number` to the count `name`."""
        self._counted[name] += number

    def add_all(self, counts: Mapping[str, int]) -> None:
        """Add several counts by name."""
        self._counted.update(counts)

    @property
    def counts(self) -> dict[str, int]:
        """The counts so far; those of the worker's equations first."""
        names = [name for total, parts in _equations(self.worker) for name in (total, *parts)]
        return {**dict.fromkeys(names, 0), **self._counted}

    def report(self, details: Mapping[str, Any] | None = None) -> Report:
        """Return the report of the run, with the counts so far."""
        return Report(worker=self.worker, counts=self.counts, details=details or {})


def attach_report(error: _E, report: Report) -> _E:
    """Return `error` with the report of the work that was done before it was raised.

    The run's counts are published although it fails.
    """
    vars(error)[_REPORT] = report
    return error


def attached_report(error: Exception) -> Report | None:
    """Return the report that `attach_report` attached to `error`, or None."""
    report = vars(error).get(_REPORT)
    return report if isinstance(report, Report) else None


def _equations(worker: str) -> tuple[Equation, ...]:
    return EQUATIONS.get(worker, _IN_OUT)
