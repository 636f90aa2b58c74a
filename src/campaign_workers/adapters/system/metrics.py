"""Figures as log lines."""

import json
import logging

_LOG = logging.getLogger("campaign_workers.metrics")


class LogMetrics:
    """Logs each figure: its name, its value, and its dimensions as a JSON object."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        _LOG.info("%s %d %s", name, value, json.dumps(dimensions, sort_keys=True))
