"""The laws of scrub and selection fail as soon as a rule of fairness is broken."""

from collections.abc import Iterable

import pytest
from hypothesis import strategies as st

from tests.domain import test_scrub_laws as scrub_laws
from tests.domain import test_selection_laws as selection_laws
from tests.mutation.broken_rules import SCRUB, SELECTION
from tests.mutation.planting import turns_red
from tests.scrub_oracle import files, policies
from tests.selection_worlds import Mechanism, worlds

SCRUB_LAW = scrub_laws.test_the_columns_agree_with_the_rules_read_row_by_row
SELECTION_LAW = selection_laws.test_each_mechanism_is_its_definition


def is_scrub_law_red(seed: int) -> bool:
    """Return whether the law of the scrub fails with a seed."""
    return turns_red(SCRUB_LAW, files, policies, number=seed)


def is_selection_law_red(seed: int, mechanisms: Iterable[Mechanism]) -> bool:
    """Return whether the law of selection fails with a seed for one of the mechanisms."""
    return any(
        turns_red(SELECTION_LAW, st.just(mechanism), worlds, number=10 * seed + number)
        for number, mechanism in enumerate(mechanisms)
    )


@pytest.mark.parametrize("rule", SCRUB)
def test_a_broken_rule_of_the_scrub_turns_its_law_red(
    rule: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Each broken rule of the competition is found with every seed."""
    SCRUB[rule](monkeypatch)
    seeds = range(pytestconfig.getoption("seeds"))
    assert [seed for seed in seeds if not is_scrub_law_red(seed)] == []


@pytest.mark.parametrize("rule", SELECTION)
def test_a_broken_rule_of_selection_turns_its_law_red(
    rule: str, monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """Each broken rule of selection is found with every seed."""
    break_rule, mechanisms = SELECTION[rule]
    break_rule(monkeypatch)
    seeds = range(pytestconfig.getoption("seeds"))
    assert [seed for seed in seeds if not is_selection_law_red(seed, mechanisms)] == []


def test_unbroken_rules_leave_the_laws_green() -> None:
    """The laws do not fail for another reason than a broken rule."""
    assert not is_scrub_law_red(0)
    assert not is_selection_law_red(0, [(True, False)])
