"""A batch of a stream, sorted: each record is kept, turned away, or a copy of one before it."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.events import StreamBatch, StreamRecord
from campaign_workers.domain.records import Record, claimed_type
from campaign_workers.domain.records.rejections import rejected_file


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
