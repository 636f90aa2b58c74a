"""Each of the fifteen workers is killed before and after every port call by some test."""

import re
from pathlib import Path

import pytest

import campaign_workers
from campaign_workers.domain.running.triggers import WORKERS

TESTS = Path(__file__).parents[1]
ROOMS = {"tests": TESTS, "campaign_workers": Path(campaign_workers.__file__).parent}
KILLS = "assert_survives_every_kill("
IMPORTED = re.compile(r"^from (tests|campaign_workers\.testing)\.([\w.]+) import", re.MULTILINE)


def text_of(path: Path) -> str:
    """A test module, and the scenes and machines that it plays on."""
    own = path.read_text()
    scenes = [
        ROOMS[room.partition(".")[0]].joinpath(*room.split(".")[1:], *name.split("."))
        for room, name in IMPORTED.findall(own)
    ]
    files = [scene.with_suffix(".py") for scene in scenes]
    return own + "".join(file.read_text() for file in files if file.is_file())


KILLING = {
    path.name: text_of(path) for path in TESTS.rglob("test_*.py") if KILLS in path.read_text()
}


@pytest.mark.parametrize("worker", WORKERS)
def test_some_test_kills_the_worker_everywhere(worker: str) -> None:
    """A worker without such a test would promise what nobody has seen."""
    called = f"{worker[0].upper()}{worker[1:]}("
    assert [name for name, text in KILLING.items() if called in text]
