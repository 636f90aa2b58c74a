"""Fixtures of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.samples.uploads import generate
from tests import privacy
from tests.cloud.local_cloud import SEED, local_cloud
from tests.cloud.stack_client import StackClient

FANS = 500
UPLOADS = os.environ.get("CLOUD_UPLOADS")
"""A folder of uploads to play instead of made-up ones."""


@pytest.fixture(scope="session")
def uploads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uploads of the campaign that is played."""
    if UPLOADS:
        return Path(UPLOADS).resolve()
    folder = tmp_path_factory.mktemp("uploads")
    generate(folder, fans=FANS, seed=SEED)
    return folder


@pytest.fixture(scope="module")
def stack_client(uploads: Path) -> Iterator[StackClient]:
    """Return the client of a stack of its own, with a campaign that has not run yet.

    At the end, no log line of any function may contain personal data.
    """
    with local_cloud(uploads) as up:
        stack_client = StackClient(up)
        yield stack_client
        lines = [line for worker in WORKERS for line in stack_client.lines(worker)]
        assert lines
        assert [privacy.personal_data(line) for line in lines if privacy.personal_data(line)] == []
