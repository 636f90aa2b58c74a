"""The counts of a report are published in one place, for every profile."""

from typing import Any

import pytest

from campaign_workers.adapters.memory.system import MemoryMetrics
from campaign_workers.container import Container
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.running.reports import Breakdown, Report, Tally, attach_report
from campaign_workers.worker_library.metrics import run_worker

REPORT = Report(
    worker="saveCampaignData",
    counts={"in": 3, "out": 3, "rejected": 0},
    breakdown=(
        Breakdown(dimensions={"type": "scoring"}, counts={"in": 1}),
        Breakdown(dimensions={"type": "codeBan"}, counts={"in": 2}),
    ),
)
WHOLE = (("worker", "saveCampaignData"),)


def test_each_count_is_published_once() -> None:
    """By worker, zeros included, and again by each part of the breakdown."""
    metrics = MemoryMetrics()
    assert run_worker(lambda _: REPORT, None, metrics) is REPORT
    assert metrics.counted == {
        ("in", WHOLE): 3,
        ("out", WHOLE): 3,
        ("rejected", WHOLE): 0,
        ("in", (("type", "scoring"), *WHOLE)): 1,
        ("in", (("type", "codeBan"), *WHOLE)): 2,
    }


@pytest.mark.parametrize("error", [RetryLater("busy"), KeyError("x")])
def test_a_failed_run_publishes_what_it_did(error: Exception) -> None:
    """The report that is attached to an error is published, and the error raised."""

    def fail(_: Any) -> Report:
        raise attach_report(error, REPORT)

    metrics = MemoryMetrics()
    with pytest.raises(type(error)) as caught:
        run_worker(fail, None, metrics)
    assert caught.value is error
    assert metrics.counted["in", WHOLE] == 3


def test_a_run_that_fails_at_once_publishes_nothing() -> None:
    """Without a report there are no counts."""

    def fail(_: Any) -> Report:
        raise RetryLater("busy")

    metrics = MemoryMetrics()
    with pytest.raises(RetryLater):
        run_worker(fail, None, metrics)
    assert not metrics.counted


def test_a_worker_of_a_container_publishes() -> None:
    """Calling a worker in a notebook counts as an invocation does."""
    container = Container("memory")
    metrics = MemoryMetrics()
    container.wiring.metrics.override(metrics)
    container.worker("saveStats")({})
    assert metrics.total("in", {"worker": "saveStats"}) == 0
    assert ("in", (("worker", "saveStats"),)) in metrics.counted


@pytest.mark.parametrize(
    ("worker", "names"),
    [
        ("saveStats", ["in", "out", "rejected", "duplicates"]),
        ("generateSmsWaveCodes", ["in", "out", "errors"]),
        (
            "processScheduledWave",
            ["in", "valid", "ignored", "updated", "alreadyAssigned", "refused"],
        ),
    ],
)
def test_a_tally_names_the_counts_of_its_worker(worker: str, names: list[str]) -> None:
    """Counts of the equations come first and start at zero; others follow."""
    tally = Tally(worker)
    assert list(tally.counts) == names
    tally.add("in", 2)
    tally.add_all({"in": 1, "waiting": 5})
    assert tally.report({"period": "x"}) == Report(
        worker=worker,
        counts={**dict.fromkeys(names, 0), "in": 3, "waiting": 5},
        details={"period": "x"},
    )
    assert tally.report().imbalances
