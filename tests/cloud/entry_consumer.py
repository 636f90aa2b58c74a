"""What another team does with the streams: their records become entries.

Registrations and scores end in the entry service and in the database, seconds after they were put.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Event, Thread
from typing import Any, Final

import attrs
from botocore.exceptions import BotoCoreError, ClientError

from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.triggers import (
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    VF_INPUT_STREAM,
)
from tests.cloud.deployment import Stack
from tests.cloud.external_services import ExternalServices
from tests.servers.mongo_documents import plant_entries

PAUSE_SECONDS: Final = 0.2
AT_ONCE: Final = 10_000
OUTPUTS: Final[Mapping[str, str]] = {
    INPUT_STREAM: "InputStream",
    VF_INPUT_STREAM: "VfInputStream",
    FANLIST_RANKS_STREAM: "FanlistRanksStream",
}
"""Streams that the team reads, and the outputs of the template that name them."""


@attrs.define
class EntryConsumer:
    """Reads the streams from their beginning; `catch_up` takes what there is."""

    stack: Stack
    external_services: ExternalServices
    campaigns: Sequence[str]
    _iterators: dict[tuple[str, str], str] = attrs.field(factory=dict, init=False)
    _planted: set[tuple[str, str]] = attrs.field(factory=set, init=False)
    idle_rounds: int = attrs.field(default=0, init=False)
    """How often there was nothing new."""

    def catch_up(self) -> int:
        """Take what has been put since the last time; how many records that were."""
        taken = sum(self._take(stream) for stream in OUTPUTS)
        if taken:
            self._plant()
        else:
            self.idle_rounds += 1
        return taken

    def start_over(self) -> None:
        """Read the streams from their beginning."""
        self._iterators.clear()

    def _take(self, stream: str) -> int:
        kinesis = self.stack.client("kinesis")
        name = self.stack.outputs[OUTPUTS[stream]]
        taken = 0
        for shard in kinesis.list_shards(StreamName=name)["Shards"]:
            place = (stream, shard["ShardId"])
            iterator = self._iterators.get(place) or _beginning(kinesis, name, shard["ShardId"])
            answer = kinesis.get_records(ShardIterator=iterator, Limit=AT_ONCE)
            self._iterators[place] = answer["NextShardIterator"]
            records = tuple(map(_record, answer["Records"]))
            batch = StreamBatch(stream=stream, shard=shard["ShardId"], records=records)
            self.external_services.doubles.fakes.entries.consume(batch)
            taken += len(records)
        return taken

    def _plant(self) -> None:
        for campaign in self.campaigns:
            entries = self.external_services.doubles.fakes.entries.entries(campaign)
            new = [one for one in entries if (campaign, one.user_id) not in self._planted]
            plant_entries(self.external_services.database, new)
            self._planted |= {(campaign, one.user_id) for one in new}


def _beginning(kinesis: Any, name: str, shard: str) -> str:
    return kinesis.get_shard_iterator(
        StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]


def _record(found: Mapping[str, Any]) -> StreamRecord:
    arrived: datetime = found["ApproximateArrivalTimestamp"]
    return StreamRecord(
        sequence=found["SequenceNumber"],
        partition_key=found["PartitionKey"],
        data=found["Data"],
        arrived=arrived,
    )


@contextmanager
def run_in_background(consumer: EntryConsumer) -> Iterator[None]:
    """Let the team read on as long as the context lasts."""
    done = Event()

    def read() -> None:
        while not done.wait(PAUSE_SECONDS):
            try:
                consumer.catch_up()
            except (BotoCoreError, ClientError):
                # The cloud is down, or was: what was read before is read again.
                consumer.start_over()

    thread = Thread(target=read, name="entry-team", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
