"""Buckets, streams and queues on AWS keep their contracts, over the wire."""

from contextlib import ExitStack
from functools import cache
from typing import Any

import pytest
from hypothesis import settings

from campaign_workers.adapters.aws.kinesis import KinesisRecordStream
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.adapters.aws.sqs import SqsMessageQueue
from campaign_workers.adapters.system.clocks import SteppedClock, SystemClock
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.contracts.message_queue import Held, MessageQueueContract
from campaign_workers.testing.contracts.object_store import ObjectStoreContract, Peek, Plant
from campaign_workers.testing.contracts.record_stream import RecordStreamContract, Taken
from campaign_workers.testing.machines.object_store import ObjectStoreMachine
from tests.servers.aws import FreshAws, OverAws, aws_client, client_of, relayed_endpoint
from tests.servers.aws_records import messages_of, records_of


@cache
def asking(service: str) -> Any:
    """A client as adapters get it, of which threads share the connections."""
    return client_of(relayed_endpoint(), service, max_pool_connections=50)


class TestBucket(OverAws, ObjectStoreContract):
    """`S3ObjectStore`."""

    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    @pytest.fixture
    def store(self, aws: FreshAws) -> S3ObjectStore:
        return S3ObjectStore(asking("s3"), aws.bucket())

    @pytest.fixture
    def plant(self, store: S3ObjectStore) -> Plant:
        def plant(key: str, content: bytes) -> None:
            aws_client("s3").put_object(Bucket=store.bucket, Key=key, Body=content)

        return plant

    @pytest.fixture
    def peek(self, store: S3ObjectStore) -> Peek:
        def peek(key: str) -> bytes | None:
            s3 = aws_client("s3")
            try:
                return s3.get_object(Bucket=store.bucket, Key=key)["Body"].read()
            except s3.exceptions.NoSuchKey:
                return None

        return peek


class TestStream(OverAws, RecordStreamContract):
    """`KinesisRecordStream`."""

    @pytest.fixture
    def stream(self, aws: FreshAws) -> KinesisRecordStream:
        clock = SteppedClock(CREATED)
        return KinesisRecordStream(asking("kinesis"), clock, name=aws.stream())

    @pytest.fixture
    def taken(self, stream: KinesisRecordStream) -> Taken:
        return lambda: records_of(stream.name)


class TestQueue(OverAws, MessageQueueContract):
    """`SqsMessageQueue`."""

    @pytest.fixture
    def queue(self, aws: FreshAws) -> SqsMessageQueue:
        return SqsMessageQueue(asking("sqs"), SteppedClock(CREATED), name=aws.queue())

    @pytest.fixture
    def held(self, queue: SqsMessageQueue) -> Held:
        return lambda: messages_of(queue.name)


class BucketOverTheWire(ObjectStoreMachine):
    """`S3ObjectStore` beside a dictionary, now and then asked by another client."""

    def start(self) -> S3ObjectStore:
        """A fresh bucket; two bytes more are a second part."""
        self.stack = ExitStack()
        self.bucket = FreshAws(self.stack).bucket()
        return self.again()

    def again(self) -> S3ObjectStore:
        """Another store over the same bucket."""
        return S3ObjectStore(asking("s3"), self.bucket, part_bytes=2, page_keys=3)

    def teardown(self) -> None:
        """Remove the bucket."""
        self.stack.close()


TestBucketOverTheWire = BucketOverTheWire.TestCase
TestBucketOverTheWire.settings = settings(max_examples=6, stateful_step_count=15)
