"""What brings Ministack's Athena nearer to AWS's: one function a difference."""

import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import duckdb
import duckdb_extension_avro
import fastavro
from ministack.services import athena, glue, s3

CREATE_DATABASE: Final = re.compile(
    r"\s*CREATE\s+(?:DATABASE|SCHEMA)\s+(?:IF\s+NOT\s+EXISTS\s+)?[`\"]?(\w+)", re.IGNORECASE
)
PARTITIONS: Final = re.compile(r"\s*(MSCK\s+REPAIR|ALTER\s+TABLE\s+\S+\s+ADD)", re.IGNORECASE)
NOTHING: Final[dict[str, Any]] = {"columns": [], "rows": [], "column_types": []}
TRINO: Final = (
    "approx_distinct(x) AS approx_count_distinct(x)",
    "cardinality(x) AS len(x)",
    "date_format(t, f) AS strftime(t, replace(replace(f, '%i', '%M'), '%s', '%S'))",
    "from_iso8601_timestamp(s) AS s::TIMESTAMPTZ::TIMESTAMP",
    "from_unixtime(s) AS make_timestamp((s * 1000000)::BIGINT)",
    "json_extract_scalar(j, p) AS json_extract_string(j, p)",
    "json_format(j) AS CAST(j AS VARCHAR)",
    "to_unixtime(t) AS epoch_ms(t) / 1000.0",
)
"""Functions of Athena's dialect in that of the engine here."""


def apply() -> None:
    """Make all the differences."""
    bring_the_reader_of_avro()
    know_functions_of_athena()
    write_results_where_athena_does()
    create_databases()
    read_avro_by_the_schema_of_the_table()


def bring_the_reader_of_avro() -> None:
    """The engine would download it; the installed package holds it."""
    package = Path(str(duckdb_extension_avro.__file__)).parent
    (extension,) = package.glob(f"extensions/v{duckdb.__version__}/avro.duckdb_extension")
    with duckdb.connect() as connection:
        connection.execute(f"INSTALL '{extension}'")


def know_functions_of_athena() -> None:
    """Queries are Trino's dialect; times are UTC."""
    connect = duckdb.connect

    def connect_with_functions(*given: Any, **named: Any) -> Any:
        connection = connect(*given, **named)
        connection.execute("SET TimeZone = 'UTC'")
        for macro in TRINO:
            connection.execute(f"CREATE OR REPLACE TEMP MACRO {macro}")
        return connection

    duckdb.connect = connect_with_functions


def write_results_where_athena_does() -> None:
    """Ministack names the object twice in its key, quotes little and ends lines with CR LF."""

    async def save(query_id: str) -> None:
        execution = athena._executions[query_id]
        results = execution["_results"]
        lines = io.StringIO()
        for row in ([results["columns"]] if results["columns"] else []) + results["rows"]:
            lines.write(",".join(map(_cell, row)) + "\n")
        place = urlsplit(execution["ResultConfiguration"]["OutputLocation"])
        key = place.path.lstrip("/")
        for name, content in ((key, lines.getvalue().encode()), (f"{key}.metadata", b"")):
            headers = {"content-type": "text/csv", "content-length": str(len(content))}
            s3._put_object(place.netloc, name, content, headers)

    athena._save_query_results = save


def _cell(value: Any) -> str:
    """A value as Athena writes it: quoted, and nothing at all for NULL."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else _plain(value)
    return '"' + text.replace('"', '""') + '"'


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join("null" if item is None else _plain(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}={_plain(item)}" for name, item in value.items()) + "}"
    return str(value)


def create_databases() -> None:
    """Ministack knows tables alone; partitions are seen where they lie."""
    run = athena._run_duckdb

    async def run_or_create(query: str, database: str, catalog: Any = None) -> Any:
        if created := CREATE_DATABASE.match(query):
            if created[1] not in glue._databases:
                glue._create_database({"DatabaseInput": {"Name": created[1]}})
            return NOTHING
        return NOTHING if PARTITIONS.match(query) else await run(query, database, catalog)

    athena._run_duckdb = run_or_create


def read_avro_by_the_schema_of_the_table() -> None:
    """Ministack takes the schema of the files, which have to agree; Hive resolves each file's."""
    relation = athena._table_relation

    def resolved(table: Mapping[str, Any], files: Sequence[str]) -> Any:
        serde = table.get("StorageDescriptor", {}).get("SerdeInfo", {})
        if literal := serde.get("Parameters", {}).get("avro.schema.literal"):
            for file in files:
                _resolve(Path(file), json.loads(literal))
        return relation(table, files)

    athena._table_relation = resolved


def _resolve(file: Path, schema: Any) -> None:
    """Write a file again by `schema`, unless it is of that already."""
    with file.open("rb") as source:
        written_by = json.loads(fastavro.reader(source).metadata["avro.schema"])
    if written_by["fields"] == schema["fields"]:
        return
    with file.open("rb") as source:
        rows = list(fastavro.reader(source, reader_schema=schema))
    with file.open("wb") as sink:
        fastavro.writer(sink, fastavro.parse_schema(schema), rows)
