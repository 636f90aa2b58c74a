"""Runs a law against a rule that has been broken on purpose."""

from collections.abc import Callable
from typing import Any

from hypothesis import Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy


def turns_red(
    law: Callable[..., None], *strategies: SearchStrategy[Any], number: int, profile: str = "dev"
) -> bool:
    """Return whether a law fails within the examples of a profile, drawn with a seed.

    Args:
        law: a test under `@given`.
        strategies: what the law's `@given` draws from.
        number: the seed.
        profile: the Hypothesis profile that decides how many examples are drawn.
    """
    chosen = settings(
        settings.get_profile(profile),
        database=None,
        derandomize=False,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    inner = law.hypothesis.inner_test  # type: ignore[attr-defined]
    try:
        seed(number)(chosen(given(*strategies)(inner)))()
    except Exception:  # noqa: BLE001 - an error inside a broken rule is red too
        return True
    return False
