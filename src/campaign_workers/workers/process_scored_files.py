"""processScoredFiles: scrub an upload of scored fans and put a record for each of them.

The upload is read once, frame by frame. Its normalised rows are spooled to temporary files; then
the campaigns that occur, their lists and their seeds are loaded; then the rows are tagged, and
duplicates are resolved over all of them. The scrubbed rows are spooled again, and written as the
scrubbed file and as records. Memory grows by a few bytes a row.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs
import polars as pl
from disposable_email_domains import blocklist as disposable_domains

from campaign_workers.domain.csv.frames import read_frames, write_frames
from campaign_workers.domain.errors import BadInput, NotFound, PermanentFailure
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.scrub.duplicates import DEDUP_COLUMNS, resolve_duplicates
from campaign_workers.domain.scrub.policy import (
    MAX_LIST_BYTES,
    ScrubPolicy,
    parse_allowlist,
    parse_list,
)
from campaign_workers.domain.scrub.scored_files import (
    DELIMITER,
    RECORD_COLUMNS,
    REQUIRED,
    CampaignScrub,
    CampaignScrubs,
    CampaignStatistics,
    add_statistics,
    campaign_in_name,
    check_campaign_id,
    count_by_campaign,
    count_records,
    file_rows,
    first_rows,
    parse_fans,
    scoring_records,
    scrub_fans,
    scrubbed_columns,
    statistics_message,
    tag_fans,
    unknown_campaign,
)
from campaign_workers.domain.scrub.scrubbing import TAG_COLUMNS, normalise_fans
from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import CampaignId
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Clock, Secrets
from campaign_workers.worker_library.iteration import map_in_order
from campaign_workers.worker_library.objects import process_upload, read_object, unless_replaced

WORKER: Final = "processScoredFiles"
SOURCE: Final = "scored"

BLOCK_BYTES: Final = 8 * 1024 * 1024
"""Bytes of the upload that become one frame."""

MAX_CONCURRENT_FRAMES: Final = 2

FRAMES_IN_MEMORY: Final = 2
"""Frames that are spooled without a file; small uploads need no more."""

_map: Final = partial(map_in_order, threads=MAX_CONCURRENT_FRAMES)


@attrs.frozen(kw_only=True)
class ProcessScoredFiles:
    """Scrub an upload of scored fans; `spool_dir` holds temporary files while it runs."""

    scoring: ObjectStore
    scorings: RecordStream
    campaigns: CampaignService
    secrets: Secrets
    chat: Chat
    clock: Clock
    spool_dir: Path | None = None
    max_list_bytes: int = MAX_LIST_BYTES
    block_bytes: int = BLOCK_BYTES

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Scrub exactly the version that was uploaded; in = out + rejected + duplicates (rows).

        Rows without an id are rejected: they are in the scrubbed file, but get no record. A key
        of another form is counted as rejected. A version that has been replaced, or is replaced
        while it is read, is left to the event of the newer one.

        Raises:
            BadInput: the file or a list cannot be read, the file has no rows, or a row has no
                campaign or an unknown one. Nothing is written then.
            NotFound: there is no such file, or a campaign has no lottery seed.
            RetryLater: the bucket, the stream, a service or the chat fails.
        """
        try:
            name = layout.parse_scored_key(event.key)
        except BadInput as error:
            return _report({"in": 1, "rejected": 1}, {"key": event.key, "refused": error.problem})
        report = process_upload(self.scoring, event, lambda upload: self._scrub(upload, name))
        return report or _report({}, {"key": event.key, "superseded": True})

    def _scrub(self, upload: ObjectInfo, name: str) -> Report:
        with TemporaryDirectory(
            prefix="scrub-", dir=self.spool_dir, ignore_cleanup_errors=True
        ) as folder:
            columns, fans, campaigns = self._read(upload, name, Path(folder, "fans"))
            scrubs = self._load_scrubs(upload.key, campaigns)
            scrubbed, statistics = _scrub_spooled(fans, scrubs, Path(folder, "scrubbed"))
            file = self._put_file(scrubbed, columns, upload, layout.scrubbed_key(name))
            records = self._put_records(scrubbed)
        statistics = add_statistics([statistics, records])
        refused = self._post(statistics, scrubs, upload.key)
        return self._count(
            statistics, {"key": upload.key, "scrubbed": file.key, "unheard": refused}
        )

    def _read(
        self, upload: ObjectInfo, name: str, folder: Path
    ) -> tuple[tuple[str, ...], "FrameSpool", dict[str, int]]:
        """Return the scrubbed file's columns, the fans, and the first row of each campaign."""
        spool, rows = FrameSpool(folder), 0
        campaigns: dict[str, int] = {}
        with closing(self.scoring.open(upload.key, etag=upload.etag)) as source:
            table = read_frames(
                source,
                file=upload.key,
                required=REQUIRED,
                delimiter=DELIMITER,
                block=self.block_bytes,
            )
            columns = scrubbed_columns(table.columns, file=upload.key)
            normalise = partial(_normalise_rows, campaign_id=campaign_in_name(name))
            for fans in _map(normalise, table.frames):
                campaigns = first_rows(fans, offset=rows) | campaigns
                rows += fans.height
                spool.append(fans)
        if rows == 0:
            raise BadInput("expected rows below the header, got none", file=upload.key)
        return columns, spool, campaigns

    def _load_scrubs(self, file: str, campaigns: Mapping[str, int]) -> CampaignScrubs:
        """Load the campaigns of a file, given the first row of each, with lists and seeds."""
        scrubs: dict[CampaignId, CampaignScrub] = {}
        for name, row in sorted(campaigns.items(), key=lambda campaign: campaign[1]):
            campaign_id = check_campaign_id(name, file=file, row=row)
            try:
                campaign = self.campaigns.campaign(campaign_id)
            except NotFound:
                raise unknown_campaign(file=file, row=row) from None
            policy = self._load_policy(campaign_id, allow_intl_phones=campaign.allow_intl_phones)
            scrubs[campaign_id] = CampaignScrub(campaign=campaign, policy=policy)
        return scrubs

    def _load_policy(self, campaign_id: CampaignId, *, allow_intl_phones: bool) -> ScrubPolicy:
        emails, domains = (
            [
                entry
                for key in layout.blocklist_keys(kind, campaign_id)
                for entry in self._load_list(key)
            ]
            for kind in ("emails", "domains")
        )
        patterns = [
            pattern
            for key in layout.allowlist_keys(campaign_id)
            for pattern in self._load_patterns(key)
        ]
        return ScrubPolicy(
            blocked_emails=frozenset(emails),
            blocked_domains=disposable_domains.union(domains),
            allowed_patterns=tuple(patterns),
            allow_intl_phones=allow_intl_phones,
            lottery_seed=self.secrets.read(seed_secret_name(campaign_id)),
        )

    def _load_list(self, key: str) -> Iterable[str]:
        entries = parse_list(self._read_list(key), file=key, max_bytes=self.max_list_bytes)
        return entries.values()

    def _load_patterns(self, key: str) -> tuple[str, ...]:
        return parse_allowlist(self._read_list(key), file=key, max_bytes=self.max_list_bytes)

    def _read_list(self, key: str) -> bytes:
        return read_object(self.scoring, key, limit=self.max_list_bytes + 1) or b""

    def _put_file(
        self, scrubbed: "FrameSpool", columns: Sequence[str], upload: ObjectInfo, key: str
    ) -> ObjectInfo:
        frames = (file_rows(fans, columns) for fans in scrubbed.frames())
        return self.scoring.put(
            key, unless_replaced(self.scoring, upload, write_frames(columns, frames))
        )

    def _put_records(self, scrubbed: "FrameSpool") -> CampaignStatistics:
        # `_put_file` has just checked that the upload was not replaced. Taken after that check,
        # the time of a newer upload's records is later.
        created = self.clock.now()
        encode = partial(scoring_records, source=SOURCE, created=created)
        statistics: CampaignStatistics = {}
        for records in _map(encode, scrubbed.frames(RECORD_COLUMNS)):
            keys, lines = (records[name].to_list() for name in ("partition_key", "data"))
            self.scorings.put(zip(keys, lines, strict=True))
            statistics = add_statistics([statistics, count_records(records)])
        return statistics

    def _post(self, statistics: CampaignStatistics, scrubs: CampaignScrubs, file: str) -> list[str]:
        """Post the statistics to each campaign's channels; return the channels that refuse them."""
        refused = []
        for campaign_id, scrub in scrubs.items():
            message = statistics_message(scrub.campaign, statistics[campaign_id], file)
            for channel in dict.fromkeys(scrub.campaign.stats_channels):
                try:
                    self.chat.post(channel, message.text, message.blocks)
                except PermanentFailure:
                    refused.append(channel)
        return refused

    def _count(self, statistics: CampaignStatistics, details: Mapping[str, Any]) -> Report:
        campaigns = {name: counts.to_json() for name, counts in statistics.items()}
        counts = {
            name: sum(campaign[name] for campaign in campaigns.values())
            for name in ("in", "out", "rejected")
        }
        return _report(counts, {**details, "campaigns": campaigns})


def _normalise_rows(rows: pl.DataFrame, campaign_id: str) -> pl.DataFrame:
    return normalise_fans(parse_fans(rows, campaign_id))


def _scrub_spooled(
    fans: "FrameSpool", scrubs: CampaignScrubs, folder: Path
) -> tuple["FrameSpool", CampaignStatistics]:
    """Return the scrubbed fans, and the statistics of their campaigns without the records."""
    tag = partial(tag_fans, scrubs=scrubs)
    tags = list(_map(tag, fans.frames(TAG_COLUMNS)))
    tags = resolve_duplicates(lambda: fans.frames(DEDUP_COLUMNS), tags)

    def scrub(some: tuple[pl.DataFrame, pl.Series]) -> tuple[pl.DataFrame, CampaignStatistics]:
        scrubbed = scrub_fans(*some, scrubs)
        return scrubbed, count_by_campaign(scrubbed, scrubs)

    spool = FrameSpool(folder)
    statistics: CampaignStatistics = {}
    for scrubbed, counts in _map(scrub, zip(fans.drain(), tags, strict=True)):
        spool.append(scrubbed)
        statistics = add_statistics([statistics, counts])
    return spool, statistics


class FrameSpool:
    """Frames of one schema that are read in their order; most are held in temporary files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._frames: list[pl.DataFrame | Path] = []
        folder.mkdir()

    def append(self, frame: pl.DataFrame) -> None:
        """Add a frame."""
        if len(self._frames) < FRAMES_IN_MEMORY:
            self._frames.append(frame)
            return
        file = self._folder / f"{len(self._frames)}.arrow"
        frame.write_ipc(file)
        self._frames.append(file)

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Return each frame; with `columns`, only those of them that the frames have."""
        for frame in self._frames:
            yield _load_frame(frame, columns)

    def drain(self) -> Iterator[pl.DataFrame]:
        """Return each frame and remove it, so that its space is free for others."""
        while self._frames:
            frame = self._frames.pop(0)
            yield _load_frame(frame)
            if isinstance(frame, Path):
                frame.unlink()


def _load_frame(frame: pl.DataFrame | Path, columns: Sequence[str] | None = None) -> pl.DataFrame:
    if columns is None:
        return pl.read_ipc(frame) if isinstance(frame, Path) else frame
    if isinstance(frame, pl.DataFrame):
        return frame.select(name for name in columns if name in frame.columns)
    present = pl.read_ipc_schema(frame)
    return pl.read_ipc(frame, columns=[name for name in columns if name in present])


def _report(counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
    zeros = {"in": 0, "out": 0, "rejected": 0, "duplicates": 0}
    return Report(worker=WORKER, counts={**zeros, **counts}, details=details)
