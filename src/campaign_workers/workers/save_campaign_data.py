"""saveCampaignData: every record of the streams goes to the lake, or says why it cannot.

A batch becomes one container a type and day of arrival, and one file of rejected records a day.
Their names follow from the batch alone, so that a batch delivered again overwrites what it wrote.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, date
from typing import Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.batches import rejected_line
from campaign_workers.domain.records.record import Record, claimed_type, parse_record
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.record_codec import RecordCodec
from campaign_workers.ports.system import Metrics

WORKER: Final = "saveCampaignData"
REJECTED: Final = "rejected"
UNKNOWN: Final = "unknown"
"""What the metrics call a type that is none of ours; its own name may be anything."""


@attrs.frozen(kw_only=True)
class SaveCampaignData:
    """Store a batch of a stream in the lake."""

    lake: ObjectStore
    codec: RecordCodec
    metrics: Metrics

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Write the batch's containers and rejected records; in = out + rejected + duplicates.

        Raises:
            RetryLater: the lake fails; the same batch again completes what was begun.
        """
        books = _Books()
        for entry in batch.records:
            books.enter(entry)
        written = [self.lake.put(key, body).key for key, body in self._files(batch, books)]
        tallies = books.tallies()
        self._report_metrics(batch.stream, tallies)
        counts = {name: tally.total() for name, tally in tallies.items()}
        return Report(worker=WORKER, counts=counts, details={"files": written})

    def _files(self, batch: StreamBatch, books: "_Books") -> Iterator[tuple[str, bytes]]:
        for (name, day), records in sorted(books.kept.items()):
            key = layout.lake_batch_key(name, day, batch_id(batch, name, day))
            yield key, self.codec.encode(name, records)
        for day, lines in sorted(books.rejected.items()):
            key = layout.rejected_key(WORKER, day, batch_id(batch, REJECTED, day))
            yield key, b"".join(lines)

    def _report_metrics(self, stream: str, tallies: Mapping[str, Counter[str]]) -> None:
        for name, tally in tallies.items():
            for record_type, count in sorted(tally.items()):
                self.metrics.count(name, count, worker=WORKER, stream=stream, type=record_type)


def batch_id(batch: StreamBatch, name: str, day: date) -> str:
    """The file name of one group of a batch: the same whenever the batch is delivered."""
    first, last = batch.records[0].sequence, batch.records[-1].sequence
    parts = (batch.stream, batch.shard, first, last, name, day.isoformat())
    return str(uuid5(NAMESPACE_URL, f"campaign-workers:{':'.join(parts)}"))


@attrs.frozen
class _Books:
    """A batch, sorted into what is kept and what is turned away."""

    kept: defaultdict[tuple[str, date], list[Record]] = attrs.field(
        factory=lambda: defaultdict(list)
    )
    rejected: defaultdict[date, list[bytes]] = attrs.field(
        factory=lambda: defaultdict(list), repr=False
    )
    refused: Counter[str] = attrs.field(factory=Counter)
    doubled: Counter[str] = attrs.field(factory=Counter)
    seen: set[str] = attrs.field(factory=set)

    def enter(self, entry: StreamRecord) -> None:
        day = entry.arrived.astimezone(UTC).date()
        try:
            record = parse_record(entry.data)
        except RejectRecord as why:
            self.refused[claimed_type(entry.data) or UNKNOWN] += 1
            self.rejected[day].append(rejected_line(entry, why.reason))
            return
        if record.dedupe_key in self.seen:
            self.doubled[record.type] += 1
            return
        self.seen.add(record.dedupe_key)
        self.kept[record.type, day].append(record)

    def tallies(self) -> Mapping[str, Counter[str]]:
        """Each count of the report, by type."""
        out = Counter[str]()
        for (name, _), records in self.kept.items():
            out[name] += len(records)
        return {
            "in": out + self.refused + self.doubled,
            "out": out,
            "rejected": self.refused,
            "duplicates": self.doubled,
        }
