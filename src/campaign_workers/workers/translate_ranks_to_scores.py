"""translateRanksToScores: turn a fan club's ranks into scores on the stream.

Records are put first, then the scored copy, and the manifest entry last, so a file in the manifest
is complete. Dedupe keys follow from the content of records, so translating a file again only adds
copies.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import read_frames, write_frames
from campaign_workers.domain.csv.lines import LineCounter, find_lines
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.fanlists import (
    REQUIRED_COLUMNS,
    Fanlist,
    build_manifest_entry,
    build_refused_entry,
    dump_manifest,
    parse_manifest,
    score_fanlist,
)
from campaign_workers.domain.ranks import RankFormula
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Clock
from campaign_workers.worker_library.objects import (
    Opener,
    process_upload,
    require_latest,
    unless_replaced,
    update_object,
)

WORKER: Final = "translateRanksToScores"
MAX_BYTES: Final = 256 * 1024 * 1024
"""Default limit of the size of a fan list, which is held in memory as a whole."""

MANIFEST_ATTEMPTS: Final = 8
_ROWS_PER_BATCH: Final = 50_000


@attrs.frozen(kw_only=True)
class TranslateRanksToScores:
    """Score the ranks of a fan list by the campaign's formula."""

    scoring: ObjectStore
    campaigns: CampaignService
    ranks: RecordStream
    clock: Clock
    max_bytes: int = MAX_BYTES

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Translate exactly the version that was uploaded; in = out + rejected + duplicates (rows).

        A key of another form is counted as rejected. A version that has been replaced, or is
        replaced while it is read, is left to the event of the newer one.

        Raises:
            BadInput: the file cannot be read, or the campaign's scoring type is unknown; the
                manifest has the reason too.
            NotFound: there is no such file, or no such campaign.
            RetryLater: the bucket, the service or the stream fails.
        """
        try:
            fanlist_id, name = layout.parse_fanlist_key(event.key)
        except BadInput as error:
            return _report({"in": 1, "rejected": 1}, {"key": event.key, "refused": error.problem})
        translate = partial(self._translate_and_record, fanlist_id=fanlist_id, name=name)
        entry = process_upload(self.scoring, event, translate)
        if entry is None:
            return _report({}, {"key": event.key, "superseded": True})
        return _report(
            entry["count"],
            {
                "key": event.key,
                "scored": entry["scored"],
                "scoringType": entry["scoringType"],
                "rejected": {part["reason"]: len(part["lines"]) for part in entry["rejected"]},
            },
        )

    def _translate_and_record(
        self, upload: ObjectInfo, *, fanlist_id: str, name: str
    ) -> dict[str, Any]:
        """Translate an upload and record the outcome in the manifest; return its entry."""
        try:
            entry = self._translate(upload, fanlist_id, name)
        except BadInput as error:
            refused = build_refused_entry(upload.etag, str(error))
            self._update_manifest(upload, fanlist_id, {f"{name}.csv": refused})
            raise
        self._update_manifest(upload, fanlist_id, {f"{name}.csv": entry})
        return entry

    def _translate(self, upload: ObjectInfo, fanlist_id: str, name: str) -> dict[str, Any]:
        if upload.size > self.max_bytes:
            raise BadInput(
                f"expected at most {self.max_bytes} bytes, got {upload.size}",
                file=upload.key,
                remedy="split the file",
            )
        campaign = self.campaigns.campaign(fanlist_id)
        formula = RankFormula.parse(campaign.scoring_type, campaign.half_life)
        fanlist, lines = self._read(upload, formula)
        # Check before taking the timestamp, so a newer upload gets a newer `created`.
        require_latest(self.scoring, upload)
        self.ranks.put(_to_entries(fanlist.to_records(fanlist_id, self.clock.now())))
        scored = layout.fanlist_scored_key(fanlist_id, name)
        columns, rows = fanlist.scored_copy()
        file = write_frames(columns, rows.iter_slices(_ROWS_PER_BATCH))
        self.scoring.put(scored, unless_replaced(self.scoring, upload, file))
        return build_manifest_entry(
            etag=upload.etag,
            formula=formula,
            scored=scored,
            counts=fanlist.counts,
            rejected=self._locate_rejected(upload, fanlist, lines),
        )

    def _read(self, upload: ObjectInfo, formula: RankFormula) -> tuple[Fanlist, LineCounter]:
        lines = LineCounter()
        with closing(self.scoring.open(upload.key, etag=upload.etag)) as source:
            table = read_frames(lines.wrap(source), file=upload.key, required=REQUIRED_COLUMNS)
            frames = list(table.frames)
        try:
            return score_fanlist(table.columns, frames, formula), lines
        except BadInput as error:
            raise error.within(upload.key) from None

    def _locate_rejected(
        self, upload: ObjectInfo, fanlist: Fanlist, lines: LineCounter
    ) -> list[dict[str, Any]]:
        """Return each reason with the lines of its rows."""
        by_reason = fanlist.rejected_rows()
        if not by_reason:
            return []
        rows = [row for rows in by_reason.values() for row in rows]
        row_lines = lines.row_lines(fanlist.cells())
        line = find_lines(self._parse_lines(upload) if row_lines is None else row_lines, rows)
        return [
            {"reason": reason, "lines": [line[row] for row in rows]}
            for reason, rows in by_reason.items()
        ]

    def _parse_lines(self, upload: ObjectInfo) -> Iterator[int]:
        """Return the line of each row, by parsing the file again."""
        with closing(self.scoring.open(upload.key, etag=upload.etag)) as source:
            for row in read_rows(source, file=upload.key, required=REQUIRED_COLUMNS):
                yield row.line

    def _update_manifest(
        self, upload: ObjectInfo, fanlist_id: str, entries: Mapping[str, Any]
    ) -> None:
        """Add entries to the manifest, which runs for other files update as well."""
        key = layout.fanlist_manifest_key(fanlist_id)

        def add_entries(opener: Opener | None) -> Iterable[bytes]:
            files: dict[str, Any] = {}
            if opener is not None:
                with closing(opener()) as source:
                    files = parse_manifest(source.read(), file=key)
            # Check after the manifest was read, so no entry of a newer upload is replaced.
            require_latest(self.scoring, upload)
            return [dump_manifest({**files, **entries})]

        update_object(self.scoring, key, add_entries, attempts=MANIFEST_ATTEMPTS)


def _to_entries(records: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    for batch in records.iter_slices(_ROWS_PER_BATCH):
        for partition_key, line in batch.iter_rows():
            yield partition_key, line.encode()


def _report(counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
    zeros = {"in": 0, "out": 0, "rejected": 0, "duplicates": 0}
    return Report(worker=WORKER, counts={**zeros, **counts}, details=details)
