"""saveCampaignData: store every record of the streams in the lake, or reject it with a reason.

A batch becomes one Avro file for each type and day of arrival, and one file of rejected records a
day. File names are derived from the batch, so a batch delivered again overwrites its files.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date
from itertools import chain
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from campaign_workers.domain.records.batches import ParsedBatch, rejected_line
from campaign_workers.domain.records.record import Record
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.reports import Breakdown, Report
from campaign_workers.domain.storage import layout
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.record_codec import RecordCodec

WORKER: Final = "saveCampaignData"
REJECTED: Final = "rejected"


@attrs.frozen(kw_only=True)
class SaveCampaignData:
    """Stores a batch of a stream in the lake."""

    lake: ObjectStore
    codec: RecordCodec

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Write the Avro files and the rejected records of a batch.

        Counts are records: in = out + rejected + duplicates.

        Raises:
            RetryLater: the lake fails; the same batch again completes the work.
        """
        parsed = ParsedBatch.parse(batch)
        files = chain(self._avro_files(parsed), _rejected_files(parsed))
        return Report(
            worker=WORKER,
            counts=parsed.counts,
            details={"files": [self.lake.put(key, body).key for key, body in files]},
            breakdown=tuple(
                Breakdown(dimensions={"stream": batch.stream, "type": name}, counts=counts)
                for name, counts in parsed.counts_by_type().items()
            ),
        )

    def _avro_files(self, parsed: ParsedBatch) -> Iterator[tuple[str, bytes]]:
        groups: defaultdict[tuple[str, date], list[Record]] = defaultdict(list)
        for entry, record in parsed.arrivals():
            groups[record.type, _day(entry)].append(record)
        for (name, day), records in sorted(groups.items(), key=lambda group: group[0]):
            key = layout.lake_batch_key(name, day, batch_id(parsed.batch, name, day))
            yield key, self.codec.encode(name, records)


def batch_id(batch: StreamBatch, name: str, day: date) -> str:
    """Return the file name of one group of a batch, the same at every delivery."""
    first, last = batch.records[0].sequence, batch.records[-1].sequence
    parts = (batch.stream, batch.shard, first, last, name, day.isoformat())
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:{':'.join(parts)}"))


def _rejected_files(parsed: ParsedBatch) -> Iterator[tuple[str, bytes]]:
    groups: defaultdict[date, list[bytes]] = defaultdict(list)
    for entry, reason in parsed.rejections():
        groups[_day(entry)].append(rejected_line(entry, reason))
    for day, lines in sorted(groups.items()):
        key = layout.rejected_key(WORKER, day, batch_id(parsed.batch, REJECTED, day))
        yield key, b"".join(lines)


def _day(entry: StreamRecord) -> date:
    return entry.arrived.astimezone(UTC).date()
