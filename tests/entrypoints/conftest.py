"""Fixtures of this folder."""

import logging
from collections.abc import Iterator

import pytest

from campaign_workers.entrypoints import invocations
from campaign_workers.entrypoints.logs import SERVICE
from tests import privacy
from tests.entrypoints.functions import Function, install, uninstall


@pytest.fixture
def restore_logs() -> Iterator[None]:
    """Restore the handlers and levels of logs after a test."""
    handlers, level = list(logging.getLogger().handlers), logging.getLogger(SERVICE).level
    yield
    uninstall(handlers, level)


@pytest.fixture
def function(
    restore_logs: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Function]:
    """Return a function before its first invocation; its log must stay free of personal data."""
    function = Function(lambda: capsys.readouterr().out)
    with_keys = install(function.log).with_keys
    monkeypatch.setattr(invocations, "_json_logs", lambda: with_keys)
    monkeypatch.setattr(invocations, "_cold", iter((True,)))
    yield function
    # The watch over the test run hears none of these lines: they go to the function's log alone.
    assert privacy.personal_data(function.log.getvalue()) == []
