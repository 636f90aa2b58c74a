"""A batch of a stream, parsed: which records are accepted, rejected, or copies of earlier ones."""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import Record, claimed_type, parse_record
from campaign_workers.domain.records.types import RECORD_TYPES, RecordType, iso_utc
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.storage import layout

UNKNOWN_TYPE: Final = "unknown"
"""Replaces a type that is not one of ours in figures; its name may be personal data."""


@attrs.frozen(kw_only=True)
class ParsedBatch:
    """The records of a batch, sorted.

    `accepted` has the first record of each dedupe key, in order; `reasons` has, by sequence
    number, why a record was rejected; `duplicates` counts the copies by type.
    """

    batch: StreamBatch
    accepted: dict[str, Record]
    reasons: dict[str, str]
    duplicates: Counter[str]
    _origins: Mapping[str, StreamRecord]
    _ignored: int

    @classmethod
    def parse(
        cls,
        batch: StreamBatch,
        types: Mapping[str, RecordType] = RECORD_TYPES,
        *,
        record_type: str | None = None,
    ) -> "ParsedBatch":
        """Parse the records of a batch; with `record_type`, ignore those of any other type."""
        wanted = types if record_type is None else {record_type: types[record_type]}
        accepted: dict[str, Record] = {}
        reasons: dict[str, str] = {}
        duplicates = Counter[str]()
        origins: dict[str, StreamRecord] = {}
        ignored = 0
        for entry in batch.records:
            try:
                record = parse_record(entry.data, wanted)
            except RejectRecord as error:
                if record_type is None or claimed_type(entry.data) == record_type:
                    reasons[entry.sequence] = error.reason
                else:
                    ignored += 1
                continue
            if accepted.setdefault(record.dedupe_key, record) is record:
                origins[record.dedupe_key] = entry
            else:
                duplicates[record.type] += 1
        return cls(
            batch=batch,
            accepted=accepted,
            reasons=reasons,
            duplicates=duplicates,
            origins=origins,
            ignored=ignored,
        )

    def reject(self, record: Record, reason: str) -> None:
        """Reject a record that was accepted before."""
        del self.accepted[record.dedupe_key]
        self.reasons[self._origins[record.dedupe_key].sequence] = reason

    def reject_where(self, check: Callable[[Record], object]) -> None:
        """Reject the accepted records for which `check` raises `RejectRecord`."""
        for record in tuple(self.accepted.values()):
            try:
                check(record)
            except RejectRecord as error:
                self.reject(record, error.reason)

    def of_type(self, record_type: str) -> list[Record]:
        """Return the accepted records of one type, in order."""
        return [record for record in self.accepted.values() if record.type == record_type]

    def arrivals(self) -> Iterator[tuple[StreamRecord, Record]]:
        """Yield each accepted record with the stream record that it was parsed from."""
        return ((self._origins[key], record) for key, record in self.accepted.items())

    def rejections(self) -> Iterator[tuple[StreamRecord, str]]:
        """Yield each rejected stream record with the reason."""
        for entry in self.batch.records:
            if (reason := self.reasons.get(entry.sequence)) is not None:
                yield entry, reason

    def rejected_files(self, worker: str) -> Iterator[tuple[str, bytes]]:
        """Yield key and content of a file for each rejected record."""
        for entry, reason in self.rejections():
            yield _rejected_file(worker, self.batch, entry, reason)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the batch: in = out + rejected + duplicates."""
        return {
            "in": len(self.batch.records) - self._ignored,
            "out": len(self.accepted),
            "rejected": len(self.reasons),
            "duplicates": self.duplicates.total(),
        }

    def counts_by_type(self) -> dict[str, dict[str, int]]:
        """Return the counts of each record type, without zeros.

        A rejected record counts for the type that it claims, or for `UNKNOWN_TYPE`.
        """
        out = Counter(record.type for record in self.accepted.values())
        rejected = Counter(claimed_type(e.data) or UNKNOWN_TYPE for e, _ in self.rejections())
        every = {
            "in": out + rejected + self.duplicates,
            "out": out,
            "rejected": rejected,
            "duplicates": self.duplicates,
        }
        return {
            kind: {name: counts[kind] for name, counts in every.items() if counts[kind]}
            for kind in sorted(every["in"])
        }


def rejected_line(entry: StreamRecord, reason: str) -> bytes:
    """Return a line for a file of rejected records: the reason, and all that a repair needs."""
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


def _rejected_file(
    worker: str, batch: StreamBatch, entry: StreamRecord, reason: str
) -> tuple[str, bytes]:
    # Named by the record alone: a batch that fails comes again in halves, and the record has to
    # overwrite its file.
    parts = (worker, batch.stream, batch.shard, entry.sequence)
    name = str(uuid5(NAMESPACE_URL, f"campaign-workers:{':'.join(parts)}"))
    day = entry.arrived.astimezone(UTC).date()
    return layout.rejected_key(worker, day, name), rejected_line(entry, reason)
