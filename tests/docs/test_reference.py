"""The reference pages list what there is, and every public rule has an example."""

import importlib
import re
from pathlib import Path

import pytest

import campaign_workers.ports
import campaign_workers.testing.contracts
from tests.docs.pages import ROOT

REFERENCE = ROOT / "docs" / "reference"
CONTRACT = re.compile(r"^class (\w+Contract)\(", re.MULTILINE)


def named(page: str, directive: str) -> list[str]:
    """Return the names that a page gives to a directive."""
    text = (REFERENCE / page).read_text(encoding="utf-8")
    return re.findall(rf"^\.\. {directive}:: (\S+)$", text, re.MULTILINE)


def modules(package: Path) -> list[Path]:
    """Return the public modules of a package."""
    return sorted(path for path in package.glob("*.py") if not path.name.startswith("_"))


def test_the_reference_has_every_port() -> None:
    """Each module with ports has a section."""
    package = campaign_workers.ports.__name__
    folder = Path(campaign_workers.ports.__path__[0])
    assert sorted(named("ports.md", "automodule")) == [
        f"{package}.{path.stem}" for path in modules(folder)
    ]


def test_the_reference_has_every_contract_suite() -> None:
    """Each suite that an adapter author can inherit is listed."""
    package = campaign_workers.testing.contracts.__name__
    folder = Path(campaign_workers.testing.contracts.__path__[0])
    suites = [
        f"{package}.{path.stem}.{name}"
        for path in modules(folder)
        for name in CONTRACT.findall(path.read_text(encoding="utf-8"))
    ]
    assert sorted(named("testing.md", "autoclass")) == sorted(suites)


@pytest.mark.parametrize(
    "name",
    [
        "container.Container",
        "domain.lottery.commitment",
        "domain.lottery.lottery_numbers",
        "domain.ranks.scores_from_ranks",
        "domain.scrub.ScrubPolicy",
        "domain.scrub.scrub",
        "domain.selection.SelectionOptions",
        "domain.selection.audit.verify_audit",
        "domain.selection.select_fans",
        "domain.stats.admin_stats",
    ],
)
def test_every_public_rule_has_an_example(name: str) -> None:
    """The docstrings of the public interface show how to use it."""
    module, _, attribute = f"campaign_workers.{name}".rpartition(".")
    subject = getattr(importlib.import_module(module), attribute)
    assert "Example:" in (subject.__doc__ or "")
