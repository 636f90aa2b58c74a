"""Mutation testing reaches every rule and every worker."""

import pytest

from tests.mutation.subjects import PACKAGE, ROOT, SUBJECTS


def test_every_module_of_rules_and_workers_is_in_a_subject() -> None:
    """No module of domain or workers is left out, and none is named that does not exist."""
    covered = {
        path
        for subject in SUBJECTS.values()
        for source in subject.sources
        for path in ((ROOT / source).rglob("*.py") if (ROOT / source).is_dir() else [ROOT / source])
    }
    every = {
        path
        for room in ("domain", "workers")
        for path in (ROOT / PACKAGE / room).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert every - covered == set()
    assert {path for path in covered if not path.exists()} == set()


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_subject_has_tests(name: str) -> None:
    """The tests of each subject exist."""
    assert SUBJECTS[name].tests
    assert [path for path in SUBJECTS[name].tests if not (ROOT / path).exists()] == []
