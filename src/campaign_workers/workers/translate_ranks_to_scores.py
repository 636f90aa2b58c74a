"""translateRanksToScores: a fan club's ranks become scores on the stream.

Records first, then the scored copy, and the manifest last: whoever finds a file in the manifest
finds all the rest. The records' keys follow from their content, so that a file that is translated
again adds copies and nothing else.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.csv.frames import read_frames, write_frames
from campaign_workers.domain.csv.lines import LineCounter, find_lines
from campaign_workers.domain.csv.rows import read_rows
from campaign_workers.domain.errors import BadInput, Conflict, NotFound, RetryLater
from campaign_workers.domain.fanlists import (
    REQUIRED_COLUMNS,
    Fanlist,
    manifest_entry,
    refused_entry,
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
from campaign_workers.worker_library.objects import is_replaced, require_latest, unless_replaced

WORKER: Final = "translateRanksToScores"
LARGEST: Final = 256 * 1024 * 1024
"""Bytes of a fan list; it is held in memory as a whole."""

MANIFEST_TRIES: Final = 8
_ROWS_AT_ONCE: Final = 50_000


@attrs.frozen(kw_only=True)
class TranslateRanksToScores:
    """Score the ranks of a fan list by the campaign's formula."""

    scoring: ObjectStore
    campaigns: CampaignService
    ranks: RecordStream
    clock: Clock
    largest: int = LARGEST

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Translate the very version that was uploaded; in = out + rejected + duplicates (rows).

        A key that is not of the form is counted as rejected; a version that was replaced since, or
        is replaced meanwhile, is left to the event of the newer one.

        Raises:
            BadInput: the file cannot be read, or the campaign's scoring type is none; the
                manifest says so too.
            NotFound: there is no such file, or no such campaign.
            RetryLater: the bucket, the service or the stream fails.
        """
        try:
            fanlist_id, name = layout.parse_fanlist_key(event.key)
        except BadInput as why:
            return _report({"in": 1, "rejected": 1}, {"key": event.key, "refused": why.problem})
        upload = self.scoring.head(event.key)
        superseded = _report({}, {"key": event.key, "superseded": True})
        if event.etag not in {None, upload.etag}:
            return superseded
        try:
            entry = self._noted(upload, fanlist_id, name)
        except Conflict:
            if is_replaced(self.scoring, upload):
                return superseded
            raise
        return _report(
            entry["count"],
            {
                "key": event.key,
                "scored": entry["scored"],
                "scoringType": entry["scoringType"],
                "rejected": {each["reason"]: len(each["lines"]) for each in entry["rejected"]},
            },
        )

    def _noted(self, upload: ObjectInfo, fanlist_id: str, name: str) -> dict[str, Any]:
        """Translate an upload; what became of it stands in the manifest."""
        try:
            entry = self._translate(upload, fanlist_id, name)
        except BadInput as why:
            self._note(upload, fanlist_id, name, refused_entry(upload.etag, str(why)))
            raise
        self._note(upload, fanlist_id, name, entry)
        return entry

    def _translate(self, upload: ObjectInfo, fanlist_id: str, name: str) -> dict[str, Any]:
        if upload.size > self.largest:
            raise BadInput(
                f"more than {self.largest} bytes", file=upload.key, remedy="split the file"
            )
        campaign = self.campaigns.campaign(fanlist_id)
        formula = RankFormula.parse(campaign.scoring_type, campaign.half_life)
        fanlist, lines = self._read(upload, formula)
        # Before the time of the records, so that those of a later version are later.
        require_latest(self.scoring, upload)
        self.ranks.put(_entries(fanlist.records(fanlist_id, self.clock.now())))
        scored = layout.fanlist_scored_key(fanlist_id, name)
        columns, rows = fanlist.scored()
        file = write_frames(columns, rows.iter_slices(_ROWS_AT_ONCE))
        self.scoring.put(scored, unless_replaced(self.scoring, upload, file))
        return manifest_entry(
            etag=upload.etag,
            formula=formula,
            scored=scored,
            counts=fanlist.counts,
            rejected=self._rejected(upload, fanlist, lines),
        )

    def _read(self, upload: ObjectInfo, formula: RankFormula) -> tuple[Fanlist, LineCounter]:
        lines = LineCounter()
        with closing(self.scoring.open(upload.key, etag=upload.etag)) as source:
            table = read_frames(lines.wrap(source), file=upload.key, required=REQUIRED_COLUMNS)
            frames = list(table.frames)
        try:
            return score_fanlist(table.columns, frames, formula), lines
        except BadInput as why:
            raise why.within(upload.key) from None

    def _rejected(
        self, upload: ObjectInfo, fanlist: Fanlist, lines: LineCounter
    ) -> list[dict[str, Any]]:
        """Reasons, each with the lines of its rows."""
        by_reason = fanlist.rejected_rows()
        if not by_reason:
            return []
        wanted = [row for rows in by_reason.values() for row in rows]
        starts = lines.row_lines(fanlist.cells())
        line = find_lines(self._counted(upload) if starts is None else starts, wanted)
        return [
            {"reason": reason, "lines": [line[row] for row in rows]}
            for reason, rows in by_reason.items()
        ]

    def _counted(self, upload: ObjectInfo) -> Iterator[int]:
        with closing(self.scoring.open(upload.key, etag=upload.etag)) as source:
            for row in read_rows(source, file=upload.key, required=REQUIRED_COLUMNS):
                yield row.line

    def _note(
        self, upload: ObjectInfo, fanlist_id: str, name: str, entry: Mapping[str, Any]
    ) -> None:
        """Write a file's entry into the manifest, which other files' runs write as well."""
        key = layout.fanlist_manifest_key(fanlist_id)
        for _ in range(MANIFEST_TRIES):
            try:
                files, version = self._manifest(key)
            except Conflict:
                continue
            # After the manifest was read, so that an entry of a later version is not written over.
            require_latest(self.scoring, upload)
            content = {"files": dict(sorted({**files, f"{name}.csv": entry}.items()))}
            body = f"{json.dumps(content, indent=1, ensure_ascii=False)}\n".encode()
            with contextlib.suppress(Conflict):
                self.scoring.put(key, body, if_absent=version is None, if_match=version)
                return
        raise RetryLater(f"{key}: others keep writing it")

    def _manifest(self, key: str) -> tuple[dict[str, Any], str | None]:
        try:
            version = self.scoring.head(key).etag
            with closing(self.scoring.open(key, etag=version)) as source:
                return dict(json.loads(source.read())["files"]), version
        except NotFound:
            return {}, None
        except (ValueError, TypeError, KeyError):
            raise BadInput("not a manifest", file=key, remedy="delete it") from None


def _entries(records: pl.DataFrame) -> Iterator[tuple[str, bytes]]:
    for some in records.iter_slices(_ROWS_AT_ONCE):
        for partition_key, line in some.iter_rows():
            yield partition_key, line.encode()


def _report(counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
    every = {"in": 0, "out": 0, "rejected": 0, "duplicates": 0}
    return Report(worker=WORKER, counts={**every, **counts}, details=details)
