"""What journeys share: a campaign in which nobody may be told who its fans are."""

import logging
from collections.abc import Iterator

import pytest

from tests.journeys.mishaps import PLANTED, Scene


@pytest.fixture
def scene(caplog: pytest.LogCaptureFixture) -> Iterator[Scene]:
    """A small campaign; after the test nothing that was told or logged shows personal data."""
    with caplog.at_level(logging.DEBUG):
        scene = Scene()
        yield scene
    assert not [text for text in (*scene.told(), caplog.text) if PLANTED.search(text)]
