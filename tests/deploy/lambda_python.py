"""Runs `lambda_probe.py` by a Python that has nothing but what the Lambda runtime brings."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from tests.servers.aws_runtime import lambda_interpreter

SCRIPT: Final = Path(__file__).parent / "lambda_probe.py"

ProbeResult = dict[str, Any]


class LambdaPython:
    """That Python, in a folder which is made for it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._python = lambda_interpreter(folder / "python")

    def __call__(self, tasks: Iterable[Path], workers: Iterable[str]) -> ProbeResult:
        """Run the probe for `workers` with the unpacked zips `tasks` on the path."""
        arguments = (json.dumps([str(task) for task in tasks]), json.dumps([*workers]))
        done = subprocess.run(
            [self._python, "-I", "-B", SCRIPT, *arguments],
            cwd=self._folder, env={}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        result: ProbeResult = json.loads(done.stdout)
        return result
