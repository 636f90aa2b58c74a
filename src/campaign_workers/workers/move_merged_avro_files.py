"""moveMergedAvroFiles: what a merged file contains leaves its folder.

Files go to the archive: copied, the copy verified, and only then deleted. Merged files of days go
when their month contains them, after their own sources were archived. Nothing else is touched,
and nothing at all unless the merged file is the very one that the manifest describes.
"""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final

import attrs

from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.running.events import QueueMessage
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.lake import Manifest, Source, day_of_merged, period_of_message
from campaign_workers.ports.object_store import ObjectStore

WORKER: Final = "moveMergedAvroFiles"

_DELETED_TOGETHER: Final = 500


@attrs.frozen(kw_only=True)
class MoveMergedAvroFiles:
    """Archive the sources of a merged file; `at_once` copies are under way at a time."""

    lake: ObjectStore
    at_once: int = 16

    parse = staticmethod(QueueMessage.parse)

    def __call__(self, message: QueueMessage) -> Report:
        """Move what the manifest of the one named period lists.

        Counts are files: in as listed, out moved now, duplicates moved earlier, and rejected those
        that are other versions than the merged ones and therefore stay.

        Raises:
            BadInput: the message does not name exactly one period.
            Fatal: there is no manifest, or no merged file, so that nothing may be deleted.
            RetryLater: the lake fails, a copy is not like its source, or the period was merged
                anew and its manifest is still to come.
        """
        period = period_of_message(message.body)
        tally = self._move(period)
        counts = {name: tally[name] for name in ("in", "out", "rejected", "duplicates")}
        return Report(worker=WORKER, counts=counts, details={"period": period})

    def _move(self, period: str) -> Counter[str]:
        manifest = self._manifest(period)
        lying = {info.key: info.etag for info in self.lake.list(layout.registration_prefix(period))}
        listed = [source for source in manifest.sources if source.key != manifest.merged.key]
        present = [source for source in listed if source.key in lying]
        merged = [source for source in present if source.etag == lying[source.key]]
        tally = Counter(
            {
                "in": len(listed),
                "out": len(merged),
                "rejected": len(present) - len(merged),
                "duplicates": len(listed) - len(present),
            }
        )
        if merged:
            self._require(manifest.merged)
        self._archive([source for source in merged if not day_of_merged(source.key)])
        for source in merged:
            if day := day_of_merged(source.key):
                tally += self._move(day)
                self.lake.delete([source.key])
        return tally

    def _manifest(self, period: str) -> Manifest:
        key = layout.merge_manifest_key(period)
        try:
            with closing(self.lake.open(key)) as source:
                return Manifest.parse(source.read(), file=key)
        except NotFound:
            raise Fatal(f"{key}: no manifest, nothing is moved") from None

    def _require(self, merged: Source) -> None:
        try:
            found = self.lake.head(merged.key)
        except NotFound:
            raise Fatal(f"{merged.key}: no merged file, nothing is moved") from None
        if found.etag != merged.etag:
            raise RetryLater(f"{merged.key}: merged anew, its manifest is still to come")

    def _archive(self, sources: Sequence[Source]) -> None:
        """Copy, verify and delete, some hundred at a time: a run that ends resumes there."""
        with ThreadPoolExecutor(self.at_once) as pool:
            for start in range(0, len(sources), _DELETED_TOGETHER):
                some = [source.key for source in sources[start : start + _DELETED_TOGETHER]]
                for _ in pool.map(self._copy, some):
                    pass
                self.lake.delete(some)

    def _copy(self, key: str) -> None:
        copy = self.lake.copy(key, layout.archived_key(key))
        if copy.size != self.lake.head(key).size or (
            self.lake.checksum(copy.key) != self.lake.checksum(key)
        ):
            raise RetryLater(f"{key}: its copy is not like it, nothing of it is deleted")
