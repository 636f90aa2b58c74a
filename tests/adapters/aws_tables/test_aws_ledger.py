"""The delivery ledger when the table is busy, answers in part, or goes away in the middle."""

from contextlib import ExitStack
from datetime import timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.stub import ANY, Stubber
from urllib3 import HTTPResponse

from campaign_workers.adapters.aws.dynamodb_ledger import DynamoDeliveryLedger
from campaign_workers.domain.errors import Conflict, PermanentFailure, RetryLater
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState
from tests.adapters.aws_tables.service_calls import NOW, SENT, ledger, refused, stubbed
from tests.servers.aws import FreshAws, OverAws, aws_client, relay

CONFLICT = {"Code": "TransactionConflict"}
NONE = {"Code": "None"}
THROTTLED = {"Code": "ThrottlingError"}
MAILED = Delivery(message_id="m2", state=DeliveryState.SENT, channel=Channel.EMAIL)
KEPT_SECONDS = 366 * 24 * 3600


def item(message_id: str, state: str = "claimed", **more: str) -> dict[str, Any]:
    """An item of the table."""
    texts = {"pk": "wave", "sk": message_id, "state": state, **more}
    return {name: {"S": text} for name, text in texts.items()}


def taken(found: dict[str, Any]) -> dict[str, Any]:
    """Return the cancellation reason of an id that is already claimed."""
    return {"Code": "ConditionalCheckFailed", "Item": found}


def cancelled(answers: Stubber, *reasons: dict[str, Any]) -> None:
    """The next transaction fails for these reasons, one an item."""
    refused(
        answers,
        "transact_write_items",
        "TransactionCanceledException",
        CancellationReasons=list(reasons),
    )


def through(answers: Stubber) -> None:
    """The next transaction goes through."""
    answers.add_response("transact_write_items", {})


def test_a_conflict_is_tried_again_after_a_wait() -> None:
    """Waits are random, up to a limit that doubles."""
    waits: list[float] = []
    with stubbed("dynamodb") as (client, answers):
        for reason in (CONFLICT, THROTTLED):
            cancelled(answers, NONE, reason)
        through(answers)
        claimed = ledger(client, sleep=waits.append).claim("wave", ["m1", "m2"], now=NOW)
    assert {delivery.state for delivery in claimed.values()} == {DeliveryState.CLAIMED}
    assert waits == [0.05, 0.1]


def test_a_conflict_without_end_asks_for_another_try() -> None:
    """After the last attempt the work is given back."""
    with stubbed("dynamodb") as (client, answers):
        for _ in range(4):
            cancelled(answers, CONFLICT)
        with pytest.raises(RetryLater, match="deliveryLedger: busy"):
            ledger(client).claim("wave", ["m1"], now=NOW)


def test_only_what_is_free_is_claimed_again() -> None:
    """An id claimed meanwhile stays unchanged, and the others are claimed."""
    with stubbed("dynamodb") as (client, answers):
        found = item("m2", "sent", channel="email")
        cancelled(answers, CONFLICT, taken(found), NONE)
        writes: list[Any] = []
        client.meta.events.register(
            "before-parameter-build.dynamodb.TransactWriteItems",
            lambda params, **_: writes.append([w["Put"]["Item"] for w in params["TransactItems"]]),
        )
        through(answers)
        claimed = ledger(client).claim("wave", ["m1", "m2", "m3"], now=NOW)
    assert [[one["sk"]["S"] for one in write] for write in writes] == [
        ["m1", "m2", "m3"],
        ["m1", "m3"],
    ]
    assert claimed["m2"] == MAILED
    assert list(claimed) == ["m1", "m2", "m3"]


@pytest.mark.parametrize("reason", [NONE, {"Code": "ValidationError"}], ids=str)
def test_a_claim_that_is_refused_is_not_repeated(reason: dict[str, Any]) -> None:
    """Unexpected cancellation reasons stop the wave."""
    with stubbed("dynamodb") as (client, answers):
        cancelled(answers, reason)
        with pytest.raises(PermanentFailure, match="deliveryLedger"):
            ledger(client).claim("wave", ["m1"], now=NOW)


def test_what_was_not_processed_is_read_again() -> None:
    """A table that answers in part is asked for the rest alone."""
    rest = {"deliveryLedger": {"Keys": [{"pk": {"S": "wave"}, "sk": {"S": "m2"}}]}}
    with stubbed("dynamodb") as (client, answers):
        answers.add_response(
            "batch_get_item",
            {"Responses": {"deliveryLedger": [item("m1")]}, "UnprocessedKeys": rest},
        )
        answers.add_response(
            "batch_get_item",
            {"Responses": {"deliveryLedger": [item("m2")]}, "UnprocessedKeys": {}},
            {"RequestItems": rest},
        )
        assert set(ledger(client).read("wave", ["m1", "m2"])) == {"m1", "m2"}


def test_a_table_that_processes_nothing_asks_for_another_try() -> None:
    """What is left after the last attempt is never taken for unclaimed."""
    rest = {"deliveryLedger": {"Keys": [{"pk": {"S": "wave"}, "sk": {"S": "m1"}}]}}
    with stubbed("dynamodb") as (client, answers):
        for _ in range(4):
            answers.add_response("batch_get_item", {"Responses": {}, "UnprocessedKeys": rest})
        with pytest.raises(RetryLater, match="deliveryLedger: busy"):
            ledger(client).read("wave", ["m1"])


def test_an_outcome_waits_for_a_claim_under_way() -> None:
    """A worker that claims the same delivery at this moment is in the way for a moment only."""
    with stubbed("dynamodb") as (client, answers):
        refused(answers, "update_item", "TransactionConflictException")
        answers.add_response("update_item", {})
        ledger(client).settle("wave", SENT, now=NOW)


def test_an_outcome_whose_answer_was_lost_is_as_once() -> None:
    """The client's own second attempt finds what its first one wrote."""
    with stubbed("dynamodb") as (client, answers):
        for state in ("sent", "failed"):
            found = item("m1", state)
            refused(answers, "update_item", "ConditionalCheckFailedException", Item=found)
        refused(answers, "update_item", "ConditionalCheckFailedException")
        ledger(client).settle("wave", SENT, now=NOW)
        with pytest.raises(Conflict, match="already settled"):
            ledger(client).settle("wave", SENT, now=NOW)
        with pytest.raises(Conflict, match="never claimed"):
            ledger(client).settle("wave", SENT, now=NOW)


def test_a_read_sees_what_was_written() -> None:
    """It never asks a copy that lags behind."""
    expected = {"Keys": ANY, "ConsistentRead": True}
    with stubbed("dynamodb") as (client, answers):
        answers.add_response(
            "batch_get_item",
            {"Responses": {}, "UnprocessedKeys": {}},
            {"RequestItems": {"deliveryLedger": expected}},
        )
        assert ledger(client).read("wave", ["m1"]) == {}


class TestOverTheWire(OverAws):
    """The same on a table."""

    @pytest.fixture
    def table(self, aws: FreshAws) -> str:
        return aws.table("pk", "sk")

    def test_an_outage_in_the_middle_loses_nothing(self, aws: FreshAws, table: str) -> None:
        """What was claimed before it stays claimed, by its channel; the rest is claimed later."""
        client, calls = aws.client("dynamodb"), count(1)
        ids = [f"m{number}" for number in range(250)]
        with ExitStack() as outage:

            def cut_the_second(**_: object) -> None:
                if next(calls) == 2:
                    outage.enter_context(relay().cut())

            client.meta.events.register("before-send.dynamodb.TransactWriteItems", cut_the_second)
            tried = DynamoDeliveryLedger(client, table=table)
            with pytest.raises(RetryLater):
                tried.claim("wave", ids, now=NOW, channel=Channel.SMS)
        assert set(tried.read("wave", ids)) == set(ids[:100])
        claimed = tried.claim("wave", ids, now=NOW, channel=Channel.EMAIL)
        channels = [claimed[message_id].channel for message_id in ids]
        assert channels == [Channel.SMS] * 100 + [Channel.EMAIL] * 150

    def test_throttled_calls_are_repeated_by_the_client(self, aws: FreshAws, table: str) -> None:
        """A worker sees nothing of a throttle that passes."""
        client, busy = aws.client("dynamodb", retries={"total_max_attempts": 3}), 2

        def throttle(request: Any, **_: object) -> Any:
            nonlocal busy
            busy -= 1
            return throttled(request) if busy >= 0 else None

        client.meta.events.register("before-send.dynamodb.TransactWriteItems", throttle)
        tried = DynamoDeliveryLedger(client, table=table)
        assert set(tried.claim("wave", ["m1"], now=NOW)) == {"m1"}
        assert busy == -1

    def test_items_expire_more_than_a_year_after_their_last_write(
        self, aws: FreshAws, table: str
    ) -> None:
        """The attribute that the table deletes by moves on with the outcome."""
        tried = DynamoDeliveryLedger(aws.client("dynamodb"), table=table)
        tried.claim("wave", ["m1"], now=NOW, channel=Channel.SMS)
        claimed = raw(table, "m1")
        tried.settle("wave", SENT, now=NOW + timedelta(days=3))
        settled = raw(table, "m1")
        times = [int(one["expires"]["N"]) - int(NOW.timestamp()) for one in (claimed, settled)]
        assert times[0] > KEPT_SECONDS
        assert times[1] - times[0] == 3 * 24 * 3600
        assert settled.keys() == {"pk", "sk", "state", "claimed", "settled", "expires"}
        assert (claimed["claimed"], claimed["channel"]) == (settled["claimed"], {"S": "sms"})

    def test_what_should_be_gone_still_counts(self, aws: FreshAws, table: str) -> None:
        """An expired item that is not deleted yet still prevents a second text."""
        old = {**item("m1", "sent", channel="sms"), "expires": {"N": "1"}}
        aws_client("dynamodb").put_item(TableName=table, Item=old)
        tried = DynamoDeliveryLedger(aws.client("dynamodb"), table=table)
        sent = Delivery(message_id="m1", state=DeliveryState.SENT, channel=Channel.SMS)
        assert tried.claim("wave", ["m1"], now=NOW) == tried.read("wave", ["m1"]) == {"m1": sent}


def raw(table: str, message_id: str) -> dict[str, Any]:
    """An item, past the adapter."""
    key = {"pk": {"S": "wave"}, "sk": {"S": message_id}}
    found: dict[str, Any] = aws_client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return found


def throttled(request: Any) -> Any:
    """An answer that no table gave."""
    body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": ""}'
    content = HTTPResponse(BytesIO(body), preload_content=False)
    return AWSResponse(request.url, 400, HTTPHeaders(), content)
