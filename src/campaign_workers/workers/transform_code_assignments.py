"""transformCodeAssignments: code assignments get the ids they lack and go on to selection."""

import logging
from typing import Final

import attrs

from campaign_workers.domain.codes.assignments import (
    CODE_ASSIGNMENT,
    completed,
    in_batches,
    partition_key,
    without_campaign,
    without_user,
)
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.batches import Intake
from campaign_workers.domain.records.record import Record, parse_record
from campaign_workers.domain.records.types import RECORD_TYPES
from campaign_workers.domain.running.events import StreamBatch, checked_record
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.system import Metrics
from campaign_workers.ports.user_service import UserService

WORKER: Final = "transformCodeAssignments"

_TYPES: Final = {CODE_ASSIGNMENT: RECORD_TYPES[CODE_ASSIGNMENT]}
_log = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class TransformCodeAssignments:
    """Complete the code assignments of a batch; other types are passed over uncounted."""

    users: UserService
    campaigns: CampaignService
    selections: RecordStream
    lake: ObjectStore
    metrics: Metrics
    lookups_at_once: int = 25

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Put what is complete, keep what is rejected; in = out + rejected + duplicates.

        Raises:
            RetryLater: a service, the stream or the lake fails; the same batch again puts copies
                with the same dedupe keys.
        """
        intake = Intake.of(batch, _parse, only=CODE_ASSIGNMENT)
        self.selections.put(self._completed(intake))
        for key, body in intake.rejected_files(WORKER):
            self.lake.put(key, body)
            _log.warning("a code assignment was rejected, see %s", key)
        for name, value in intake.counts.items():
            self.metrics.count(name, value, worker=WORKER)
        return Report(worker=WORKER, counts=intake.counts)

    def _completed(self, intake: Intake) -> list[tuple[str, bytes]]:
        records = list(intake.kept.values())
        users: dict[str, str] = {}
        for unknown in in_batches(without_user(records), self.lookups_at_once):
            users |= self.users.user_ids(unknown)
        campaigns: dict[int, str] = {}
        for categories in in_batches(without_campaign(records), self.lookups_at_once):
            campaigns |= self.campaigns.campaign_ids(categories)
        ready = []
        for record in records:
            try:
                ready.append(_put_form(completed(record, users, campaigns)))
            except RejectRecord as why:
                intake.reject(record, why.reason)
        return ready


def _parse(data: bytes) -> Record:
    return parse_record(data, _TYPES)


def _put_form(record: Record) -> tuple[str, bytes]:
    return checked_record(partition_key(record), record.json())
