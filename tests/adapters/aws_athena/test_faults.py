"""Whatever goes wrong in a merge by query, nothing is left behind and the error says what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from botocore.stub import Stubber

from campaign_workers.adapters.aws.athena.columns import Columns
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.errors import CampaignError, Fatal, NotFound, RetryLater
from campaign_workers.domain.layout import scratch
from campaign_workers.ports.query_engine import QueryEngine
from tests.adapters.aws_athena.lakes import WORKGROUP, Impatient, Lake, new_lake
from tests.lake_scenes import CODEC, plant
from tests.servers.aws import aws_client, client_of, endpoint

QUERY = "q-1"
SOURCE = "avro/registration/2026/09/02/a.avro"
HEAD = Columns.of(CODEC.schema("registration")).head + "\n"


@pytest.fixture(scope="module")
def place() -> Iterator[Lake]:
    """One lake for all tests, with one file of two fans."""
    with new_lake() as place:
        plant(place.objects, SOURCE, 1, 2)
        yield place


@pytest.fixture(autouse=True)
def nothing_is_left_behind(place: Lake) -> Iterator[None]:
    """After every test the source is there and nothing else."""
    yield
    assert place.keys() == [SOURCE]
    assert place.tables() == []


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


def started(stub: Stubber) -> None:
    """A query starts."""
    stub.add_response("start_query_execution", {"QueryExecutionId": QUERY})


def told(stub: Stubber, state: str, *, result: str = "", **status: Any) -> None:
    """The query is told to be in a state."""
    execution: dict[str, Any] = {"Status": {"State": state, **status}}
    if result:
        execution["ResultConfiguration"] = {"OutputLocation": result}
    stub.add_response("get_query_execution", {"QueryExecution": execution})


def stopped(stub: Stubber) -> None:
    """The query is stopped."""
    stub.add_response("stop_query_execution", {}, {"QueryExecutionId": QUERY})


def put(place: Lake, content: str) -> str:
    """Put a result where a workgroup wants results; returns its address."""
    for key in ("results/q-1.csv", "results/q-1.csv.metadata"):
        aws_client("s3").put_object(Bucket=place.bucket, Key=key, Body=content.encode())
    return f"s3://{place.bucket}/results/q-1.csv"


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (
            {"AthenaError": {"ErrorCategory": 1, "ErrorType": 1, "Retryable": True}},
            RetryLater,
            "FAILED, ErrorCategory 1, ErrorType 1",
        ),
        (
            {
                "StateChangeReason": "HIVE_BAD_DATA: fan@mail.example is no bigint",
                "AthenaError": {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False},
            },
            Fatal,
            "HIVE_BAD_DATA.*history of the workgroup",
        ),
        (
            {"AthenaError": {"ErrorCategory": 2, "ErrorType": 8, "Retryable": True}},
            RetryLater,
            "ErrorType 8",
        ),
        ({"AthenaError": {"ErrorCategory": 3}}, RetryLater, "ErrorCategory 3"),
        ({"StateChangeReason": "Insufficient capacity"}, RetryLater, r"q-1 failed \(FAILED\)"),
    ],
)
def test_a_failed_query_tells_whether_to_try_again(
    place: Lake, status: Mapping[str, Any], error: type[CampaignError], words: str
) -> None:
    """Athena's own word for it decides; the text of its reason, which quotes values, is left."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "QUEUED")
        told(stub, "FAILED", **status)
        with pytest.raises(error, match=words) as caught:
            merge(place.engine(athena=athena, clock=Impatient()))
    assert "fan@" not in str(caught.value)


def test_a_cancelled_query_is_tried_again(place: Lake) -> None:
    """Somebody stopped it by hand, or the workgroup's limit did."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "CANCELLED")
        with pytest.raises(RetryLater, match="CANCELLED"):
            merge(place.engine(athena=athena))


def test_a_query_that_never_ends_is_stopped(place: Lake) -> None:
    """It is given up after the time it may take, and waited for until it really is over."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "QUEUED")
        told(stub, "RUNNING")
        stopped(stub)
        told(stub, "RUNNING")
        told(stub, "CANCELLED", result=put(place, "half a resu"))
        with pytest.raises(RetryLater, match=r"did not end within 0\.1 s and was stopped"):
            merge(place.engine(athena=athena, clock=Impatient(), patience_seconds=0.1))


def test_a_query_that_cannot_be_stopped_is_named(
    place: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    """The first error is the one that counts; the log says which query may go on."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        stub.add_client_error("get_query_execution", "ThrottlingException", http_status_code=400)
        stub.add_client_error("stop_query_execution", "InternalServerException", "", 500)
        with pytest.raises(RetryLater, match="too many requests"):
            merge(place.engine(athena=athena))
    assert "query q-1 may still be running" in caplog.text


class Interrupted(SystemClock):
    """A clock at which somebody presses Ctrl-C once."""

    def __init__(self) -> None:
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        """Be interrupted the first time."""
        self.waits += 1
        if self.waits == 1:
            raise KeyboardInterrupt


def test_an_interrupted_merge_stops_its_query(place: Lake) -> None:
    """Whoever presses Ctrl-C leaves no query running."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "RUNNING")
        stopped(stub)
        told(stub, "CANCELLED")
        with pytest.raises(KeyboardInterrupt):
            merge(place.engine(athena=athena, clock=Interrupted()))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([HEAD, '"[""a'], "line 2"),
        ([HEAD.strip()], "line 1"),
        (['"other"\n'], "line 1"),
        ([HEAD, "no csv\n"], "line 2"),
        ([HEAD, '"{}","[]"\n'], "line 2"),
        ([HEAD, '"[""registration""]","[]"\n'], "line 2"),
        ([HEAD], "gave 0 of 2 records"),
        ([], "gave 0 of 2 records"),
    ],
)
def test_a_spoilt_result_is_never_taken_for_a_whole_one(
    place: Lake, lines: list[str], words: str
) -> None:
    """What is cut short, foreign or short of records ends the merge, and is cleaned up too."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "SUCCEEDED", result=put(place, "".join(lines)))
        with pytest.raises(RetryLater, match=words):
            merge(place.engine(athena=athena))


def test_null_where_there_is_always_a_value_is_no_record(place: Lake) -> None:
    """A table that Athena could not read right gives nulls, and they are not believed."""
    width = len(Columns.of(CODEC.schema("registration")).plain)
    nulls = "[" + ",".join(["null"] * width) + "]"
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "SUCCEEDED", result=put(place, f'{HEAD}"{nulls}","[]"\n'))
        with pytest.raises(RetryLater, match="line 2"):
            merge(place.engine(athena=athena))


def test_a_missing_result_is_asked_for_again(place: Lake) -> None:
    """A query that succeeded without a result is repeated, not believed."""
    with stubbed("athena") as (athena, stub):
        started(stub)
        told(stub, "SUCCEEDED", result=f"s3://{place.bucket}/results/none.csv")
        with pytest.raises(RetryLater, match="not there: s3://"):
            merge(place.engine(athena=athena))


class Deciding:
    """A workgroup that decides where results go, whatever is asked for."""

    def __init__(self, athena: Any, bucket: str) -> None:
        self._athena, self._place = athena, {"OutputLocation": f"s3://{bucket}/decided/"}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._athena, name)

    def start_query_execution(self, **given: Any) -> Any:
        """Start a query whose result goes elsewhere."""
        return self._athena.start_query_execution(**given | {"ResultConfiguration": self._place})


def test_a_workgroup_may_put_results_elsewhere(place: Lake) -> None:
    """The result is read, and taken away, where the workgroup had it written."""
    with new_lake() as elsewhere:
        athena = Deciding(place.engine().athena, elsewhere.bucket)
        data = merge(place.engine(athena=athena))
        assert elsewhere.keys() == []
    assert CODEC.describe(BytesIO(data)).records == 2


def test_access_denied_names_the_right_that_is_missing(place: Lake) -> None:
    """The operator reads which action to allow, and on what."""
    with stubbed("athena") as (athena, stub):
        stub.add_client_error("start_query_execution", "AccessDeniedException", "", 400)
        with pytest.raises(Fatal, match=f"{WORKGROUP}.*allow athena:StartQueryExecution"):
            merge(place.engine(athena=athena))


def test_a_missing_database_is_named(place: Lake) -> None:
    """The stack was not deployed, or the name is wrong."""
    with pytest.raises(Fatal, match=r"nowhere.*no such database"):
        merge(place.engine(database="nowhere"))


class StubbornCatalog:
    """A catalog that takes tables and does not give them back."""

    def __init__(self, glue: Any, refusing: Any) -> None:
        self._glue, self.delete_table = glue, refusing.delete_table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._glue, name)


def test_a_table_that_cannot_be_dropped_keeps_nothing_else(place: Lake) -> None:
    """Copies and result are gone all the same, and the error names the table and the right."""
    with stubbed("glue") as (refusing, stub):
        stub.add_client_error("delete_table", "AccessDeniedException", "", 400)
        glue = StubbornCatalog(place.engine().glue, refusing)
        with pytest.raises(Fatal, match=r"left behind.*table \w+\.merge_.*allow glue:DeleteTable"):
            merge(place.engine(glue=glue))
    assert place.keys() == [SOURCE]
    for table in place.tables():
        aws_client("glue").delete_table(DatabaseName=place.database, Name=table)


def test_cleaning_up_hides_no_error(place: Lake, caplog: pytest.LogCaptureFixture) -> None:
    """When the query failed and the table stays, too, the query's error is the one that counts."""
    with stubbed("glue") as (refusing, drops), stubbed("athena") as (athena, stub):
        drops.add_client_error("delete_table", "InternalServiceException", "", 500)
        glue = StubbornCatalog(place.engine().glue, refusing)
        started(stub)
        told(stub, "CANCELLED")
        with pytest.raises(RetryLater, match="CANCELLED"):
            merge(place.engine(athena=athena, glue=glue))
    assert "left behind by a merge" in caplog.text
    for table in place.tables():
        aws_client("glue").delete_table(DatabaseName=place.database, Name=table)


def test_what_was_never_asked_for_leaves_nothing(place: Lake) -> None:
    """A merge that nobody reads asks nobody for anything."""
    with (
        stubbed("athena") as (athena, _),
        place.engine(athena=athena).merge("registration", [], {}),
    ):
        pass


def test_a_source_that_vanishes_stops_the_copying(place: Lake) -> None:
    """No query is started over some of the sources."""
    with stubbed("athena") as (athena, _), pytest.raises(NotFound):
        merge(place.engine(athena=athena), SOURCE, "avro/registration/2026/09/02/gone.avro")


class Later(SystemClock):
    """A clock that is two hours ahead."""

    def now(self) -> datetime:
        """In two hours."""
        return super().now() + timedelta(hours=2)


def test_what_a_killed_merge_left_is_taken_away_by_a_later_one(place: Lake) -> None:
    """A killed process cleans nothing up; the next merge does, if it is old enough to be sure."""
    left = f"{scratch('killed')}sources/00000000.avro"
    aws_client("s3").put_object(Bucket=place.bucket, Key=left, Body=b"")
    aws_client("glue").create_table(
        DatabaseName=place.database, TableInput={"Name": "merge_killed"}
    )
    merge(place.engine())
    assert (place.keys(), place.tables()) == ([left, SOURCE], ["merge_killed"])
    merge(place.engine(clock=Later()))


def test_tables_of_others_are_left_alone(place: Lake) -> None:
    """Only tables that merges made are ever taken away."""
    glue = aws_client("glue")
    glue.create_table(DatabaseName=place.database, TableInput={"Name": "registration"})
    merge(place.engine(clock=Later()))
    assert place.tables() == ["registration"]
    glue.delete_table(DatabaseName=place.database, Name="registration")
