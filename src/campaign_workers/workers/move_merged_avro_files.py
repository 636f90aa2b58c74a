"""moveMergedAvroFiles: archive the files that a merged file contains.

A file is copied to the archive, the copy verified, and only then the file deleted. Merged files of
days are deleted once their month contains them, after their own sources were archived. Other files
are never touched, and none at all unless the merged file is the version that the manifest
describes.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.running.events import QueueMessage
from campaign_workers.domain.running.reports import Report, Tally
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.lake import (
    Manifest,
    SourceFile,
    day_of_merged_key,
    parse_move_message,
)
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.worker_library.iteration import batches, map_in_order
from campaign_workers.worker_library.objects import load

WORKER: Final = "moveMergedAvroFiles"

_DELETE_BATCH: Final = 500


@attrs.frozen(kw_only=True)
class MoveMergedAvroFiles:
    """Archives the sources of a merged file, with up to `at_once` concurrent copies."""

    lake: ObjectStore
    at_once: int = 16

    parse = staticmethod(QueueMessage.parse)

    def __call__(self, message: QueueMessage) -> Report:
        """Move the files that the manifest of the period in the message lists.

        Counts are files: in are listed, out moved now, duplicates moved earlier, and rejected are
        other versions than the merged ones, which stay.

        Raises:
            BadInput: the message does not name exactly one period.
            Fatal: there is no manifest or no merged file, so nothing may be deleted.
            RetryLater: the lake fails, a copy differs from its source, or the period was merged
                again and its manifest is not written yet.
        """
        period = parse_move_message(message.body)
        tally = Tally(WORKER)
        self._move(period, tally)
        return tally.report({"period": period})

    def _move(self, period: str, tally: Tally) -> None:
        manifest = self._manifest(period)
        etags = {info.key: info.etag for info in self.lake.list(layout.registration_prefix(period))}
        listed = [source for source in manifest.sources if source.key != manifest.merged.key]
        present = [source for source in listed if source.key in etags]
        merged = [source for source in present if source.etag == etags[source.key]]
        tally.add("in", len(listed))
        tally.add("out", len(merged))
        tally.add("rejected", len(present) - len(merged))
        tally.add("duplicates", len(listed) - len(present))
        if merged:
            self._check_merged(manifest.merged)
        self._archive([source for source in merged if not day_of_merged_key(source.key)])
        for source in merged:
            if day := day_of_merged_key(source.key):
                self._move(day, tally)
                self.lake.delete([source.key])

    def _manifest(self, period: str) -> Manifest:
        key = layout.merge_manifest_key(period)
        manifest = load(self.lake, key, Manifest.parse)
        if manifest is None:
            raise Fatal(f"{key}: no manifest; nothing is moved")
        return manifest

    def _check_merged(self, merged: SourceFile) -> None:
        """Check that the merged file is still the version that the manifest describes.

        Raises:
            Fatal: there is no merged file.
            RetryLater: it is another version.
        """
        try:
            current = self.lake.head(merged.key)
        except NotFound:
            raise Fatal(f"{merged.key}: no merged file; nothing is moved") from None
        if current.etag != merged.etag:
            raise RetryLater(f"{merged.key}: merged again, and its manifest is not written yet")

    def _archive(self, sources: Sequence[SourceFile]) -> None:
        """Copy, verify and delete in batches, so that a retry resumes after the last batch."""
        for keys in batches((source.key for source in sources), _DELETE_BATCH):
            for _ in map_in_order(self._copy, keys, threads=self.at_once):
                pass
            self.lake.delete(keys)

    def _copy(self, key: str) -> None:
        copy = self.lake.copy(key, layout.archived_key(key))
        if copy.size != self.lake.head(key).size or (
            self.lake.checksum(copy.key) != self.lake.checksum(key)
        ):
            raise RetryLater(f"{key}: copy verification failed (size or checksum); source kept")
