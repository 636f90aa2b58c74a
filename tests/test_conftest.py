"""Rules of the test run: no test is skipped, reaches a network or logs personal data."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.privacy import personal_data

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

TELLING = {
    "message": "def test_it(): log.info('texting %s', '+12125550162')",
    "library": "def test_it(): logging.getLogger('httpx').debug('Bearer t0ken-of-ours')",
    "extra": "def test_it(): log.warning('sent', extra={'to': 'ada@mail.example'})",
    "trace": """def test_it():
    try: raise ValueError('no such code: K7Q2M4XZ')
    except ValueError: log.exception('failed')""",
    "thread": """def test_it():
    thread = Thread(target=log.info, args=('for ada%40mail.example',))
    thread.start(), thread.join()""",
    "fixture": """@pytest.fixture(scope='module')
def mongo():
    yield
    log.info('closing mongodb://user:pass@db')
def test_it(mongo): pass""",
}
LOGS = "import logging, pytest\nfrom threading import Thread\nlog = logging.getLogger('ours')\n"


def failing(folder: Path, modules: Mapping[str, str], *options: str) -> tuple[set[str], str]:
    """The test modules that fail under this run's own rules, and what pytest said."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    tests = folder / "tests"
    tests.mkdir()
    for ours in ("conftest.py", "privacy.py"):
        shutil.copy(ROOT / "tests" / ours, tests)
    for name, body in modules.items():
        (tests / f"test_{name}.py").write_text(body)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^(?:FAILED|ERROR) tests/test_(\w+)\.py", done.stdout, re.MULTILINE)
    return set(failed), done.stdout


def test_a_test_that_does_not_run_fails(tmp_path: Path) -> None:
    """A test that skips, is expected to fail or calls a network fails; one on loopback passes."""
    failed, said = failing(tmp_path, {**DODGING, "honest": HONEST})
    assert failed == set(DODGING), said
    assert "1 passed" in said


def test_a_test_that_logs_something_personal_fails(tmp_path: Path) -> None:
    """A line of any logger at any level fails its test, in every process of a run, unquoted."""
    calm = "def test_it(): log.warning('fan g1 of tour got 2 texts at 2026-11-20T17:00:00+00:00')"
    modules = {name: LOGS + body for name, body in {**TELLING, "calm": calm}.items()}
    failed, said = failing(tmp_path, modules, "-n", "2", "--show-capture=no")
    assert failed == set(TELLING), said
    assert not personal_data(said), said


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("to +442071838750", "a phone number"),
        ("?to=%2B12125550162", "a phone number"),
        ("(212) 555-0162", "a phone number"),
        ("'fan1.a@gmail.com'", "an e-mail address"),
        ("authorization: bearer abc", "a token"),
        ("mongodb://u:p@localhost/x", "a token"),
        ("code CODE1,", "a code"),
        ("CODE-7F2A", "a code"),
        ("gave B3F09C11D7 away", "a code"),
        ("'MZXW6YTBOI'", "a code"),
    ],
)
def test_personal_data_is_recognised(text: str, kind: str) -> None:
    """Each kind of personal data is recognised in the formats of the tests."""
    assert personal_data(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "requestId 2125550162",
        "0b8f5c52-9a3f-5f0e-8a51-3a6f5f0d9b11",
        "2026-11-20T17:00:00+00:00",
        "Bearer ***",
        "http://127.0.0.1:8030/campaign",
        "statusCode 200, errorCode=85",
        "1.5e+1234567890",
        "ABCDEFGHIJ or 1234567890",
    ],
)
def test_other_data_is_allowed(text: str) -> None:
    """Ids, times, addresses of machines and numbers are not personal."""
    assert personal_data(text) == []
