"""saveSelection: fans get their codes, the demand table shows them, the verdict queue hears."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from campaign_workers.domain.codes.assignments import (
    CODE_ASSIGNMENT,
    NO_MARKET,
    SELECTION_REFRESH,
    Outcome,
    assignment,
    by_campaign,
    check_ids,
    verdict_messages,
)
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.batches import Intake
from campaign_workers.domain.records.record import Record, parse_selection
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.entry_service import EntryService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.system import Metrics
from campaign_workers.ports.tables import DemandTable, SelectedEvent

WORKER: Final = "saveSelection"

Codes = Mapping[str, Mapping[str, tuple[str, datetime]]]

_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class SaveSelection:
    """Give the fans of a batch their codes, once, however often the batch comes."""

    entries: EntryService
    demand: DemandTable
    verdicts: MessageQueue
    lake: ObjectStore
    metrics: Metrics
    batch_size: int = 25
    refresh_attempts: int = 5

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Assign, show, keep what is rejected, tell; in = out + rejected + duplicates.

        Raises:
            RetryLater: a store or the queue fails, or codes change faster than a refresh; the
                same batch again completes what was begun, with the same messages.
        """
        intake = Intake.of(batch, parse_selection)
        intake.reject_where(check_ids)
        messages: list[str] = []
        for campaign_id, records in by_campaign(intake.records(CODE_ASSIGNMENT), self.batch_size):
            accepted = self._assign(intake, campaign_id, records)
            messages += verdict_messages(campaign_id, accepted)
        for campaign_id, records in by_campaign(intake.records(SELECTION_REFRESH), self.batch_size):
            self._refresh(intake, campaign_id, records)
        self._keep_rejected(intake)
        # Last, because a batch that fails midway comes again in halves, with other messages.
        self.verdicts.send(messages)
        for name, value in intake.counts.items():
            self.metrics.count(name, value, worker=WORKER)
        return Report(worker=WORKER, counts=intake.counts)

    def _assign(
        self, intake: Intake, campaign_id: str, records: Sequence[Record]
    ) -> Sequence[Record]:
        results = self.entries.assign_codes(campaign_id, [assignment(r) for r in records])
        accepted, repeated = [], set()
        for record, result in zip(records, results, strict=True):
            if result.outcome is Outcome.REFUSED:
                intake.reject(record, result.reason)
                continue
            accepted.append(record)
            if result.outcome is Outcome.ALREADY_ASSIGNED:
                repeated.add(record.fields["globalUserId"])
        # Whoever assigned first set the date: a copy of its record may have been created later.
        known = self.entries.codes(campaign_id, repeated) if repeated else {}
        self._select(campaign_id, accepted, known)
        return accepted

    def _select(self, campaign_id: str, records: Sequence[Record], known: Codes) -> None:
        events: dict[str, dict[str, SelectedEvent]] = {}
        for record in records:
            fan, market = record.fields["globalUserId"], record.fields["marketId"] or NO_MARKET
            fresh = record.fields["code"], record.created
            code, created = known.get(fan, {}).get(market, fresh)
            event = SelectedEvent(code=code, date=iso_utc(created))
            events.setdefault(fan, {}).setdefault(market, event)
        for fan, selected in events.items():
            self.demand.select(fan, campaign_id, selected)

    def _refresh(self, intake: Intake, campaign_id: str, records: Sequence[Record]) -> None:
        fans = dict.fromkeys(record.fields["globalUserId"] for record in records)
        known = self.entries.codes(campaign_id, fans)
        unknown = {f for f in fans if not known.get(f) and self.demand.read(f, campaign_id) is None}
        for record in records:
            if record.fields["globalUserId"] in unknown:
                intake.reject(record, "the fan has no code in this campaign")
        self._rewrite([fan for fan in fans if fan not in unknown], campaign_id, known)

    def _rewrite(self, fans: Sequence[str], campaign_id: str, known: Codes) -> None:
        """Another run may assign a code between our read and our write, hence the second look."""
        stale = fans
        for _ in range(self.refresh_attempts):
            if not stale:
                return
            for fan in stale:
                self.demand.replace(fan, campaign_id, _events(known.get(fan, {})))
            before, known = known, self.entries.codes(campaign_id, stale)
            stale = [fan for fan in stale if known.get(fan) != before.get(fan)]
        if stale:
            raise RetryLater("codes of the fans kept changing while they were rewritten")

    def _keep_rejected(self, intake: Intake) -> None:
        for key, body in intake.rejected_files(WORKER):
            self.lake.put(key, body)
            _log.warning("a selection was rejected, see %s", key)


def _events(codes: Mapping[str, tuple[str, datetime]]) -> dict[str, SelectedEvent]:
    return {
        market: SelectedEvent(code=code, date=iso_utc(created))
        for market, (code, created) in codes.items()
    }
