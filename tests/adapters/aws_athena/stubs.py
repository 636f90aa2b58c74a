"""Athena's answers made up, and a merge that meets them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.stub import Stubber

from campaign_workers.ports.query_engine import QueryEngine
from tests.adapters.aws_athena.lakes import Lake
from tests.servers.aws import aws_client, client_of, endpoint

QUERY = "q-1"
SOURCE = "avro/registration/2026/09/02/a.avro"


def merge(engine: QueryEngine, *sources: str) -> bytes:
    """The merged container."""
    with engine.merge("registration", sources or (SOURCE,), {}) as merging:
        return b"".join(merging.chunks())


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client whose answers are made up; each of them must be asked for."""
    client = client_of(endpoint(), service)
    with Stubber(client) as stub:
        yield client, stub
        stub.assert_no_pending_responses()


def add_start(stub: Stubber) -> None:
    """A query starts."""
    stub.add_response("start_query_execution", {"QueryExecutionId": QUERY})


def add_state(stub: Stubber, state: str, *, result: str = "", **status: Any) -> None:
    """Add a response with the state of the query."""
    execution: dict[str, Any] = {"Status": {"State": state, **status}}
    if result:
        execution["ResultConfiguration"] = {"OutputLocation": result}
    stub.add_response("get_query_execution", {"QueryExecution": execution})


def add_stop(stub: Stubber) -> None:
    """The query is stopped."""
    stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})


def put(place: Lake, content: str) -> str:
    """Put a result where a workgroup wants results; returns its address."""
    for key in ("results/q-1.csv", "results/q-1.csv.metadata"):
        aws_client("s3").put_object(Bucket=place.bucket, Key=key, Body=content.encode())
    return f"s3://{place.bucket}/results/q-1.csv"
