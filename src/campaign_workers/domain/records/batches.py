"""Records of a stream that a worker turned away: kept with all that is needed to mend them.

A batch of a stream, sorted: each record is kept, turned away, or a copy of one before it.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import Record, claimed_type
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.storage import layout


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
    return layout.rejected_key(worker, day, name), rejected_line(entry, reason)


@attrs.frozen(kw_only=True)
class Intake:
    """What a worker takes in of a batch; `kept` has the first record of each key, in order."""

    batch: StreamBatch
    kept: dict[str, Record]
    rejections: dict[str, str]
    """Reasons by sequence number."""
    _origins: Mapping[str, StreamRecord]
    _taken: int

    @classmethod
    def of(
        cls, batch: StreamBatch, parse: Callable[[bytes], Record], *, only: str | None = None
    ) -> "Intake":
        """Read the records of a batch; with `only`, which `parse` takes alone, pass over others."""
        kept: dict[str, Record] = {}
        rejections: dict[str, str] = {}
        origins: dict[str, StreamRecord] = {}
        passed_over = 0
        for entry in batch.records:
            try:
                record = parse(entry.data)
            except RejectRecord as why:
                if only in {None, claimed_type(entry.data)}:
                    rejections[entry.sequence] = why.reason
                else:
                    passed_over += 1
                continue
            if kept.setdefault(record.dedupe_key, record) is record:
                origins[record.dedupe_key] = entry
        return cls(
            batch=batch,
            kept=kept,
            rejections=rejections,
            origins=origins,
            taken=len(batch.records) - passed_over,
        )

    def reject(self, record: Record, reason: str) -> None:
        """Turn away a record that was kept."""
        del self.kept[record.dedupe_key]
        self.rejections[self._origins[record.dedupe_key].sequence] = reason

    def reject_where(self, check: Callable[[Record], object]) -> None:
        """Turn away the kept records that `check` raises `RejectRecord` for."""
        for record in tuple(self.kept.values()):
            try:
                check(record)
            except RejectRecord as why:
                self.reject(record, why.reason)

    def rejected_files(self, worker: str) -> Iterator[tuple[str, bytes]]:
        """Key and content of the files that keep what was turned away."""
        for entry in self.batch.records:
            if (reason := self.rejections.get(entry.sequence)) is not None:
                yield rejected_file(worker, self.batch, entry, reason)

    @property
    def counts(self) -> dict[str, int]:
        """The books of the batch: in = out + rejected + duplicates."""
        out, rejected = len(self.kept), len(self.rejections)
        return {
            "in": self._taken,
            "out": out,
            "rejected": rejected,
            "duplicates": self._taken - out - rejected,
        }

    def records(self, record_type: str) -> Iterable[Record]:
        """The kept records of one type, in order."""
        return [record for record in self.kept.values() if record.type == record_type]
