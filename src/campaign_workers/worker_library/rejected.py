"""Saving records of a stream that a worker rejects."""

import logging

from campaign_workers.domain.records.batches import ParsedBatch
from campaign_workers.ports.object_store import ObjectStore

_log = logging.getLogger(__name__)


def save_rejected(lake: ObjectStore, worker: str, batch: ParsedBatch) -> None:
    """Save each rejected record of a batch, with its reason, in a file of its own.

    Files are named by their record, so a batch that comes again overwrites them.

    Raises:
        RetryLater: the lake fails.
    """
    for key, body in batch.rejected_files(worker):
        lake.put(key, body)
        _log.warning("%s rejected a record, see %s", worker, key)
