"""Fixtures of the journeys: a campaign whose personal data must not be shown."""

import logging
from collections.abc import Iterator

import pytest

from tests.journeys.bad_input_scene import PLANTED, Scene


@pytest.fixture
def scene(caplog: pytest.LogCaptureFixture) -> Iterator[Scene]:
    """Return a small campaign; after the test no output and no log line may show personal data."""
    with caplog.at_level(logging.DEBUG):
        scene = Scene()
        yield scene
    assert not [text for text in (*scene.visible_texts(), caplog.text) if PLANTED.search(text)]
