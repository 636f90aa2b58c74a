"""The examples run as a reader runs them, and come out as they say."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize(
    ("name", "said"),
    [("first_campaign.py", "masterCodes/nyc.csv: 2 registrants")],
)
def test_an_example_runs(tmp_path: Path, name: str, said: str) -> None:
    """It needs no argument, leaves no file, and prints what its text promises."""
    ran = subprocess.run(
        [sys.executable, EXAMPLES / name], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said in ran.stdout
    assert "mailinator" not in ran.stdout
    assert ran.stderr == ""
    assert not list(tmp_path.iterdir())


def test_every_example_is_tried() -> None:
    """No example is left to rot."""
    assert [path.name for path in EXAMPLES.glob("*.py")] == ["first_campaign.py"]


def test_cleaning_up_removes_no_campaign_of_the_reader() -> None:
    """The commands of the README leave campaigns under `out`; `make clean` takes the demo alone."""
    told = subprocess.run(
        ["make", "-n", "clean"],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert {"out/demo", "out"} & set(told.stdout.split()) == {"out/demo"}
