"""Temporary objects and tables of a merge in the lake and the Glue catalog, and their removal."""

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
    """A folder of `lake` (the bucket `bucket`) and a table of `database`, both named by `run`.

    Query results may be in another bucket if the workgroup enforces one.
    """

    lake: ObjectStore
    bucket: str
    glue: Any = attrs.field(repr=False)
    s3: Any = attrs.field(repr=False)
    database: str
    run: str
    _cleanups: dict[str, Callable[[], None]] = attrs.field(factory=dict, init=False)

    @property
    def table(self) -> str:
        """The name of the table."""
        return f"{_TABLE_PREFIX}{self.run}"

    @property
    def results(self) -> str:
        """The address under which query results are written."""
        return f"s3://{self.bucket}/{layout.scratch_prefix(self.run)}results/"

    def copy(self, source: str, number: int) -> None:
        """Copy `source` into the table's folder.

        Raises:
            NotFound: the source does not exist.
        """
        folder = layout.scratch_prefix(self.run)
        self._cleanups[f"objects under {folder}"] = self._delete_folder
        self.lake.copy(source, f"{folder}sources/{number:08}.avro")

    def create_table(self, columns: Columns, schema: Schema) -> None:
        """Create the table over the copies; every copy is read with `schema`.

        Raises:
            Fatal: the database is missing, or access to it.
            RetryLater: the catalog fails.
        """
        self._cleanups[f"table {self.database}.{self.table}"] = self._delete_table
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

    def register_result(self, address: str) -> tuple[ObjectStore, str]:
        """Schedule a result for removal and return its bucket and key."""
        parts = urlsplit(address, allow_fragments=False)
        store, key = S3ObjectStore(self.s3, parts.netloc), parts.path.removeprefix("/")
        self._cleanups[f"result {address}"] = lambda: store.delete([key, f"{key}.metadata"])
        return store, key

    def clear(self) -> None:
        """Remove everything that was created, continuing after errors.

        Raises:
            Fatal: something could not be removed, and an operator has to act.
            RetryLater: something could not be removed because a system failed.
        """
        failed: dict[str, CampaignError] = {}
        for what, remove in reversed(self._cleanups.items()):
            try:
                remove()
            except CampaignError as why:
                failed[what] = why
        self._cleanups.clear()
        if failed:
            kind = Fatal if any(isinstance(why, Fatal) for why in failed.values()) else RetryLater
            left = "; ".join(f"{what} ({why})" for what, why in failed.items())
            raise kind(f"a merge could not remove its scratch data; delete: {left}")

    def remove_leftovers(self, before: datetime) -> None:
        """Remove the scratch data of killed merges that is older than `before`.

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
            _log.warning("removed %d leftovers of killed merges", len(old))

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
