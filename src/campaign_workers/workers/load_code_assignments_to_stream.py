"""loadCodeAssignmentsToStream: put the codes of a triggered wave on the stream as records."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Final

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import FrameTable, read_frames
from campaign_workers.domain.errors import BadInput, NotFound
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report, Tally
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.domain.waves.assignment_records import assignment_records, rejected_rows
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import REQUIRED_COLUMNS, build_errors_file
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.worker_library.objects import update_object

WORKER: Final = "loadCodeAssignmentsToStream"

# The wave is sent while its assignments are loaded: its config may have been moved by then, and
# an object that is moved may get another ETag.
_STATES: Final = (WaveState.TRIGGERED, WaveState.COMPLETED, WaveState.FAILED)


@attrs.frozen(kw_only=True)
class LoadCodeAssignmentsToStream:
    """Put the rows of a triggered wave with a code, including placeholders, on the stream."""

    scoring: ObjectStore
    inputs: RecordStream

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Put a record for each row with a code; in = out + rejected + duplicates, in rows.

        Rows without a code go to the errors file. A key that is not the key of a triggered config
        counts as one rejected. A superseded config is skipped: the newer version has an event of
        its own.

        Raises:
            NotFound: the config or the wave file does not exist.
            BadInput: the config or the wave file is invalid.
            RetryLater: the stream or the store fails; the same event again puts copies.
        """
        tally = Tally(WORKER)
        try:
            wave = _triggered_wave(event.key)
        except BadInput as error:
            tally.add_all({"in": 1, "rejected": 1})
            return tally.report({"refused": str(error)})
        config = self._load_config(wave, event)
        if config is None:
            return tally.report({"superseded": event.key})
        self._load(wave, *config, tally)
        return tally.report({"waveFile": layout.wave_file_key(wave)})

    def _load_config(self, wave: str, event: ObjectCreated) -> tuple[WaveConfig, ObjectInfo] | None:
        for state in _STATES:
            key = layout.wave_config_key(wave, state)
            try:
                info = self.scoring.head(key)
            except NotFound:
                continue
            if state is WaveState.TRIGGERED and event.etag not in {None, info.etag}:
                return None
            with self.scoring.open(key, etag=info.etag) as source:
                return WaveConfig.parse(source.read(), file=key), info
        raise NotFound(f"{event.key}: no config of this wave in {', '.join(_STATES)}")

    def _load(self, wave: str, config: WaveConfig, info: ObjectInfo, tally: Tally) -> None:
        file = self.scoring.head(layout.wave_file_key(wave))
        # The config's time of modification, so that the same event gives the same records again.
        records = _RecordSource(config=config, created=info.modified, tally=tally)
        with self._open(file) as table:
            self.inputs.put(records.of_frames(table.frames))
        has_rejected = tally.counts["rejected"] > 0
        update_object(
            self.scoring,
            layout.wave_errors_key(wave),
            lambda existing: build_errors_file(
                existing, WORKER, table.columns, self._rejected_rows(file) if has_rejected else ()
            ),
        )

    def _rejected_rows(self, file: ObjectInfo) -> Iterator[dict[str, str]]:
        with self._open(file) as table:
            for rows in table.frames:
                yield from rejected_rows(rows)

    @contextmanager
    def _open(self, file: ObjectInfo) -> Iterator[FrameTable]:
        with closing(self.scoring.open(file.key, etag=file.etag)) as source:
            yield read_frames(source, file=file.key, required=REQUIRED_COLUMNS)


def _triggered_wave(key: str) -> str:
    wave, state = layout.parse_wave_config_key(key)
    if state is not WaveState.TRIGGERED:
        raise BadInput("expected the config of a triggered wave", field="key")
    return wave


@attrs.frozen(kw_only=True)
class _RecordSource:
    """Makes records of rows, drops duplicates, and counts both."""

    config: WaveConfig
    created: datetime
    tally: Tally
    _seen: set[str] = attrs.field(factory=set)

    def of_frames(self, frames: Iterable[pl.DataFrame]) -> Iterator[tuple[str, bytes]]:
        """Yield the partition key and the content of each record."""
        for rows in frames:
            records = assignment_records(rows, self.config, self.created)
            unique = self._drop_duplicates(records)
            self.tally.add_all(
                {
                    "in": len(rows),
                    "out": len(unique),
                    "rejected": len(rows) - len(records),
                    "duplicates": len(records) - len(unique),
                }
            )
            keys, lines = (unique[name].to_list() for name in ("partition_key", "data"))
            yield from zip(keys, lines, strict=True)

    def _drop_duplicates(self, records: pl.DataFrame) -> pl.DataFrame:
        """Return the records that no earlier row of the file gave."""
        first = records.filter(pl.col("dedupe_key").is_first_distinct())
        keys = first["dedupe_key"].to_list()
        known = self._seen.intersection(keys)
        self._seen.update(keys)
        return first.filter(~pl.col("dedupe_key").is_in(list(known))) if known else first
