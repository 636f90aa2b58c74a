"""What the test run itself holds: a test runs or fails, and none reaches a network."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

DODGING = {
    "skip": "import pytest\ndef test_it(): pytest.skip('no server')",
    "skip_mark": "import pytest\n@pytest.mark.skip\ndef test_it(): pass",
    "expected_failure": "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False",
    "module_skip": "import pytest\npytest.importorskip('no_such_module')",
    "no_parameters": "import pytest\n@pytest.mark.parametrize('x', [])\ndef test_it(x): pass",
    "network": "import socket\ndef test_it(): socket.create_connection(('192.0.2.1', 80), 1)",
}
HONEST = """import socket
def test_it():
    with socket.create_server(('127.0.0.1', 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""


def test_a_test_that_does_not_run_fails(tmp_path: Path) -> None:
    """A test that skips, is expected to fail or calls a network fails; one on loopback passes."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    tests = tmp_path / "tests"
    tests.mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    for name, body in {**DODGING, "honest": HONEST}.items():
        (tests / f"test_{name}.py").write_text(body)

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    failed = re.findall(r"^(?:FAILED|ERROR) tests/test_(\w+)\.py", done.stdout, re.MULTILINE)
    assert sorted(failed) == sorted(DODGING), done.stdout
    assert "1 passed" in done.stdout
