"""saveSelection: give fans their codes, update the demand table, and send the verdicts."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import attrs

from campaign_workers.domain.codes import (
    CODE_ASSIGNMENT,
    NO_MARKET,
    SELECTION_REFRESH,
    AssignmentOutcome,
    build_assignment,
    group_by_campaign,
    validate_ids,
    verdict_messages,
)
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.batches import ParsedBatch
from campaign_workers.domain.records.record import Record
from campaign_workers.domain.records.types import SELECTION_TYPES, iso_utc
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.entry_service import EntryService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.streams import MessageQueue
from campaign_workers.ports.tables import DemandTable, SelectedEvent
from campaign_workers.worker_library.iteration import batches
from campaign_workers.worker_library.rejected import save_rejected

WORKER: Final = "saveSelection"

Codes = Mapping[str, Mapping[str, tuple[str, datetime]]]
"""Codes of fans: fan -> market id or `_` -> (code, when it was assigned)."""


@attrs.frozen(kw_only=True)
class SaveSelection:
    """Gives the fans of a batch their codes, once, even if the batch is delivered again."""

    entries: EntryService
    demand: DemandTable
    verdicts: MessageQueue
    lake: ObjectStore
    batch_size: int = 25
    refresh_attempts: int = 5

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Assign the codes, update the demand table, save rejected records, send the verdicts.

        Counts are records: in = out + rejected + duplicates.

        Raises:
            RetryLater: a store or the queue fails, or codes change faster than they are copied;
                the same batch again completes the work and sends the same messages.
        """
        parsed = ParsedBatch.parse(batch, SELECTION_TYPES)
        parsed.reject_where(validate_ids)
        messages: list[str] = []
        for campaign_id, assignments in group_by_campaign(parsed.of_type(CODE_ASSIGNMENT)).items():
            for records in batches(assignments, self.batch_size):
                accepted = self._assign(parsed, campaign_id, records)
                messages += verdict_messages(campaign_id, accepted)
        for campaign_id, refreshes in group_by_campaign(parsed.of_type(SELECTION_REFRESH)).items():
            for records in batches(refreshes, self.batch_size):
                self._refresh(parsed, campaign_id, records)
        save_rejected(self.lake, WORKER, parsed)
        # Sent last: a batch that fails midway comes again in halves, which give other messages.
        self.verdicts.send(messages)
        return Report(worker=WORKER, counts=parsed.counts)

    def _assign(
        self, parsed: ParsedBatch, campaign_id: str, records: Sequence[Record]
    ) -> Sequence[Record]:
        """Assign codes, and return the records that were not refused."""
        results = self.entries.assign_codes(campaign_id, [build_assignment(r) for r in records])
        accepted, repeated = [], set()
        for record, result in zip(records, results, strict=True):
            if result.outcome is AssignmentOutcome.REFUSED:
                parsed.reject(record, result.reason)
                continue
            accepted.append(record)
            if result.outcome is AssignmentOutcome.ALREADY_ASSIGNED:
                repeated.add(record.fields["globalUserId"])
        # The first assignment set the date; a copy of its record may have a later `created`.
        known = self.entries.codes(campaign_id, repeated) if repeated else {}
        self._select(campaign_id, accepted, known)
        return accepted

    def _select(self, campaign_id: str, records: Sequence[Record], known: Codes) -> None:
        """Add the codes of the records to the demand table."""
        events: dict[str, dict[str, SelectedEvent]] = {}
        for record in records:
            fan, market = record.fields["globalUserId"], record.fields["marketId"] or NO_MARKET
            requested = record.fields["code"], record.created
            code, created = known.get(fan, {}).get(market, requested)
            event = SelectedEvent(code=code, date=iso_utc(created))
            events.setdefault(fan, {}).setdefault(market, event)
        for fan, selected in events.items():
            self.demand.select(fan, campaign_id, selected)

    def _refresh(self, parsed: ParsedBatch, campaign_id: str, records: Sequence[Record]) -> None:
        """Copy the codes of fans to the demand table; reject fans who have none."""
        fans = dict.fromkeys(record.fields["globalUserId"] for record in records)
        known = self.entries.codes(campaign_id, fans)
        unknown = {f for f in fans if not known.get(f) and self.demand.read(f, campaign_id) is None}
        for record in records:
            if record.fields["globalUserId"] in unknown:
                parsed.reject(record, "the fan has no code in this campaign")
        self._rewrite([fan for fan in fans if fan not in unknown], campaign_id, known)

    def _rewrite(self, fans: Sequence[str], campaign_id: str, known: Codes) -> None:
        """Write codes to the demand table until they did not change during the write.

        Raises:
            RetryLater: they changed during every attempt.
        """
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


def _events(codes: Mapping[str, tuple[str, datetime]]) -> dict[str, SelectedEvent]:
    return {
        market: SelectedEvent(code=code, date=iso_utc(created))
        for market, (code, created) in codes.items()
    }
