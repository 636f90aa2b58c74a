"""The demand table: its items, and concurrent writers."""

from functools import partial
from typing import Any

import pytest

from campaign_workers.adapters.aws.dynamodb_demand import DynamoDemandTable
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.tables import SelectedEvent
from campaign_workers.testing.contracts._base import race
from tests.adapters.aws_tables.service_calls import CALLS, EVENT, demand, refused, stubbed
from tests.servers.aws import FreshAws, OverAws, aws_client

KEY = {"pk": {"S": "fan:g1"}, "sk": {"S": "campaign:tour"}}
REFUSED = "ConditionalCheckFailedException"


class TestOverTheWire(OverAws):
    """On a table."""

    @pytest.fixture
    def name(self, aws: FreshAws) -> str:
        return aws.table("pk", "sk")

    @pytest.fixture
    def table(self, aws: FreshAws, name: str) -> DynamoDemandTable:
        return DynamoDemandTable(aws.client("dynamodb"), table=name)

    def test_items_are_what_ticketing_reads(self, table: DynamoDemandTable, name: str) -> None:
        """Keys and attributes are named as other teams know them."""
        table.select("g1", "tour", {"_": EVENT})
        [item] = aws_client("dynamodb").scan(TableName=name)["Items"]
        event = {"M": {"code": {"S": EVENT.code}, "date": {"S": EVENT.date}}}
        assert item == {**KEY, "verdict": {"BOOL": True}, "selected_events": {"M": {"_": event}}}

    def test_other_attributes_of_an_item_stay(self, table: DynamoDemandTable, name: str) -> None:
        """An item that others began gets a verdict and events, and keeps its attributes."""
        raw = aws_client("dynamodb")
        mine = {"verdict": {"BOOL": False}, "note": {"S": "theirs"}}
        raw.put_item(TableName=name, Item={**KEY, **mine})
        assert table.read("g1", "tour") == {}
        table.select("g1", "tour", {"nyc": EVENT})
        table.replace("g1", "tour", {"chi": EVENT})
        item: dict[str, Any] = raw.get_item(TableName=name, Key=KEY)["Item"]
        assert (item["verdict"], item["note"]) == ({"BOOL": True}, {"S": "theirs"})
        assert table.read("g1", "tour") == {"chi": EVENT}

    def test_an_empty_selection_of_somebody_known_keeps_everything(
        self, table: DynamoDemandTable, name: str
    ) -> None:
        """Only the verdict is set."""
        table.select("g1", "tour", {"nyc": EVENT})
        table.select("g1", "tour", {})
        assert table.read("g1", "tour") == {"nyc": EVENT}

    @pytest.mark.parametrize("market", ["a.b", "size", "#m0", ":e0", "x y", "1", "Zoë", "m[0]"])
    def test_a_market_may_have_any_name(self, table: DynamoDemandTable, market: str) -> None:
        """No id of a market is read as a part of an expression."""
        for events in ({"nyc": EVENT}, {market: EVENT}):
            table.select("g1", "tour", events)
        assert table.read("g1", "tour") == {"nyc": EVENT, market: EVENT}

    @pytest.mark.parametrize("known", [False, True])
    def test_writers_at_the_same_moment_both_count(
        self, table: DynamoDemandTable, known: bool
    ) -> None:
        """Eight events that come at once are all there, whether there was an item or not."""
        expected = {"old": EVENT} if known else {}
        if known:
            table.select("g1", "tour", expected)
        fresh = {f"m{n}": SelectedEvent(code=f"C{n}", date=EVENT.date) for n in range(8)}
        done = race(*(partial(table.select, "g1", "tour", {m: e}) for m, e in fresh.items()))
        assert done == [None] * 8
        assert table.read("g1", "tour") == expected | fresh


def test_the_slower_writer_adds_to_the_other_events() -> None:
    """If the map came between looking and writing, the event is set inside of it."""
    with stubbed("dynamodb") as (client, answers):
        refused(answers, "update_item", REFUSED)
        answers.add_response("update_item", {})
        demand(client).select("g1", "tour", {"nyc": EVENT})


def test_an_item_that_comes_and_goes_asks_for_another_try() -> None:
    """If it is erased each time before it can be added to, the work is given back."""
    with stubbed("dynamodb") as (client, answers):
        for _ in range(6):
            refused(answers, "update_item", REFUSED)
        with pytest.raises(RetryLater, match="demandTable"):
            CALLS["select"].make(client)


def test_a_read_sees_what_was_written() -> None:
    """It never asks a copy that lags behind."""
    with stubbed("dynamodb") as (client, answers):
        answers.add_response(
            "get_item", {}, {"TableName": "demandTable", "Key": KEY, "ConsistentRead": True}
        )
        assert demand(client).read("g1", "tour") is None
