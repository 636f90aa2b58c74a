"""The statements, made of the schemas in force."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any, Final

from campaign_workers.adapters.avro.schemas import current_schema
from campaign_workers.adapters.aws.athena.columns import Columns
from campaign_workers.domain.records.types import RECORD_TYPES

FOLDER: Final = Path(__file__).parent
BUCKET: Final = "${bucket}"
"""Stands in the files for the name of the lake's bucket."""
VIEW: Final = Template(
    """\
CREATE OR REPLACE VIEW "distinct_$name" AS
SELECT $columns
FROM (
  SELECT *, row_number() OVER (PARTITION BY "dedupekey" ORDER BY "created") AS "copy"
  FROM "$name"
)
WHERE "copy" = 1
"""
)


def statements() -> Iterator[tuple[Path, str]]:
    """Every file and what has to stand in it."""
    for record_type in sorted(RECORD_TYPES):
        schema = current_schema(record_type)
        columns = Columns.from_schema(schema)
        yield FOLDER / "tables" / f"{record_type}.sql", table(record_type, schema, columns)
        yield FOLDER / "views" / f"{record_type}.sql", view(record_type, columns)


def table(record_type: str, schema: Mapping[str, Any], columns: Columns) -> str:
    """The table over every file of a type, whatever version of the schema wrote it."""
    listed = ",\n".join(f"  `{column.name.lower()}` {column.hive}" for column in columns.all)
    literal = json.dumps({part: text for part, text in schema.items() if part != "doc"})
    assert "'" not in literal, f"{record_type}: the schema has a quote that would end the literal"
    return f"""\
CREATE EXTERNAL TABLE IF NOT EXISTS `{record_type.lower()}` (
{listed}
)
ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.avro.AvroSerDe'
WITH SERDEPROPERTIES ('avro.schema.literal' = '{literal}')
STORED AS AVRO
LOCATION 's3://{BUCKET}/avro/{record_type}/'
"""


def view(record_type: str, columns: Columns) -> str:
    """The records of a type without those that are there again with an equal dedupe key."""
    return VIEW.substitute(
        name=record_type.lower(), columns=", ".join(column.sql_name for column in columns.all)
    )
