"""Running a worker and publishing the counts of its report as metrics."""

from collections.abc import Callable
from typing import Any

from campaign_workers.domain.running.reports import Report, attached_report
from campaign_workers.ports.system import Metrics


def run_worker(worker: Callable[[Any], Report], event: Any, metrics: Metrics) -> Report:
    """Return the report of `worker` for `event`, and publish its counts.

    A run that fails after part of its work attaches its report to the error; that is published
    too.

    Raises:
        Exception: whatever the worker raises.
    """
    try:
        report = worker(event)
    except Exception as error:
        if (partial := attached_report(error)) is not None:
            publish(partial, metrics)
        raise
    publish(report, metrics)
    return report


def publish(report: Report, metrics: Metrics) -> None:
    """Count every figure of a report: by worker, and again by each part of its breakdown.

    Raises: nothing.
    """
    for name, value in report.counts.items():
        metrics.count(name, value, worker=report.worker)
    for part in report.breakdown:
        for name, value in part.counts.items():
            metrics.count(name, value, worker=report.worker, **part.dimensions)
