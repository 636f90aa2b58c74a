"""Examples in docstrings run, and print what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT

SOURCES = ROOT / "src"


def module_of(path: Path) -> str:
    """Return the import path of a module."""
    return ".".join(path.relative_to(SOURCES).with_suffix("").parts).removesuffix(".__init__")


MODULES = sorted(
    module_of(path) for path in SOURCES.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    """Each example of a docstring gives the result that it shows."""
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
