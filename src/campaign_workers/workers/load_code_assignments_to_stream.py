"""loadCodeAssignmentsToStream: the codes of a wave that goes out become records."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from campaign_workers.domain import layout
from campaign_workers.domain.code_assignments import CODE_ASSIGNMENT, partition_key
from campaign_workers.domain.csv_files import Row, Table, read_table
from campaign_workers.domain.errors import BadInput, NotFound, RejectRecord
from campaign_workers.domain.events import ObjectCreated
from campaign_workers.domain.layout import WaveState
from campaign_workers.domain.limits import checked_record
from campaign_workers.domain.records import iso_utc, read_record
from campaign_workers.domain.reports import Report
from campaign_workers.domain.waves import WaveConfig
from campaign_workers.domain.waves.errors import errors_file, refused
from campaign_workers.domain.waves.registrants import REQUIRED_COLUMNS, Registrant
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.object_updates import update_object
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Metrics

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
    metrics: Metrics

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
        return self._report(self._load(wave, *config), {"waveFile": layout.wave_file(wave)})

    def _config(self, wave: str, event: ObjectCreated) -> tuple[WaveConfig, ObjectInfo] | None:
        for state in _PLACES:
            key = layout.wave_config(wave, state)
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
        key = layout.wave_file(wave)
        version = self.scoring.head(key).etag
        # The time of the config's version, so that the same event again gives the same records.
        books = _Books(config=config, created=iso_utc(info.modified))
        with self.scoring.open(key, etag=version) as source:
            table = _table(source, key)
            self.inputs.put(books.records(table.rows))

        def rows() -> Iterator[dict[str, str]]:
            if not books.reasons:
                return
            with self.scoring.open(key, etag=version) as source:
                yield from refused(_table(source, key).rows, books.reasons)

        update_object(
            self.scoring,
            layout.wave_errors(wave),
            lambda existing: errors_file(existing, WORKER, table.columns, rows()),
        )
        return books.counts

    def _report(self, counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
        report = Report(
            worker=WORKER, counts={name: counts.get(name, 0) for name in COUNTS}, details=details
        )
        for name, value in report.counts.items():
            self.metrics.count(name, value, worker=WORKER)
        return report


def _triggered_wave(key: str) -> str:
    wave, state = layout.wave_config_parts(key)
    if state is not WaveState.TRIGGERED:
        raise BadInput("not the config of a triggered wave", field="key")
    return wave


def _table(source: Any, key: str) -> Table:
    return read_table(source, file=key, required=REQUIRED_COLUMNS)


@attrs.frozen(kw_only=True)
class _Books:
    """What becomes of each row; `reasons` are those of the rejected ones, by line."""

    config: WaveConfig
    created: str
    counts: Counter[str] = attrs.field(factory=Counter)
    reasons: dict[int, str] = attrs.field(factory=dict)
    _seen: set[str] = attrs.field(factory=set)

    def records(self, rows: Iterator[Row]) -> Iterator[tuple[str, bytes]]:
        """Partition key and content of each record to put."""
        for row in rows:
            self.counts["in"] += 1
            try:
                key, data, dedupe_key = self._record(row)
            except RejectRecord as why:
                self.counts["rejected"] += 1
                self.reasons[row.line] = why.reason
                continue
            if dedupe_key in self._seen:
                self.counts["duplicates"] += 1
                continue
            self._seen.add(dedupe_key)
            self.counts["out"] += 1
            yield key, data

    def _record(self, row: Row) -> tuple[str, bytes, str]:
        registrant = Registrant.read(row.cells, row.line)
        if not registrant.code:
            raise RejectRecord("no code", field="code")
        record = read_record(
            {
                "type": CODE_ASSIGNMENT,
                "campaignId": self.config.campaign_id,
                "categoryId": self.config.category_id,
                "globalUserId": registrant.global_user_id,
                "memberId": registrant.member_id or None,
                "marketId": registrant.market_id or None,
                "code": registrant.code,
                "created": self.created,
            }
        )
        return *checked_record(partition_key(record), record.json()), record.dedupe_key
