"""Rules of every test: Hypothesis profiles, no network, no skips, no personal data in logs."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings

from tests import privacy

# A slow or shared machine is no fault of the code, so time is never a reason to fail.
settings.register_profile(
    "dev", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "ci", settings.get_profile("dev"), max_examples=100, derandomize=True, print_blob=True
)
settings.register_profile(
    "nightly", settings.get_profile("dev"), max_examples=1000, print_blob=True
)
# What a mutant's tests run with: the same cases each time, and no search for a smaller failure.
settings.register_profile(
    "mutation",
    settings.get_profile("dev"),
    max_examples=20,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "dev"))

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

pytest.register_assert_rewrite("campaign_workers.testing.contracts")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let `nox -s mutation` look for each broken rule with more than one seed."""
    parser.addoption("--seeds", type=int, default=1, help="runs for each rule broken on purpose")


def pytest_configure(config: pytest.Config) -> None:
    """Fail tests that log personal data."""
    privacy.watch(config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn skipped tests and expected failures into failures: they prove nothing."""
    report = yield
    return _failed_if_skipped(report)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn modules that skip themselves during collection into failures."""
    report = yield
    return _failed_if_skipped(report)


def _failed_if_skipped(report: Report) -> Report:
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped; a test that does not run proves nothing"
        if hasattr(report, "wasxfail"):
            del report.wasxfail
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the recorded properties of tests."""
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if report.when == "call":
            for name, value in report.user_properties:
                terminalreporter.write_line(f"{name}: {value}")
