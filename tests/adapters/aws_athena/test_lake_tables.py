"""The tables and views that people query the lake through."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from campaign_workers.domain.records.types import RECORD_TYPES
from deploy.athena.statements import BUCKET, FOLDER, statements
from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.lake_scenes import DAY, keys, merge, plant
from tests.servers.aws import aws_client


@pytest.fixture(scope="module")
def place() -> Iterator[Lake]:
    """A lake with every table."""
    with new_lake() as place:
        for record_type in RECORD_TYPES:
            ask(place, sql("tables", record_type))
        yield place


def sql(folder: str, record_type: str) -> str:
    """A statement as it is shipped."""
    return (FOLDER / folder / f"{record_type}.sql").read_text(encoding="utf-8")


def ask(place: Lake, statement: str) -> list[list[str | None]]:
    """What Athena answers, without the names of the columns."""
    athena = aws_client("athena")
    query = athena.start_query_execution(
        QueryString=statement.replace(BUCKET, place.bucket),
        QueryExecutionContext={"Database": place.database},
        ResultConfiguration={"OutputLocation": f"s3://{place.bucket}/results/"},
    )["QueryExecutionId"]
    while (status := state_of(query))["State"] in {"QUEUED", "RUNNING"}:
        time.sleep(0.02)
    assert status["State"] == "SUCCEEDED", status
    rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows[1:]]


def state_of(query: str) -> Any:
    """How a query stands."""
    found = aws_client("athena").get_query_execution(QueryExecutionId=query)
    return found["QueryExecution"]["Status"]


def view(record_type: str) -> str:
    """The query of a view; the engine here keeps no views."""
    head, _, query = sql("views", record_type).partition(" AS\n")
    assert head == f'CREATE OR REPLACE VIEW "distinct_{record_type.lower()}"'
    return query


def test_the_statements_are_of_the_schemas_in_force() -> None:
    """`python -m deploy.athena` would write nothing new."""
    made = dict(statements())
    assert {path: path.read_text(encoding="utf-8") for path in made} == made
    assert sorted(FOLDER.rglob("*.sql")) == sorted(made)


def test_every_type_has_a_table(place: Lake) -> None:
    """Athena takes each statement, and the catalog knows the table and where its files lie."""
    tables = aws_client("glue").get_tables(DatabaseName=place.database)["TableList"]
    assert {
        table["Name"]: table["StorageDescriptor"]["Location"].removesuffix("/") for table in tables
    } == {name.lower(): f"s3://{place.bucket}/avro/{name}" for name in RECORD_TYPES}


@pytest.mark.parametrize("record_type", sorted(RECORD_TYPES.keys() - {"registration"}))
def test_every_type_has_a_view(place: Lake, record_type: str) -> None:
    """Athena takes each query, also where there is no file yet."""
    assert ask(place, view(record_type)) == []


def test_a_view_gives_each_record_once(place: Lake) -> None:
    """Streams deliver twice, and files lie beside the merged one for a while."""
    lake = place.objects
    plant(lake, f"{DAY}/a.avro", 1, 2, 2)
    plant(lake, f"{DAY}/b.avro", 2, 3)
    merge(lake, engine=place.engine())
    assert len(keys(lake, DAY)) == 3
    fans = 'SELECT "globaluserid" FROM '
    everything = Counter(row[0] for row in ask(place, f'{fans} "registration"'))
    assert everything == {"g1": 2, "g2": 6, "g3": 2}
    distinct = Counter(row[0] for row in ask(place, f"{fans} ({view('registration')})"))
    assert distinct == {"g1": 1, "g2": 1, "g3": 1}
