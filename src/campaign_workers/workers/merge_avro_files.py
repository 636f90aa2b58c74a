"""mergeAvroFiles: the registrations of a day or a month become one file.

Whether a file is merged already is decided by what the merged file says of itself, never by the
manifest alone: the two are written one after the other, and a run may end in between. A run that
finds nothing new completes what an earlier one left undone: the manifest and the move message.
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
    """Merge the registrations of a period, and ask for the sources to be moved."""

    lake: ObjectStore
    engine: QueryEngine
    codec: RecordCodec
    moves: MessageQueue
    clock: Clock
    largest: int = MAX_MERGED_BYTES

    def parse(self, payload: Mapping[str, Any]) -> str:
        """Return the period that `{"type": "daily" | "monthly"}` or `{"inputPrefix": ..}` names.

        Raises:
            BadInput: the payload names no period.
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

        Counts are records: in of the files that were merged now, out in the merged file.

        Raises:
            BadInput: a source is no container of registrations with a schema of the history; or
                the merged file would be too large.
            RetryLater: the lake or the engine fails, somebody else merges the same period, or its
                month has the merged file already, which has yet to be moved.
        """
        taken = self._of_month(period)
        folder = self._survey(period).without(taken)
        for begun in (*map(self._survey, folder.days), folder):
            self._complete(begun, {})
        if folder.unmerged:
            self._require_moved(folder, taken)
            records = self._merge(folder)
            return _report(period, records, "merged", files=len(folder.unmerged))
        is_known = folder.merged or folder.lying
        return _report(period, 0, "nothing new" if is_known else "nothing there")

    def _survey(self, period: str) -> "_Folder":
        """What lies in the folder of a period, and what of it is merged already."""
        listed = {
            info.key: info
            for info in self.lake.list(layout.registration_prefix(period))
            if not info.key.endswith("/")
        }
        merged = listed.pop(layout.merged_registrations_key(period), None)
        contained = self._contained(_source(merged), period) if merged else ()
        days = {day: info for key, info in listed.items() if (day := day_of_merged_key(key))}
        known = {source.version for source in contained}
        for day, info in days.items():
            merged_day = _source(info)
            contains = {source.version for source in self._contained(merged_day, day)}
            # One that we did not write contains itself, and still is no part of the month.
            known |= contains - {merged_day.version}
        lying = tuple(_source(info) for info in listed.values())
        return _Folder(
            period=period,
            merged=merged,
            contained=contained,
            lying=frozenset(source.version for source in lying),
            unmerged=tuple(source for source in lying if source.version not in known),
            days=tuple(days),
        )

    def _of_month(self, day: str) -> frozenset[tuple[str, str]]:
        """What the month of a day has merged already, also what still lies in the day's folder."""
        if (month := month_of(day)) is None:
            return frozenset()
        try:
            merged = self.lake.head(layout.merged_registrations_key(month))
        except NotFound:
            return frozenset()
        return frozenset(s.version for s in self._contained(_source(merged), month))

    def _require_moved(self, day: "_Folder", taken: Collection[tuple[str, str]]) -> None:
        """Merged anew, a day's merged file would bring to the month what that has already."""
        if day.merged and _source(day.merged).version in taken:
            month = month_of(day.period)
            assert month
            self._complete(self._survey(month), {})
            raise RetryLater(f"{day.merged.key}: its month has it, and has yet to move it away")

    def _contained(self, merged: SourceFile, period: str) -> tuple[SourceFile, ...]:
        """What a merged file contains; a foreign one that does not say so contains itself."""
        with closing(self.lake.open(merged.key, etag=merged.etag)) as source:
            noted = parse_sources_note(self.codec.read_metadata(source), file=merged.key)
        if noted is not None:
            return noted
        manifest = self._manifest(period)
        described = manifest is not None and manifest.merged.version == merged.version
        return manifest.sources if manifest and described else (merged,)

    def _merge(self, folder: "_Folder") -> int:
        """Write the merged file, whole or not at all, and return how many records it has."""
        target = layout.merged_registrations_key(folder.period)
        contained = (*folder.contained, *folder.unmerged)
        base = [target] if folder.merged else []
        sources = [*base, *(source.key for source in folder.unmerged)]
        with self.engine.merge(REGISTRATION, sources, build_sources_note(contained)) as merge:
            merged = self._put(target, self._bounded(merge.chunks()), folder.merged)
            counts = merge.counts()
        counted = {s.version: counts[s.key] for s in folder.unmerged if s.key in counts}
        self._complete(attrs.evolve(folder, merged=merged, contained=contained), counted)
        return sum(counts.values())

    def _put(self, key: str, body: Iterator[bytes], before: ObjectInfo | None) -> ObjectInfo:
        try:
            return put_if_unchanged(self.lake, key, body, before.etag if before else None)
        except Conflict:
            raise RetryLater("somebody else merged the same period meanwhile") from None

    def _bounded(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > self.largest:
                raise BadInput(
                    f"the merged file would have more than {self.largest} bytes",
                    remedy="merge by day, or raise the limit",
                )
            yield chunk

    def _complete(self, folder: "_Folder", counted: Mapping[tuple[str, str], int]) -> None:
        """Write the manifest, then ask for what is merged and still lies there to be moved.

        Raises:
            Fatal: the merged file has not as many records as what it contains.
        """
        if folder.merged is None:
            return
        merged, before = _source(folder.merged), self._manifest(folder.period)
        if before is None or before.merged.version != merged.version:
            manifest = self._described(folder, merged, before, counted)
            if manifest.merged.records != sum(source.records or 0 for source in manifest.sources):
                raise Fatal(f"{merged.key}: not as many records as its sources; nothing is moved")
            self.lake.put(layout.merge_manifest_key(folder.period), manifest.to_bytes())
        if any(source.version in folder.lying for source in folder.contained):
            self.moves.send([build_move_message(folder.period)])

    def _described(
        self,
        folder: "_Folder",
        merged: SourceFile,
        before: Manifest | None,
        counted: Mapping[tuple[str, str], int],
    ) -> Manifest:
        """The manifest, with records as counted now, earlier, or else in the files themselves."""
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
    """What lies in the folder of a period.

    `contained` is in the merged file already; of the files besides it, `unmerged` are in no
    merged file and `lying` are the versions of all; `days` of a month have merged files.
    """

    period: str
    merged: ObjectInfo | None
    contained: tuple[SourceFile, ...]
    unmerged: tuple[SourceFile, ...]
    lying: frozenset[tuple[str, str]]
    days: tuple[str, ...]

    def without(self, known: Collection[tuple[str, str]]) -> "_Folder":
        """The folder when what is `known` is merged elsewhere."""
        unmerged = tuple(source for source in self.unmerged if source.version not in known)
        return attrs.evolve(self, unmerged=unmerged)


def _source(info: ObjectInfo) -> SourceFile:
    return SourceFile(key=info.key, size=info.size, etag=info.etag)


def _report(period: str, records: int, outcome: str, *, files: int = 0) -> Report:
    counts = {"in": records, "out": records, "rejected": 0, "duplicates": 0}
    details = {"period": period, "outcome": outcome, "files": files}
    return Report(worker=WORKER, counts=counts, details=details)
