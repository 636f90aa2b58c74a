"""Figures as log lines."""

import logging

_LOG = logging.getLogger("campaign_workers.metrics")


class LogMetrics:
    """Logs each figure; dimensions carry no personal data."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        _LOG.info("%s %d %s", name, value, " ".join(f"{k}={v}" for k, v in dimensions.items()))
