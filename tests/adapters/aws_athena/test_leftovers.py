"""What a merge makes for itself is taken away, by itself or by a later one, and nothing else."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import pytest

from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.domain.errors import Fatal, NotFound, RetryLater
from campaign_workers.domain.storage.layout import scratch_prefix
from tests.adapters.aws_athena.lakes import Lake, new_lake
from tests.adapters.aws_athena.stubs import SOURCE, add_start, add_state, merge, stubbed
from tests.lake_scenes import CODEC
from tests.servers.aws import aws_client


@pytest.fixture(autouse=True)
def nothing_is_left_behind(place: Lake) -> Iterator[None]:
    """After every test the source is there and nothing else."""
    yield
    assert place.keys() == [SOURCE]
    assert place.tables() == []


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
        with pytest.raises(Fatal, match=r"could not remove.*table \w+\.merge_.*allow glue:Delete"):
            merge(place.engine(glue=glue))
    assert place.keys() == [SOURCE]
    for table in place.tables():
        aws_client("glue").delete_table(DatabaseName=place.database, Name=table)


def test_cleaning_up_hides_no_error(place: Lake, caplog: pytest.LogCaptureFixture) -> None:
    """When the query failed and the table stays, too, the query's error is the one that counts."""
    with stubbed("glue") as (refusing, drops), stubbed("athena") as (athena, stub):
        drops.add_client_error("delete_table", "InternalServiceException", "", 500)
        glue = StubbornCatalog(place.engine().glue, refusing)
        add_start(stub)
        add_state(stub, "CANCELLED")
        with pytest.raises(RetryLater, match="CANCELLED"):
            merge(place.engine(athena=athena, glue=glue))
    assert "a merge could not remove its scratch data" in caplog.text
    for table in place.tables():
        aws_client("glue").delete_table(DatabaseName=place.database, Name=table)


def test_what_was_never_asked_for_leaves_nothing(place: Lake) -> None:
    """A merge that is not read sends no request."""
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
    left = f"{scratch_prefix('killed')}sources/00000000.avro"
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
