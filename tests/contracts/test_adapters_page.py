"""The page about adapters is up to date."""

import subprocess
import sys
from pathlib import Path

from campaign_workers.container.profiles import EMBEDDED
from tests.contracts.adapters_page import BEGIN, END, PAGE, matrix, rows
from tests.docs.pages import blocks


def test_the_table_is_up_to_date() -> None:
    """The table lists the ports, suites and adapters that the container wires."""
    page = PAGE.read_text(encoding="utf-8")
    expected = f"{BEGIN}{matrix()}{END}"
    assert expected in page, "run `python -m tests.contracts.adapters_page` to update it"


def test_every_port_is_served_once_in_every_profile() -> None:
    """No profile lacks an adapter, and none has two for one port."""
    for _, _, tests, *adapters, remote in rows():
        assert int(tests) > 0
        assert [adapter.count("`") for adapter in adapters] == [2] * len(EMBEDDED)
        assert remote.count("`") in {0, 2}


def test_the_example_tests_an_adapter(tmp_path: Path) -> None:
    """The saved example runs tests of the suite, and they pass."""
    [example] = [block for block in blocks(PAGE) if block.language == "python"]
    (tmp_path / "test_my_store.py").write_text(example.code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", "version or copy or outage", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) > 10
