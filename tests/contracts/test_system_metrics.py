"""Figures as log lines keep their contract."""

import json
import logging
from collections import Counter

import pytest

from campaign_workers.adapters.system.metrics import LogMetrics
from campaign_workers.testing.contracts.metrics import Counted, MetricsContract


class TestLogMetrics(MetricsContract):
    """`LogMetrics`."""

    @pytest.fixture
    def metrics(self, caplog: pytest.LogCaptureFixture) -> LogMetrics:
        caplog.set_level(logging.INFO, "campaign_workers.metrics")
        return LogMetrics()

    @pytest.fixture
    def counted(self, caplog: pytest.LogCaptureFixture) -> Counted:
        def counted() -> Counter[tuple[str, frozenset[tuple[str, str]]]]:
            sums: Counter[tuple[str, frozenset[tuple[str, str]]]] = Counter()
            for line in caplog.messages:
                name, value, dimensions = line.split(" ", 2)
                sums[name, frozenset(json.loads(dimensions).items())] += int(value)
            return sums

        return counted
