"""Whole campaigns: in order, everything twice, and in another order."""

from pathlib import Path
from typing import Any

import pytest

from campaign_workers.container import Container
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.samples.uploads import CAMPAIGN_ID
from tests.journeys.whole_campaign import (
    Call,
    run_campaign,
    shuffle_uploads,
    uploads,
    visible_effects,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Uploads:
    """The uploads of one small campaign."""
    return uploads(tmp_path_factory.mktemp("journey") / "uploads")


@pytest.fixture(scope="module")
def container(files: Uploads, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The campaign, run once in order."""
    return run_campaign(files, tmp_path_factory.mktemp("once"))


def test_every_worker_runs_and_nothing_is_given_up(container: Container) -> None:
    """From registration to archive, all fifteen workers have their part."""
    assert {run.worker for run in container.journal.runs()} == set(WORKERS)
    assert container.journal.dead_letters() == ()


def test_the_books_balance(container: Container) -> None:
    """The reports of workers agree with buckets, streams and queues."""
    checks = Reconciliation(container, CAMPAIGN_ID).checks()
    assert [check for check in checks if not check.holds] == []


def test_somebody_is_texted_and_somebody_mailed(container: Container) -> None:
    """The campaign is worth its name: each way of notifying was used."""
    world = visible_effects(container, CAMPAIGN_ID)
    assert world["texts"]
    assert world["emails"]
    assert not world["texts"] & world["emails"]


def test_delivering_everything_twice_changes_nothing(
    container: Container, files: Uploads, tmp_path: Path
) -> None:
    """At least once in, effectively once out."""

    def twice(call: Call) -> Call:
        def called_twice(worker: str, event: Any) -> Report:
            call(worker, event)
            return call(worker, event)

        return called_twice

    again = run_campaign(files, tmp_path, twice)
    assert again.journal.dead_letters() == ()
    assert visible_effects(again, CAMPAIGN_ID) == visible_effects(container, CAMPAIGN_ID)


def test_another_order_of_delivery_changes_no_outcome(
    container: Container, files: Uploads, tmp_path: Path
) -> None:
    """Rows of each day in another order lead to the same lake, picks, codes and texts."""
    other = run_campaign(shuffle_uploads(files, tmp_path / "uploads"), tmp_path)
    assert other.journal.dead_letters() == ()
    before, after = visible_effects(container, CAMPAIGN_ID), visible_effects(other, CAMPAIGN_ID)
    for name in ("lake", "archives", "texts", "emails", "verdicts", "codes"):
        assert after[name] == before[name], name
