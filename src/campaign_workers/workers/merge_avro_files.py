"""mergeAvroFiles: merge the registrations of a day or a month into one file.

The header of a merged file lists the versions it contains. That list decides what is merged, not
the manifest, which is written later: a run may end between the two. A run that finds nothing new
completes an earlier run: it writes the missing manifest and sends the missing move message.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Any, Final

import attrs

from campaign_workers.domain.errors import BadInput, Conflict, Fatal, NotFound, RetryLater
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.lake import (
    MAX_MERGED_BYTES,
    Manifest,
    SourceFile,
    build_move_message,
    build_sources_note,
    day_of_merged_key,
    last_month,
    month_of,
    parse_period,
    parse_sources_note,
    yesterday,
)
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.query_engine import QueryEngine
from campaign_workers.ports.record_codec import RecordCodec
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Clock
from campaign_workers.worker_library.objects import load, put_if_unchanged

WORKER: Final = "mergeAvroFiles"
REGISTRATION: Final = "registration"


@attrs.frozen(kw_only=True)
class MergeAvroFiles:
    """Merges the registrations of a period, and requests the move of the sources."""

    lake: ObjectStore
    engine: QueryEngine
    codec: RecordCodec
    moves: MessageQueue
    clock: Clock
    max_bytes: int = MAX_MERGED_BYTES

    def parse(self, payload: Mapping[str, Any]) -> str:
        """Return the period of `{"type": "daily" | "monthly"}` or `{"inputPrefix": ..}`.

        Raises:
            BadInput: the payload has no period.
        """
        today = self.clock.now().date()
        match payload:
            case {"inputPrefix": str(prefix)}:
                return parse_period(prefix)
            case {"type": "daily"}:
                return yesterday(today)
            case {"type": "monthly"}:
                return last_month(today)
        raise BadInput(
            "no period to merge",
            remedy='give {"type": "daily"}, {"type": "monthly"} or {"inputPrefix": "YYYY/MM/DD"}',
        )

    def __call__(self, period: str) -> Report:
        """Merge the registrations of a day (`2026/09/01`) or a month (`2026/09`).

        Counts are records: in of the sources merged now, out in the merged file.

        Raises:
            BadInput: a source is not an Avro file of registrations with a schema of the history,
                or the merged file would be too large.
            RetryLater: the lake or the engine fails, another run merges the same period, or the
                merged file of this day is already part of its month and not moved yet.
        """
        in_month = self._merged_into_month(period)
        folder = self._scan_folder(period).without(in_month)
        for earlier in (*map(self._scan_folder, folder.days), folder):
            self._complete(earlier, {})
        if folder.unmerged:
            self._refuse_unmoved_day(folder, in_month)
            records = self._merge(folder)
            return _report(period, records, "merged", files=len(folder.unmerged))
        has_files = folder.merged or folder.present
        return _report(period, 0, "nothing new" if has_files else "nothing there")

    def _scan_folder(self, period: str) -> "_Folder":
        """Return the files in the folder of a period, and which of them are merged."""
        listed = {
            info.key: info
            for info in self.lake.list(layout.registration_prefix(period))
            if not info.key.endswith("/")
        }
        merged = listed.pop(layout.merged_registrations_key(period), None)
        contained = self._contents(_source(merged), period) if merged else ()
        days = {day: info for key, info in listed.items() if (day := day_of_merged_key(key))}
        known = {source.version for source in contained}
        for day, info in days.items():
            merged_day = _source(info)
            contents = {source.version for source in self._contents(merged_day, day)}
            # A merged file from another tool lists only itself; it is not merged into the month.
            known |= contents - {merged_day.version}
        present = tuple(_source(info) for info in listed.values())
        return _Folder(
            period=period,
            merged=merged,
            contained=contained,
            present=frozenset(source.version for source in present),
            unmerged=tuple(source for source in present if source.version not in known),
            days=tuple(days),
        )

    def _merged_into_month(self, day: str) -> frozenset[tuple[str, str]]:
        """Return the versions that the month of a day contains, moved already or not."""
        if (month := month_of(day)) is None:
            return frozenset()
        try:
            merged = self.lake.head(layout.merged_registrations_key(month))
        except NotFound:
            return frozenset()
        return frozenset(s.version for s in self._contents(_source(merged), month))

    def _refuse_unmoved_day(self, day: "_Folder", in_month: Collection[tuple[str, str]]) -> None:
        """Refuse to merge a day again whose merged file its month contains.

        The new merged file would bring the same records into the month a second time.

        Raises:
            RetryLater: the merged file of the day is still to be moved.
        """
        if day.merged and _source(day.merged).version in in_month:
            month = month_of(day.period)
            assert month
            self._complete(self._scan_folder(month), {})
            raise RetryLater(
                f"{day.merged.key} is already merged into its month; retry after the move"
            )

    def _contents(self, merged: SourceFile, period: str) -> tuple[SourceFile, ...]:
        """Return the sources of a merged file; one from another tool is its own source."""
        with closing(self.lake.open(merged.key, etag=merged.etag)) as source:
            listed = parse_sources_note(self.codec.read_metadata(source), file=merged.key)
        if listed is not None:
            return listed
        manifest = self._manifest(period)
        is_described = manifest is not None and manifest.merged.version == merged.version
        return manifest.sources if manifest and is_described else (merged,)

    def _merge(self, folder: "_Folder") -> int:
        """Write the merged file atomically, and return the number of its records."""
        target = layout.merged_registrations_key(folder.period)
        contained = (*folder.contained, *folder.unmerged)
        base = [target] if folder.merged else []
        sources = [*base, *(source.key for source in folder.unmerged)]
        with self.engine.merge(REGISTRATION, sources, build_sources_note(contained)) as merge:
            merged = self._put(target, self._limit_size(merge.chunks()), folder.merged)
            counts = merge.counts()
        counted = {s.version: counts[s.key] for s in folder.unmerged if s.key in counts}
        self._complete(attrs.evolve(folder, merged=merged, contained=contained), counted)
        return sum(counts.values())

    def _put(self, key: str, body: Iterator[bytes], before: ObjectInfo | None) -> ObjectInfo:
        try:
            return put_if_unchanged(self.lake, key, body, before.etag if before else None)
        except Conflict:
            raise RetryLater(f"{key}: another run merged the same period") from None

    def _limit_size(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.max_bytes:
                raise BadInput(
                    f"the merged file would have more than {self.max_bytes} bytes",
                    remedy="merge by day, or raise the limit",
                )
            yield chunk

    def _complete(self, folder: "_Folder", counted: Mapping[tuple[str, str], int]) -> None:
        """Write the manifest if it is missing, and request the move of merged files still present.

        Raises:
            Fatal: the merged file and its sources differ in their number of records.
        """
        if folder.merged is None:
            return
        merged, before = _source(folder.merged), self._manifest(folder.period)
        if before is None or before.merged.version != merged.version:
            manifest = self._build_manifest(folder, merged, before, counted)
            if manifest.merged.records != sum(source.records or 0 for source in manifest.sources):
                raise Fatal(f"{merged.key}: not as many records as its sources; nothing is moved")
            self.lake.put(layout.merge_manifest_key(folder.period), manifest.to_bytes())
        if any(source.version in folder.present for source in folder.contained):
            self.moves.send([build_move_message(folder.period)])

    def _build_manifest(
        self,
        folder: "_Folder",
        merged: SourceFile,
        before: Manifest | None,
        counted: Mapping[tuple[str, str], int],
    ) -> Manifest:
        """Build the manifest; records were counted now or earlier, or are counted in the files."""
        earlier = before.sources if before else ()
        known = {s.version: s.records for s in earlier if s.records is not None} | dict(counted)
        return Manifest(
            period=folder.period,
            merged=attrs.evolve(merged, records=self._count(merged.key)),
            sources=tuple(
                attrs.evolve(source, records=known[source.version])
                if source.version in known
                else attrs.evolve(source, records=self._count(source.key))
                for source in folder.contained
            ),
        )

    def _count(self, key: str) -> int:
        with closing(self.lake.open(key)) as source:
            return self.codec.describe(source).records

    def _manifest(self, period: str) -> Manifest | None:
        return load(self.lake, layout.merge_manifest_key(period), Manifest.parse)


@attrs.frozen(kw_only=True)
class _Folder:
    """The files in the folder of a period.

    `contained` are the sources of the merged file. `present` are the versions of all other files,
    `unmerged` those of them that are in no merged file, and `days` the days of a month that have
    merged files.
    """

    period: str
    merged: ObjectInfo | None
    contained: tuple[SourceFile, ...]
    unmerged: tuple[SourceFile, ...]
    present: frozenset[tuple[str, str]]
    days: tuple[str, ...]

    def without(self, known: Collection[tuple[str, str]]) -> "_Folder":
        """Return the folder without unmerged files that are merged elsewhere."""
        unmerged = tuple(source for source in self.unmerged if source.version not in known)
        return attrs.evolve(self, unmerged=unmerged)


def _source(info: ObjectInfo) -> SourceFile:
    return SourceFile(key=info.key, size=info.size, etag=info.etag)


def _report(period: str, records: int, outcome: str, *, files: int = 0) -> Report:
    counts = {"in": records, "out": records, "rejected": 0, "duplicates": 0}
    details = {"period": period, "outcome": outcome, "files": files}
    return Report(worker=WORKER, counts=counts, details=details)
