"""The calls that tables, secrets and starts make of AWS, and clients that are refused."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import attrs
from botocore.stub import Stubber

from campaign_workers.adapters.aws.concurrency import Backoff
from campaign_workers.adapters.aws.dynamodb_demand import DynamoDemandTable
from campaign_workers.adapters.aws.dynamodb_ledger import DynamoDeliveryLedger
from campaign_workers.adapters.aws.secrets_manager import SecretsManagerSecrets
from campaign_workers.adapters.aws.stepfunctions import StepFunctionsStarter
from campaign_workers.ports.tables import Delivery, DeliveryState, SelectedEvent
from tests.servers.aws import client_of

NOWHERE: Final = "http://127.0.0.1:9"
NOW: Final = datetime(2026, 10, 5, 15, tzinfo=UTC)
MACHINE: Final = "arn:aws:states:us-east-1:000000000000:stateMachine:sms-wave-step-fn"
EXECUTION: Final = "arn:aws:states:us-east-1:000000000000:execution:sms-wave-step-fn:wave-1"
CODE: Final = "SECRET-CODE-1"
"""A personal value, which no error shows."""
EVENT: Final = SelectedEvent(code=CODE, date="2026-10-01T00:00:00Z")
SENT: Final = Delivery(message_id="m1", state=DeliveryState.SENT)


def demand(client: Any) -> DynamoDemandTable:
    """The table `demandTable`."""
    return DynamoDemandTable(client, table="demandTable")


def ledger(
    client: Any, *, sleep: Callable[[float], object] = lambda seconds: None
) -> DynamoDeliveryLedger:
    """The table `deliveryLedger`, whose waits take no time."""
    backoff = Backoff(sleep=sleep, max_attempts=4, rng=lambda: 0.5)
    return DynamoDeliveryLedger(client, table="deliveryLedger", backoff=backoff)


@attrs.frozen
class Call:
    """What is asked of which service, with what action's leave, about what."""

    service: str
    operation: str
    action: str
    resource: str
    make: Callable[[Any], object]


CALLS: Final[Mapping[str, Call]] = {
    "select": Call(
        "dynamodb",
        "update_item",
        "dynamodb:UpdateItem",
        "demandTable",
        lambda client: demand(client).select("g1", "tour", {"nyc": EVENT}),
    ),
    "replace": Call(
        "dynamodb",
        "update_item",
        "dynamodb:UpdateItem",
        "demandTable",
        lambda client: demand(client).replace("g1", "tour", {"nyc": EVENT}),
    ),
    "read an item": Call(
        "dynamodb",
        "get_item",
        "dynamodb:GetItem",
        "demandTable",
        lambda client: demand(client).read("g1", "tour"),
    ),
    "claim": Call(
        "dynamodb",
        "transact_write_items",
        "dynamodb:PutItem",
        "deliveryLedger",
        lambda client: ledger(client).claim("wave", ["m1"], now=NOW),
    ),
    "read deliveries": Call(
        "dynamodb",
        "batch_get_item",
        "dynamodb:BatchGetItem",
        "deliveryLedger",
        lambda client: ledger(client).read("wave", ["m1"]),
    ),
    "settle": Call(
        "dynamodb",
        "update_item",
        "dynamodb:UpdateItem",
        "deliveryLedger",
        lambda client: ledger(client).settle("wave", SENT, now=NOW),
    ),
    "read a secret": Call(
        "secretsmanager",
        "get_secret_value",
        "secretsmanager:GetSecretValue",
        "campaign-workers/services/sms/token",
        lambda client: SecretsManagerSecrets(client, prefix="campaign-workers/").read(
            "services/sms/token"
        ),
    ),
    "start": Call(
        "stepfunctions",
        "start_execution",
        "states:StartExecution",
        MACHINE,
        lambda client: StepFunctionsStarter(client, state_machine=MACHINE).start("wave-1", {}),
    ),
}


@contextmanager
def stubbed(service: str) -> Iterator[tuple[Any, Stubber]]:
    """A client that gets the answers which are added, every one of them."""
    client = client_of(NOWHERE, service)
    with Stubber(client) as answers:
        yield client, answers
        answers.assert_no_pending_responses()


def refused(answers: Stubber, operation: str, code: str, status: int = 400, **details: Any) -> None:
    """Add an error; its text quotes what must not be shown."""
    answers.add_client_error(
        operation,
        service_error_code=code,
        service_message=f"{CODE} of account 123456789012",
        http_status_code=status,
        modeled_fields=details,
    )
