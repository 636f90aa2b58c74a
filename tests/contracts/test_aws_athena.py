"""Merging with Athena keeps the contract of merging, over the wire."""

from collections.abc import Iterator

import pytest

from campaign_workers.adapters.avro.codec import AvroRecordCodec
from campaign_workers.adapters.aws.athena import AthenaQueryEngine
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.testing.contracts.query_engine import QueryEngineContract
from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.lake_scenes import CODEC
from tests.servers.aws import OverAws


class TestAthena(OverAws, QueryEngineContract):
    """`AthenaQueryEngine`, over a bucket and a catalog of its own."""

    @pytest.fixture
    def place(self) -> Iterator[Lake]:
        """The bucket and the database; both are gone after the test."""
        with new_lake() as place:
            yield place
            assert place.tables() == []

    @pytest.fixture
    def codec(self) -> AvroRecordCodec:
        """The codec of the lake."""
        return CODEC

    @pytest.fixture
    def lake(self, place: Lake) -> S3ObjectStore:
        """An empty lake."""
        return place.objects

    @pytest.fixture
    def engine(self, place: Lake) -> AthenaQueryEngine:
        """An engine on it."""
        return place.engine()
