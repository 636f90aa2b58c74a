"""transformCodeAssignments: add the ids that code assignments lack, and pass them to selection."""

from typing import Final

import attrs

from campaign_workers.domain.codes import (
    CODE_ASSIGNMENT,
    category_ids_without_campaign,
    fill_missing_ids,
    global_ids_without_user,
    partition_key,
)
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.batches import ParsedBatch
from campaign_workers.domain.running.events import StreamBatch, validate_record
from campaign_workers.domain.running.reports import Report
from campaign_workers.ports.campaign_service import CampaignService
from campaign_workers.ports.object_store import ObjectStore
from campaign_workers.ports.streams import RecordStream
from campaign_workers.ports.user_service import UserService
from campaign_workers.worker_library.iteration import batches
from campaign_workers.worker_library.rejected import save_rejected

WORKER: Final = "transformCodeAssignments"


@attrs.frozen(kw_only=True)
class TransformCodeAssignments:
    """Completes the code assignments of a batch; records of other types are ignored."""

    users: UserService
    campaigns: CampaignService
    selections: RecordStream
    lake: ObjectStore
    lookups_at_once: int = 25

    parse = staticmethod(StreamBatch.parse)

    def __call__(self, batch: StreamBatch) -> Report:
        """Put the completed assignments on the stream and save the rejected ones.

        Counts are code assignments: in = out + rejected + duplicates.

        Raises:
            RetryLater: a service, the stream or the lake fails; the same batch again puts copies
                with the same dedupe keys.
        """
        parsed = ParsedBatch.parse(batch, record_type=CODE_ASSIGNMENT)
        self.selections.put(self._complete(parsed))
        save_rejected(self.lake, WORKER, parsed)
        return Report(worker=WORKER, counts=parsed.counts)

    def _complete(self, parsed: ParsedBatch) -> list[tuple[str, bytes]]:
        records = parsed.of_type(CODE_ASSIGNMENT)
        users: dict[str, str] = {}
        for global_user_ids in batches(global_ids_without_user(records), self.lookups_at_once):
            users |= self.users.user_ids(global_user_ids)
        campaigns: dict[int, str] = {}
        for category_ids in batches(category_ids_without_campaign(records), self.lookups_at_once):
            campaigns |= self.campaigns.campaign_ids(category_ids)
        puts = []
        for record in records:
            try:
                complete = fill_missing_ids(record, users, campaigns)
                puts.append(validate_record(partition_key(complete), complete.to_bytes()))
            except RejectRecord as error:
                parsed.reject(record, error.reason)
        return puts
