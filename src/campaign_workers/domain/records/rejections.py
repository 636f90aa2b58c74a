"""Records of a stream that a worker turned away: kept with all that is needed to mend them."""

import base64
import json
from datetime import UTC
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from campaign_workers.domain import layout
from campaign_workers.domain.events import StreamBatch, StreamRecord
from campaign_workers.domain.records import iso_utc


def rejected_line(entry: StreamRecord, reason: str) -> bytes:
    """One line of a file of rejected records."""
    line: dict[str, Any] = {
        "reason": reason,
        "sequence": entry.sequence,
        "arrived": iso_utc(entry.arrived),
    }
    try:
        line["data"] = entry.data.decode()
    except UnicodeDecodeError:
        line["base64"] = base64.b64encode(entry.data).decode()
    return json.dumps(line).encode() + b"\n"


def rejected_file(
    worker: str, batch: StreamBatch, entry: StreamRecord, reason: str
) -> tuple[str, bytes]:
    """Key and content of a file that holds one rejected record of a batch.

    The record alone names the file, so that it is the same file in whatever batch the record
    comes again: a batch that failed comes again in halves.
    """
    parts = (worker, batch.stream, batch.shard, entry.sequence)
    name = str(uuid5(NAMESPACE_URL, f"campaign-workers:{':'.join(parts)}"))
    day = entry.arrived.astimezone(UTC).date()
    return layout.rejected(worker, day, name), rejected_line(entry, reason)
