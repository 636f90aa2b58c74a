"""The container: every worker in every profile."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import attrs
import pytest

from campaign_workers.container import Container
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.running.triggers import WORKERS, DeliverySettings, triggers
from campaign_workers.domain.wire import to_snake
from campaign_workers.settings import Profile, Settings

LIMITS = {
    "transformCodeAssignments": "lookups_at_once",
    "saveSelection": "batch_size",
    "processScheduledWave": "batch_size",
    "processScoredFiles": "max_list_bytes",
    "translateRanksToScores": "max_bytes",
    "mergeAvroFiles": "max_bytes",
}
"""The limit of each worker that a setting sets."""

LIGHT = ("saveCampaignData", "transformCodeAssignments", "saveStats", "slackStats", "smsWaveSend")


@pytest.mark.parametrize("profile", ["memory", "local"])
@pytest.mark.parametrize("worker", WORKERS)
def test_every_worker_is_wired_in_every_profile(
    profile: Profile, worker: str, tmp_path: Path
) -> None:
    """The container returns each worker by name."""
    container = Container(profile, settings=Settings(dir=tmp_path))
    assert callable(container.worker(worker))


def test_an_unknown_worker_or_profile_is_refused(tmp_path: Path) -> None:
    """The message lists the valid names."""
    settings = Settings(dir=tmp_path)
    with pytest.raises(BadInput, match="saveStats"):
        Container("memory", settings=settings).worker("nope")
    with pytest.raises(BadInput, match="memory"):
        Container("cloud", settings=settings)  # type: ignore[arg-type]


def test_settings_reach_workers_and_runtime(tmp_path: Path) -> None:
    """Limits, batch sizes and attempts come from the settings."""
    chosen = Settings(
        dir=tmp_path,
        lookups_at_once=2,
        selections_at_once=3,
        codes_at_once=4,
        list_limit_bytes=5,
        fanlist_limit_bytes=6,
        merge_limit_bytes=7,
        delivery=DeliverySettings(lake_batch=8, queue_attempts=9),
    )
    container = Container("memory", settings=chosen)
    limits = [getattr(container.build_worker(worker), limit) for worker, limit in LIMITS.items()]
    assert limits == [2, 3, 4, 5, 6, 7]
    assert container.runtime.triggers == triggers(chosen.delivery)


@pytest.mark.parametrize(("worker", "limit"), LIMITS.items())
def test_defaults_of_settings_are_those_of_workers(worker: str, limit: str) -> None:
    """A worker that is built by hand has the limits of one that the container builds."""
    built: Any = Container("memory", settings=Settings()).build_worker(worker)
    assert getattr(built, limit) == attrs.fields_dict(type(built))[limit].default


@pytest.mark.parametrize("worker", WORKERS)
def test_importing_a_handler_does_nothing(worker: str) -> None:
    """A handler imports without an environment and loads nothing heavy before its first event."""
    code = (
        f"import sys; from campaign_workers.entrypoints.{to_snake(worker)} import handler; "
        "assert callable(handler); "
        "assert not {'polars', 'boto3', 'fastavro', 'dependency_injector'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("worker", LIGHT)
def test_a_light_worker_does_not_load_polars(worker: str) -> None:
    """Workers without bulk work start without the columnar library."""
    code = (
        "import sys; from campaign_workers.container import Container; "
        f"Container('memory').worker({worker!r}); assert 'polars' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
