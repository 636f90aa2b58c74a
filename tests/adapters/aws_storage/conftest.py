"""A bucket behind a proxy that orders faults."""

from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from botocore.retries.bucket import TokenBucket

from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.testing.contracts.object_store import Plant
from tests.servers.aws import FreshAws, aws_client, endpoint
from tests.servers.aws_faults import FaultyCloud, faulty_cloud


@pytest.fixture
def aws() -> Iterator[FreshAws]:
    """Makes things for one test."""
    with ExitStack() as stack:
        yield FreshAws(stack)


@pytest.fixture(scope="session")
def proxy() -> Iterator[FaultyCloud]:
    """One for all tests of the process."""
    with faulty_cloud(endpoint()) as faulty:
        yield faulty


@pytest.fixture
def cloud(proxy: FaultyCloud) -> FaultyCloud:
    """The emulator, by way of faults; none is ordered, and nothing was asked for."""
    proxy.forget()
    return proxy


@pytest.fixture
def store(cloud: FaultyCloud, aws: FreshAws) -> S3ObjectStore:
    """An empty bucket whose client tries once; parts and pages are small."""
    return S3ObjectStore(cloud.client("s3"), aws.bucket(), part_bytes=1000, page_keys=3)


@pytest.fixture
def plant(store: S3ObjectStore) -> Plant:
    """Writes an object past the adapter."""

    def plant(key: str, content: bytes) -> None:
        aws_client("s3").put_object(Bucket=store.bucket, Key=key, Body=content)

    return plant


@pytest.fixture
def patient(store: S3ObjectStore, cloud: FaultyCloud) -> S3ObjectStore:
    """The same bucket, whose client tries three times."""
    retries = {"total_max_attempts": 3, "mode": "adaptive"}
    return S3ObjectStore(cloud.client("s3", retries=retries), store.bucket, part_bytes=1000)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK waits neither between its tries nor to slow down."""
    monkeypatch.setattr(TokenBucket, "acquire", lambda *_, **__: True)
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda seconds: None))
