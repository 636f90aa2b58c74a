"""What mutation testing changes, and which tests have to notice it."""

from typing import Final

import attrs

DOMAIN: Final = "src/campaign_workers/domain"
WORKERS: Final = "src/campaign_workers/workers"
RULES: Final = "tests/domain"


@attrs.frozen
class Subject:
    """Modules that are mutated together, and the tests that guard them, fastest first."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


def _rule(sources: str, *tests: str) -> Subject:
    """Return a subject of the domain: names of modules, and what follows `test_`."""
    return Subject(
        tuple(f"{DOMAIN}/{name}" for name in sources.split()),
        tuple(f"{RULES}/test_{name}.py" for name in tests),
    )


SUBJECTS: Final = {
    "lottery": _rule("lottery.py", "lottery"),
    "bands": _rule("bands.py", "bands"),
    "ranks": _rule("ranks.py", "ranks"),
    "mechanisms": _rule("selection/mechanisms.py", "selection", "selection_ties", "selection_laws"),
    "candidates": _rule("selection/candidates.py", "selection", "selection_ties", "selection_laws"),
    "selection": _rule("selection/selection.py", "selection", "selection_ties", "selection_laws"),
    "duplicates": _rule("scrub/duplicates.py", "scrub", "scrub_laws"),
    "scrub rules": _rule("scrub/rules.py", "scrub", "scrub_laws"),
    "scrubbing": _rule("scrub/scrubbing.py", "scrub", "scrub_laws"),
    "scrub policy": _rule(
        "scrub/policy.py", "scrub_policy", "scrub_lists", "scrub_wildcards", "scrub"
    ),
}
"""Subjects by name, those of fairness first."""
