"""A lake of one's own on the emulator, with a database beside it, as merges by query find it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any
from uuid import uuid4

import attrs

from campaign_workers.adapters.aws.athena import AthenaQueryEngine
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.adapters.system.clocks import SystemClock
from tests.lake_scenes import CODEC
from tests.servers.aws import aws_client, client_of, empty_and_delete_bucket, relayed_endpoint

WORKGROUP = "primary"
"""The workgroup that every account has."""


@cache
def asking(service: str) -> Any:
    """A client as adapters get it, of which threads share the connections."""
    return client_of(relayed_endpoint(), service, max_pool_connections=50)


@attrs.frozen
class Lake:
    """A bucket and a database."""

    bucket: str
    database: str

    @property
    def objects(self) -> S3ObjectStore:
        """The bucket as adapters see it."""
        return S3ObjectStore(asking("s3"), self.bucket)

    def engine(self, **other: Any) -> AthenaQueryEngine:
        """An engine on it; `other` takes the place of what it is usually given."""
        given: dict[str, Any] = {
            "athena": asking("athena"),
            "glue": asking("glue"),
            "lake": self.objects,
            "clock": SystemClock(),
            "s3": asking("s3"),
            "bucket": self.bucket,
            "workgroup": WORKGROUP,
            "database": self.database,
            "codec": CODEC,
        }
        return AthenaQueryEngine(**given | other)

    def keys(self) -> list[str]:
        """Return the keys of the bucket, listed without the adapter."""
        pages = aws_client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        return [found["Key"] for page in pages for found in page.get("Contents", ())]

    def tables(self) -> list[str]:
        """The tables of the database, seen by the back door."""
        found = aws_client("glue").get_tables(DatabaseName=self.database)["TableList"]
        return [table["Name"] for table in found]


@contextmanager
def new_lake() -> Iterator[Lake]:
    """A lake that is gone afterwards."""
    lake = Lake(bucket=f"test-{uuid4().hex}", database=f"test_{uuid4().hex}")
    aws_client("s3").create_bucket(Bucket=lake.bucket)
    aws_client("glue").create_database(DatabaseInput={"Name": lake.database})
    try:
        yield lake
    finally:
        empty_and_delete_bucket(aws_client("s3"), lake.bucket)
        aws_client("glue").delete_database(Name=lake.database)


class Impatient(SystemClock):
    """A clock that does not wait."""

    def sleep(self, seconds: float) -> None:
        """Go on at once."""
