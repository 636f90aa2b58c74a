"""What a merge makes for itself in the lake and the catalog, and takes away again."""

import json
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import attrs
from botocore.exceptions import ClientError

from campaign_workers.adapters.aws.athena.columns import Columns, Schema
from campaign_workers.adapters.aws.errors import error_code, translate_errors
from campaign_workers.adapters.aws.s3.object_store import S3ObjectStore
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater
from campaign_workers.domain.storage import layout
from campaign_workers.ports.object_store import ObjectStore

_TABLE_PREFIX: Final = "merge_"
_AVRO: Final = "org.apache.hadoop.hive.ql.io.avro.AvroContainer"
_SERDE: Final = "org.apache.hadoop.hive.serde2.avro.AvroSerDe"
_log: Final = logging.getLogger(__name__)


@attrs.define(kw_only=True)
class Scratch:
    """A folder of `lake`, which is `bucket`, and a table of `database`, both of the name `run`.

    Results of queries may lie in another bucket, if a workgroup says so.
    """

    lake: ObjectStore
    bucket: str
    glue: Any = attrs.field(repr=False)
    s3: Any = attrs.field(repr=False)
    database: str
    run: str
    _made: dict[str, Callable[[], None]] = attrs.field(factory=dict, init=False)

    @property
    def table(self) -> str:
        """The name of the table."""
        return f"{_TABLE_PREFIX}{self.run}"

    @property
    def results(self) -> str:
        """Where results of queries go."""
        return f"s3://{self.bucket}/{layout.scratch_prefix(self.run)}results/"

    def copy(self, source: str, number: int) -> None:
        """Put a copy of `source` where the table finds it.

        Raises:
            NotFound: there is no source.
        """
        folder = layout.scratch_prefix(self.run)
        self._made[f"objects under {folder}"] = self._delete_folder
        self.lake.copy(source, f"{folder}sources/{number:08}.avro")

    def create_table(self, columns: Columns, schema: Schema) -> None:
        """Make the table over the copies; whatever wrote them, it is read by `schema`.

        Raises:
            Fatal: the database is missing, or access to it.
            RetryLater: the catalog fails.
        """
        self._made[f"table {self.database}.{self.table}"] = self._delete_table
        with translate_errors("glue", f"{self.database}.{self.table}"):
            self.glue.create_table(
                DatabaseName=self.database,
                TableInput={
                    "Name": self.table,
                    "TableType": "EXTERNAL_TABLE",
                    "Parameters": {"EXTERNAL": "TRUE", "classification": "avro"},
                    "StorageDescriptor": {
                        "Columns": [{"Name": c.name.lower(), "Type": c.hive} for c in columns.all],
                        "Location": f"s3://{self.bucket}/{layout.scratch_prefix(self.run)}sources/",
                        "InputFormat": f"{_AVRO}InputFormat",
                        "OutputFormat": f"{_AVRO}OutputFormat",
                        "SerdeInfo": {
                            "SerializationLibrary": _SERDE,
                            "Parameters": {"avro.schema.literal": json.dumps(dict(schema))},
                        },
                    },
                },
            )

    def note_result(self, address: str) -> tuple[ObjectStore, str]:
        """Remember a result to be taken away; returns the bucket that it is in, and its key."""
        place = urlsplit(address, allow_fragments=False)
        store, key = S3ObjectStore(self.s3, place.netloc), place.path.removeprefix("/")
        self._made[f"result {address}"] = lambda: store.delete([key, f"{key}.metadata"])
        return store, key

    def clear(self) -> None:
        """Take away whatever was made, as far as possible.

        Raises:
            Fatal: something is left behind, and a person has to act.
            RetryLater: something is left behind because a system failed.
        """
        failed: dict[str, CampaignError] = {}
        for what, remove in reversed(self._made.items()):
            try:
                remove()
            except CampaignError as why:
                failed[what] = why
        self._made.clear()
        if failed:
            kind = Fatal if any(isinstance(why, Fatal) for why in failed.values()) else RetryLater
            left = "; ".join(f"{what} ({why})" for what, why in failed.items())
            raise kind(f"left behind by a merge, delete it: {left}")

    def remove_leftovers(self, before: datetime) -> None:
        """Take away what merges that were killed left behind, if it is older than `before`.

        Raises:
            Fatal: access is missing.
            RetryLater: the lake or the catalog fails.
        """
        objects = self.lake.list(layout.scratch_prefix())
        if old := [info.key for info in objects if info.modified < before]:
            self.lake.delete(old)
        with translate_errors("glue", self.database):
            pages = self.glue.get_paginator("get_tables").paginate(DatabaseName=self.database)
            tables = [table for page in pages for table in page["TableList"]]
        for table in tables:
            if table["Name"].startswith(_TABLE_PREFIX) and table["CreateTime"] < before:
                self._drop(table["Name"])
                old.append(table["Name"])
        if old:
            _log.warning("removed %d things that killed merges had left behind", len(old))

    def _delete_folder(self) -> None:
        self.lake.delete(info.key for info in self.lake.list(layout.scratch_prefix(self.run)))

    def _delete_table(self) -> None:
        self._drop(self.table)

    def _drop(self, name: str) -> None:
        with translate_errors("glue", f"{self.database}.{name}"):
            try:
                self.glue.delete_table(DatabaseName=self.database, Name=name)
            except ClientError as error:
                if error_code(error) != "EntityNotFoundException":
                    raise
