"""Fixtures of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.outside import Outside
from tests.cloud.playground import playground

FANS = 500


@pytest.fixture(scope="module")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    """The world around a stack of its own, with a made-up campaign that nobody has run yet."""
    folder: Path = tmp_path_factory.mktemp("uploads")
    with playground(folder, fans=FANS) as up:
        yield Outside(up)
