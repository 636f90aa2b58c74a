"""What a killed process was working on is delivered again by the next one."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def delivered(folder: Path, kind: str, fate: str) -> tuple[int, list[str]]:
    """How a process ended, and what its worker was given."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapters.killed_process", folder, kind, fate],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("kind", ["object", "message", "execution"])
def test_an_event_of_a_killed_process_comes_again(tmp_path: Path, kind: str) -> None:
    """First of all, and whatever waited behind it follows."""
    assert delivered(tmp_path, kind, "die") == (-signal.SIGKILL, ["die-0"])
    assert delivered(tmp_path, kind, "live") == (0, ["die-0", "die-1", "live-0", "live-1"])


def test_a_batch_of_a_killed_process_comes_again_as_it_was(tmp_path: Path) -> None:
    """What was put meanwhile comes in a batch of its own."""
    assert delivered(tmp_path, "record", "die") == (-signal.SIGKILL, ["die-0 die-1"])
    assert delivered(tmp_path, "record", "live") == (0, ["die-0 die-1", "live-0 live-1"])
