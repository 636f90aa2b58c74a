"""loadCodeAssignmentsToStream: the codes of a wave that goes out become records."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import FrameTable, read_frames
from campaign_workers.domain.errors import BadInput, NotFound
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.domain.waves.coded_rows import assignment_records, refused_rows
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.errors import errors_file
from campaign_workers.domain.waves.notifications import REQUIRED_COLUMNS
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.worker_library.objects import update_object

WORKER: Final = "loadCodeAssignmentsToStream"
COUNTS: Final = ("in", "out", "rejected", "duplicates")

# A wave goes on while its assignments are loaded: its config may have moved by then, and what is
# moved may have another ETag.
_PLACES: Final = (WaveState.TRIGGERED, WaveState.COMPLETED, WaveState.FAILED)


@attrs.frozen(kw_only=True)
class LoadCodeAssignmentsToStream:
    """Put the rows of a triggered wave that have a code, placeholders included, on the stream."""

    scoring: ObjectStore
    inputs: RecordStream

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Put what has a code, keep what has none; in = out + rejected + duplicates, in rows.

        A key that is not that of a triggered config counts as one rejected. When a later version
        of the config lies there, nothing is done: that version has an event of its own.

        Raises:
            NotFound: the config or the wave file is gone.
            BadInput: one of them cannot be read.
            RetryLater: the stream or the store fails; the same event again puts copies.
        """
        try:
            wave = _triggered_wave(event.key)
        except BadInput as why:
            return self._report(Counter({"in": 1, "rejected": 1}), {"refused": str(why)})
        config = self._config(wave, event)
        if config is None:
            return self._report(Counter(), {"superseded": event.key})
        return self._report(self._load(wave, *config), {"waveFile": layout.wave_file_key(wave)})

    def _config(self, wave: str, event: ObjectCreated) -> tuple[WaveConfig, ObjectInfo] | None:
        for state in _PLACES:
            key = layout.wave_config_key(wave, state)
            try:
                info = self.scoring.head(key)
            except NotFound:
                continue
            if state is WaveState.TRIGGERED and event.etag not in {None, info.etag}:
                return None
            with self.scoring.open(key, etag=info.etag) as source:
                return WaveConfig.read(source.read(), file=key), info
        raise NotFound(f"{event.key}: no such object, in whatever state of the wave")

    def _load(self, wave: str, config: WaveConfig, info: ObjectInfo) -> Counter[str]:
        file = self.scoring.head(layout.wave_file_key(wave))
        # The time of the config's version, so that the same event again gives the same records.
        books = _Books(config=config, created=info.modified)
        with self._table(file) as table:
            self.inputs.put(books.records(table.frames))
        update_object(
            self.scoring,
            layout.wave_errors_key(wave),
            lambda existing: errors_file(
                existing, WORKER, table.columns, self._refused(file, books.counts["rejected"])
            ),
        )
        return books.counts

    def _refused(self, file: ObjectInfo, count: int) -> Iterator[dict[str, str]]:
        """The rows that were rejected, each with its reason."""
        if count:
            with self._table(file) as table:
                for rows in table.frames:
                    yield from refused_rows(rows)

    @contextmanager
    def _table(self, file: ObjectInfo) -> Iterator[FrameTable]:
        with closing(self.scoring.open(file.key, etag=file.etag)) as source:
            yield read_frames(source, file=file.key, required=REQUIRED_COLUMNS)

    def _report(self, counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
        return Report(
            worker=WORKER, counts={name: counts.get(name, 0) for name in COUNTS}, details=details
        )


def _triggered_wave(key: str) -> str:
    wave, state = layout.parse_wave_config_key(key)
    if state is not WaveState.TRIGGERED:
        raise BadInput("not the config of a triggered wave", field="key")
    return wave


@attrs.frozen(kw_only=True)
class _Books:
    """What becomes of each row."""

    config: WaveConfig
    created: datetime
    counts: Counter[str] = attrs.field(factory=Counter)
    _seen: set[str] = attrs.field(factory=set)

    def records(self, frames: Iterable[pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
        """Partition key and content of each record to put."""
        for rows in frames:
            records = assignment_records(rows, self.config, self.created)
            fresh = self._fresh(records)
            self.counts.update(
                {
                    "in": len(rows),
                    "out": len(fresh),
                    "rejected": len(rows) - len(records),
                    "duplicates": len(records) - len(fresh),
                }
            )
            keys, lines = (fresh[name].to_list() for name in ("partition_key", "data"))
            yield from zip(keys, lines, strict=True)

    def _fresh(self, records: pl.DataFrame) -> pl.DataFrame:
        """The records that no earlier row of the file gave."""
        first = records.filter(pl.col("dedupe_key").is_first_distinct())
        keys = first["dedupe_key"].to_list()
        known = self._seen.intersection(keys)
        self._seen.update(keys)
        return first.filter(~pl.col("dedupe_key").is_in(list(known))) if known else first
