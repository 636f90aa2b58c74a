"""The Lambda runtime of the tests: a Python that has boto3 and nothing else.

Whatever a function needs beyond boto3 must come with its zip; an import that only works because
the project's own environment is near fails here as it would fail in AWS.
"""

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from uv import find_uv_bin

ROOT: Final = Path(__file__).parents[2]
CONSTRAINTS: Final = ROOT / "constraints.txt"
HOME: Final = ROOT / "build" / "lambda-runtime"
BROUGHT_BY_THE_RUNTIME: Final = "boto3"


def interpreter() -> Path:
    """The Python of an environment with boto3 alone; made once, then reused by every run."""
    environment = HOME / _fingerprint()
    python, ready = environment / "bin" / "python", environment / "ready"
    if not ready.exists():
        with _alone():
            if not ready.exists():
                _make(environment)
                ready.touch()
    return python


def _fingerprint() -> str:
    made_of = (sys.version, sys.executable, CONSTRAINTS.read_text(encoding="utf-8"))
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]


@contextmanager
def _alone() -> Iterator[None]:
    """Test processes that run side by side make the environment once."""
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(environment: Path) -> None:
    uv = find_uv_bin()
    python = ("--python", sys.executable)
    _run(uv, "venv", "--quiet", "--no-project", "--clear", *python, str(environment))
    install = ("pip", "install", "--quiet", "--compile-bytecode", "--only-binary", ":all:")
    pinned = ("--constraints", str(CONSTRAINTS), BROUGHT_BY_THE_RUNTIME)
    _run(uv, *install, "--python", str(environment), *pinned)


def _run(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the Lambda runtime of the tests cannot be made: {done.stderr}")
