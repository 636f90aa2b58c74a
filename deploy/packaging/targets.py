"""What a zip is built for: a Python and a processor of AWS Lambda."""

import platform
import re
import sys
from typing import Final

import attrs

ARCHITECTURES: Final = {"x86_64": "x86_64", "amd64": "x86_64", "arm64": "arm64", "aarch64": "arm64"}
"""Names of processors, and how Lambda calls them."""
PYTHON: Final = re.compile(r"3\.\d+")
OLDER_SYSTEM: Final = "3.11"
"""The last Python of Lambda on Amazon Linux 2; later ones are on Amazon Linux 2023."""


@attrs.frozen(kw_only=True)
class Target:
    """A Python such as `3.12` on `x86_64` or `arm64`; by default those of this machine."""

    python: str = attrs.field(factory=lambda: f"{sys.version_info[0]}.{sys.version_info[1]}")
    architecture: str = attrs.field(factory=platform.machine)

    def __attrs_post_init__(self) -> None:
        if not PYTHON.fullmatch(self.python):
            raise ValueError("PYTHON_VERSION: two numbers are needed, such as 3.12")
        if self.architecture.lower() not in ARCHITECTURES:
            raise ValueError(f"ARCH: use one of {', '.join(sorted(set(ARCHITECTURES.values())))}")
        object.__setattr__(self, "architecture", ARCHITECTURES[self.architecture.lower()])

    @property
    def wheels(self) -> str:
        """The newest wheels that the operating system of the functions can load."""
        processor = "aarch64" if self.architecture == "arm64" else "x86_64"
        old = _numbers(self.python) <= _numbers(OLDER_SYSTEM)
        return f"{processor}-{'manylinux2014' if old else 'manylinux_2_28'}"

    @property
    def compiles_here(self) -> bool:
        """Whether the running Python writes the bytecode that the functions read."""
        return _numbers(self.python) == sys.version_info[:2]


def _numbers(python: str) -> tuple[int, ...]:
    return tuple(int(number) for number in python.split("."))
