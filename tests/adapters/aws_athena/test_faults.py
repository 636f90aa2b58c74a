"""Whatever goes wrong with a query, nothing is left behind and the error says what to do."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from campaign_workers.adapters.aws.athena.columns import Columns
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.errors import CampaignError, Fatal, RetryLater
from tests.adapters.aws_athena.lakes import WORKGROUP, Impatient, Lake
from tests.adapters.aws_athena.stubs import (
    SOURCE,
    add_start,
    add_state,
    add_stop,
    merge,
    put,
    stubbed,
)
from tests.lake_scenes import CODEC

HEAD = Columns.from_schema(CODEC.schema("registration")).header + "\n"


@pytest.fixture(autouse=True)
def nothing_is_left_behind(place: Lake) -> Iterator[None]:
    """After every test the source is there and nothing else."""
    yield
    assert place.keys() == [SOURCE]
    assert place.tables() == []


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
            "HIVE_BAD_DATA.*query history",
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
def test_a_failed_query_decides_on_a_retry(
    place: Lake, status: Mapping[str, Any], error: type[CampaignError], words: str
) -> None:
    """Athena's own word for it decides; the text of its reason, which quotes values, is left."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "QUEUED")
        add_state(stub, "FAILED", **status)
        with pytest.raises(error, match=words) as caught:
            merge(place.engine(athena=athena, clock=Impatient()))
    assert "fan@" not in str(caught.value)


def test_a_cancelled_query_is_tried_again(place: Lake) -> None:
    """A person or the workgroup's limit cancelled the query."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "CANCELLED")
        with pytest.raises(RetryLater, match="CANCELLED"):
            merge(place.engine(athena=athena))


def test_a_query_that_never_ends_is_stopped(place: Lake) -> None:
    """It is given up after the time it may take, and waited for until it really is over."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "QUEUED")
        add_state(stub, "RUNNING")
        add_stop(stub)
        add_state(stub, "RUNNING")
        add_state(stub, "CANCELLED", result=put(place, "half a resu"))
        with pytest.raises(RetryLater, match=r"did not end within 0\.1 s and was stopped"):
            merge(place.engine(athena=athena, clock=Impatient(), timeout_seconds=0.1))


def test_a_query_that_cannot_be_stopped_is_named(
    place: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    """The first error is the one that counts; the log says which query may go on."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        stub.add_client_error("get_query_execution", "ThrottlingException", http_status_code=400)
        stub.add_client_error("stop_query_execution", "InternalServerException", "", 500)
        with pytest.raises(RetryLater, match="too many requests"):
            merge(place.engine(athena=athena))
    assert "query q-1 may still be running" in caplog.text


class Interrupted(SystemClock):
    """A clock that raises KeyboardInterrupt once."""

    def __init__(self) -> None:
        self.waits = 0

    def sleep(self, seconds: float) -> None:
        """Be interrupted the first time."""
        self.waits += 1
        if self.waits == 1:
            raise KeyboardInterrupt


def test_an_interrupted_merge_stops_its_query(place: Lake) -> None:
    """Ctrl-C leaves no query running."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "RUNNING")
        add_stop(stub)
        add_state(stub, "CANCELLED")
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
        ([HEAD], "returned 0 of 2 records"),
        ([], "returned 0 of 2 records"),
    ],
)
def test_a_spoilt_result_is_never_taken_for_a_whole_one(
    place: Lake, lines: list[str], words: str
) -> None:
    """What is cut short, foreign or short of records ends the merge, and is cleaned up too."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "SUCCEEDED", result=put(place, "".join(lines)))
        with pytest.raises(RetryLater, match=words):
            merge(place.engine(athena=athena))


def test_null_where_there_is_always_a_value_is_no_record(place: Lake) -> None:
    """A table that Athena could not read right gives nulls, and they are not believed."""
    width = len(Columns.from_schema(CODEC.schema("registration")).plain)
    nulls = "[" + ",".join(["null"] * width) + "]"
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "SUCCEEDED", result=put(place, f'{HEAD}"{nulls}","[]"\n'))
        with pytest.raises(RetryLater, match="line 2"):
            merge(place.engine(athena=athena))


def test_a_missing_result_is_asked_for_again(place: Lake) -> None:
    """A query that succeeded without a result is repeated, not believed."""
    with stubbed("athena") as (athena, stub):
        add_start(stub)
        add_state(stub, "SUCCEEDED", result=f"s3://{place.bucket}/results/none.csv")
        with pytest.raises(RetryLater, match=r"s3://.*is missing"):
            merge(place.engine(athena=athena))


def test_access_denied_names_the_right_that_is_missing(place: Lake) -> None:
    """The operator reads which action to allow, and on what."""
    with stubbed("athena") as (athena, stub):
        stub.add_client_error("start_query_execution", "AccessDeniedException", "", 400)
        with pytest.raises(Fatal, match=f"{WORKGROUP}.*allow athena:StartQueryExecution"):
            merge(place.engine(athena=athena))


def test_a_missing_database_is_named(place: Lake) -> None:
    """The stack was not deployed, or the name is wrong."""
    with pytest.raises(Fatal, match=r"nowhere.*database or table does not exist"):
        merge(place.engine(database="nowhere"))
