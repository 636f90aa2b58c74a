"""Fixtures of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.samples.uploads import generate
from tests import privacy
from tests.cloud.outside import Outside
from tests.cloud.playground import SEED, playground

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
def outside(uploads: Path) -> Iterator[Outside]:
    """The world around a stack of its own, with a campaign that nobody has run yet.

    Whatever its days were like, in the end no line of any function tells what is personal.
    """
    with playground(uploads) as up:
        outside = Outside(up)
        yield outside
        lines = [line for worker in WORKERS for line in outside.lines(worker)]
        assert lines
        assert [privacy.personal_data(line) for line in lines if privacy.personal_data(line)] == []
