"""Python's bytecode, made beforehand: functions cannot keep what they compile."""

import subprocess
import sys
from pathlib import Path
from typing import Final

TASK_ROOT: Final = "/var/task"
"""Where Lambda unpacks a zip; tracebacks name files there."""


def compile_below(folder: Path) -> None:
    """Put bytecode beside every module below `folder`, the same bytes whenever and wherever.

    It is never compared with its source, as the two travel together. One process goes through the
    modules in order and with a fixed hash seed, or sets of constants would change places.

    Raises:
        RuntimeError: a module cannot be compiled.
    """
    how = ("-q", "-j", "1", "--invalidation-mode", "unchecked-hash")
    places = ("-s", str(folder), "-p", TASK_ROOT)
    done = subprocess.run(  # noqa: S603 - all of it is ours
        [sys.executable, "-m", "compileall", *how, *places, str(folder)],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"modules of the zips cannot be compiled: {done.stdout}{done.stderr}")
