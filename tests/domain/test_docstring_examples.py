"""The examples in docstrings are true."""

import doctest
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import campaign_workers.domain
from campaign_workers.domain.lottery import commitment, lottery_numbers
from campaign_workers.domain.ranks import RankFormula, scores_from_ranks
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.domain.selection import (
    MarketQuota,
    SelectionOptions,
    select_fans,
)

PUBLIC = (
    commitment,
    lottery_numbers,
    RankFormula.parse,
    scores_from_ranks,
    ScrubPolicy,
    scrub,
    MarketQuota,
    SelectionOptions,
    select_fans,
)


def modules() -> Iterator[ModuleType]:
    package = campaign_workers.domain
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(info.name)


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_examples_print_what_they_show(module: ModuleType) -> None:
    """Each example of the domain is run as a doctest."""
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize("function", PUBLIC, ids=lambda function: function.__qualname__)
def test_public_rules_have_an_example(function: Callable[..., Any]) -> None:
    """The functions and classes that other projects import show how they are used."""
    assert ">>>" in (function.__doc__ or "")
