"""The interpreter of the functions: Python with AWS's SDK beside it, and nothing else.

A dependency that is missing in a function's zip is missing there, too.
"""

import importlib.util
import venv
from pathlib import Path
from typing import Final

SDK: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What the Lambda runtime brings along, in the versions that the tests are installed with."""


def lambda_interpreter(folder: Path) -> Path:
    """The Python of an environment in `folder`, which is made if it is missing."""
    interpreter = folder / "bin" / "python"
    if not interpreter.exists():
        venv.create(folder, symlinks=True, with_pip=False)
        (site,) = folder.glob("lib/python*/site-packages")
        for name in SDK:
            _link(name, site)
    return interpreter


def _link(name: str, site: Path) -> None:
    spec = importlib.util.find_spec(name)
    assert spec is not None, f"{name} is not installed"
    assert spec.origin is not None
    origin = Path(spec.origin)
    source = origin.parent if origin.name == "__init__.py" else origin
    (site / source.name).symlink_to(source)
