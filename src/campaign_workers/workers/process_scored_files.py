"""processScoredFiles: who may take part in the draw, and why not.

The upload is read once. Its rows, normalised and marked with what each shows by itself, are
spooled; which of several rows of a fan or of a phone stays is decided among all of them; then the
spool is written out, as the scrubbed file and as records. Memory grows by a few bytes a row.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self, TypeVar

import attrs
import polars as pl
from disposable_email_domains import blocklist as disposable_domains

from campaign_workers.domain.csv.frames import read_frames, write_frames
from campaign_workers.domain.errors import BadInput, Conflict, NotFound, PermanentFailure
from campaign_workers.domain.lottery import seed_secret_name
from campaign_workers.domain.running.events import ObjectCreated
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.scrub.duplicates import DECISIVE, Competition
from campaign_workers.domain.scrub.policy import (
    LARGEST,
    ScrubPolicy,
    allowed_patterns,
    list_entries,
)
from campaign_workers.domain.scrub.scored_files import (
    DELIMITER,
    REQUIRED,
    Rulebook,
    Rules,
    campaign_in_name,
    scoring_records,
    scrubbed_columns,
    scrubbed_rows,
)
from campaign_workers.domain.scrub.scrubbing import finished
from campaign_workers.domain.scrub.statistics import statistics_message
from campaign_workers.domain.storage import layout
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.chat import Chat
from campaign_workers.ports.object_store import ObjectInfo, ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Clock, Secrets
from campaign_workers.worker_library.objects import is_replaced, unless_replaced

WORKER: Final = "processScoredFiles"
SOURCE: Final = "scored"

BLOCK: Final = 8 * 1024 * 1024
"""Bytes of the upload that are scrubbed at a time."""

AT_ONCE: Final = 2
"""Frames that are worked on at the same time."""

KEPT_IN_MEMORY: Final = 2
"""Frames that are spooled without a file; small uploads need no more."""

_In = TypeVar("_In")
_Out = TypeVar("_Out")


@attrs.frozen(kw_only=True)
class ProcessScoredFiles:
    """Scrub an upload of scored fans; `spool_dir` takes temporary files while it runs."""

    scoring: ObjectStore
    scorings: RecordStream
    campaigns: CampaignService
    secrets: Secrets
    chat: Chat
    clock: Clock
    spool_dir: Path | None = None
    largest_list: int = LARGEST
    block: int = BLOCK

    parse = staticmethod(ObjectCreated.parse)

    def __call__(self, event: ObjectCreated) -> Report:
        """Scrub the very version that was uploaded; in = out + rejected + duplicates (rows).

        Rows without an id are rejected: they are in the scrubbed file, but no record is put.
        A key that is not of the form is counted as rejected; a version that was replaced since, or
        is replaced while it is read, is left to the event of the newer one.

        Raises:
            BadInput: the file or a list cannot be read, it has no rows, or a row names no campaign
                or an unknown one. Nothing is written then.
            NotFound: there is no such file, or a campaign has no lottery seed.
            RetryLater: the bucket, the stream, a service or the chat fails.
        """
        try:
            name = layout.parse_scored_key(event.key)
        except BadInput as why:
            return _report({"in": 1, "rejected": 1}, {"key": event.key, "refused": why.problem})
        upload = self.scoring.head(event.key)
        superseded = _report({}, {"key": event.key, "superseded": True})
        if event.etag not in {None, upload.etag}:
            return superseded
        try:
            return self._scrub(upload, name)
        except Conflict:
            if is_replaced(self.scoring, upload):
                return superseded
            raise

    def _scrub(self, upload: ObjectInfo, name: str) -> Report:
        with Spool(self.spool_dir) as spool:
            rules = Rulebook(upload.key, campaign_in_name(name), self._rules)
            columns, competition = self._read(upload.key, upload.etag, rules, spool)
            outcome = _Outcome(columns, competition, rules, spool)
            file = unless_replaced(self.scoring, upload, outcome.file())
            scrubbed = self.scoring.put(layout.scrubbed_key(name), file)
            # The time comes after that look, so that records of a later version are later.
            self.scorings.put(outcome.records(self.clock.now()))
        unheard = self._tell(rules)
        return self._account(rules, {"scrubbed": scrubbed.key, "unheard": unheard})

    def _read(
        self, key: str, etag: str, rules: Rulebook, spool: "Spool"
    ) -> tuple[tuple[str, ...], Competition]:
        """Spool the examined rows and let them compete; the columns of the scrubbed file."""
        competition = Competition()
        with closing(self.scoring.open(key, etag=etag)) as source:
            table = read_frames(
                source, file=key, required=REQUIRED, delimiter=DELIMITER, block=self.block
            )
            columns = scrubbed_columns(table.columns, file=key)
            for rows in in_order(rules.examined, map(rules.fans, table.frames)):
                competition.enter(rows)
                spool.append(rows)
        if rules.rows == 0:
            raise BadInput("no rows below the header", file=key)
        competition.settle(lambda: spool.frames(DECISIVE))
        return columns, competition

    def _rules(self, campaign_id: str) -> Rules | None:
        try:
            campaign = self.campaigns.campaign(campaign_id)
        except NotFound:
            return None
        emails, domains = (
            [
                entry
                for key in layout.blocklist_keys(kind, campaign_id)
                for entry in self._entries(key)
            ]
            for kind in ("emails", "domains")
        )
        patterns = [
            pattern
            for key in layout.allowlist_keys(campaign_id)
            for pattern in allowed_patterns(self._list(key), file=key, largest=self.largest_list)
        ]
        policy = ScrubPolicy(
            blocked_emails=frozenset(emails),
            blocked_domains=disposable_domains.union(domains),
            allowed_patterns=tuple(patterns),
            allow_intl_phones=campaign.allow_intl_phones,
            lottery_seed=self.secrets.read(seed_secret_name(campaign_id)),
        )
        return Rules(campaign=campaign, policy=policy)

    def _entries(self, key: str) -> Iterable[str]:
        return list_entries(self._list(key), file=key, largest=self.largest_list).values()

    def _list(self, key: str) -> bytes:
        try:
            with closing(self.scoring.open(key, length=self.largest_list + 1)) as source:
                return source.read()
        except NotFound:
            return b""

    def _tell(self, rules: Rulebook) -> list[str]:
        """Post the statistics to each campaign's channels; which of them refuse for good."""
        refused = []
        for each in rules.campaigns.values():
            message = statistics_message(each.campaign, each.statistics, rules.file)
            for channel in dict.fromkeys(each.campaign.stats_channels):
                try:
                    self.chat.post(channel, message.text, message.blocks)
                except PermanentFailure:
                    refused.append(channel)
        return refused

    def _account(self, rules: Rulebook, details: Mapping[str, Any]) -> Report:
        statistics = {name: rules.campaigns[name].statistics.wire() for name in rules.campaigns}
        counts = {
            name: sum(each[name] for each in statistics.values())
            for name in ("in", "out", "rejected")
        }
        return _report(counts, {"key": rules.file, **details, "campaigns": statistics})


@attrs.frozen
class _Outcome:
    """What becomes of the spooled rows once the competition is settled."""

    columns: Sequence[str]
    competition: Competition
    rules: Rulebook
    spool: "Spool"

    def file(self) -> Iterator[bytes]:
        """The scrubbed file; the statistics count its rows as it goes."""
        fans = map(self.rules.count, in_order(self._finished, self.spool.frames()))
        return write_frames(self.columns, (scrubbed_rows(some, self.columns) for some in fans))

    def records(self, created: datetime) -> Iterator[tuple[str, bytes]]:
        """The records for the stream; the statistics count them as they go."""

        def made(rows: pl.DataFrame) -> pl.DataFrame:
            return scoring_records(self._finished(rows), source=SOURCE, created=created)

        for records in map(self.rules.count_records, in_order(made, self.spool.frames())):
            keys, lines = (records[name].to_list() for name in ("partition_key", "data"))
            yield from zip(keys, lines, strict=True)

    def _finished(self, rows: pl.DataFrame) -> pl.DataFrame:
        return finished(self.competition.judged(rows))


class Spool:
    """Frames that are read again in their order; all but the first few lie in temporary files."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = TemporaryDirectory(prefix="scrub-", dir=folder, ignore_cleanup_errors=True)
        self._frames: list[pl.DataFrame | Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._frames.clear()
        self._folder.cleanup()

    def append(self, frame: pl.DataFrame) -> None:
        """Keep a frame."""
        if len(self._frames) < KEPT_IN_MEMORY:
            self._frames.append(frame)
            return
        file = Path(self._folder.name, f"{len(self._frames)}.arrow")
        frame.write_ipc(file)
        self._frames.append(file)

    def frames(self, columns: Sequence[str] | None = None) -> Iterator[pl.DataFrame]:
        """Every frame, with these columns alone."""
        for kept in self._frames:
            if isinstance(kept, Path):
                yield pl.read_ipc(kept, columns=None if columns is None else list(columns))
            else:
                yield kept if columns is None else kept.select(columns)


def in_order(call: Callable[[_In], _Out], items: Iterable[_In]) -> Iterator[_Out]:
    """`call` of each item, in their order, a few of them worked on ahead at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        ahead: deque[Future[_Out]] = deque()
        for item in items:
            ahead.append(pool.submit(call, item))
            if len(ahead) > AT_ONCE:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _report(counts: Mapping[str, int], details: Mapping[str, Any]) -> Report:
    every = {"in": 0, "out": 0, "rejected": 0, "duplicates": 0}
    return Report(worker=WORKER, counts={**every, **counts}, details=details)
