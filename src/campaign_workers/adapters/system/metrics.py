"""The `Metrics` port as log lines."""

import json
import logging

_LOG = logging.getLogger("campaign_workers.metrics")


class LogMetrics:
    """Serves `Metrics`: logs the name and value of each metric, and its dimensions as JSON."""

    def count(self, name: str, value: int, **dimensions: str) -> None:
        """See `Metrics.count`."""
        _LOG.info("%s %d %s", name, value, json.dumps(dimensions, sort_keys=True))
