"""Mutants that no test can or has to kill, each with the reason."""

from collections.abc import Mapping
from typing import Final

EQUIVALENT: Final[Mapping[tuple[str, str, str], str]] = {}
"""(module, line before, line after) to the reason."""
