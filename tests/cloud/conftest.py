"""Fixtures of this folder."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from campaign_workers.testing.uploads import generate
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
    """The world around a stack of its own, with a campaign that nobody has run yet."""
    with playground(uploads) as up:
        yield Outside(up)
