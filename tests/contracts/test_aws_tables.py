"""Tables, secrets and starts of waves on AWS keep their contracts, over the wire."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from typing import Any, Final

import pytest
from hypothesis import settings

from campaign_workers.adapters.aws.dynamodb_demand import DynamoDemandTable
from campaign_workers.adapters.aws.dynamodb_ledger import DynamoDeliveryLedger
from campaign_workers.adapters.aws.secrets_manager import SecretsManagerSecrets
from campaign_workers.adapters.aws.stepfunctions import StepFunctionsStarter
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.ports.tables import DeliveryLedger
from campaign_workers.testing.contracts.delivery_ledger import DeliveryLedgerContract
from campaign_workers.testing.contracts.demand_table import DemandTableContract
from campaign_workers.testing.contracts.secrets import Plant, SecretsContract
from campaign_workers.testing.contracts.workflow import Started, WorkflowStarterContract
from campaign_workers.testing.machines.ledger import LedgerMachine
from tests.contracts.over_tables import FreshIds
from tests.servers.aws import ACCOUNT, FreshAws, OverAws, aws_client, client_of, relayed_endpoint

KEYS: Final = ("pk", "sk")
MACHINE: Final = {
    "StartAt": "Wait",
    "States": {"Wait": {"Type": "Wait", "Seconds": 30, "End": True}},
}


@cache
def asking(service: str) -> Any:
    """A client as adapters get it, of which threads share the connections."""
    return client_of(relayed_endpoint(), service, max_pool_connections=50)


class TestDemandTable(OverAws, DemandTableContract):
    """`DynamoDemandTable`."""

    @pytest.fixture
    def table(self, aws: FreshAws) -> DynamoDemandTable:
        return DynamoDemandTable(asking("dynamodb"), table=aws.table(*KEYS))

    @pytest.fixture
    def fresh_id(self) -> Callable[[], str]:
        return FreshIds()


class TestDeliveryLedger(OverAws, DeliveryLedgerContract):
    """`DynamoDeliveryLedger`."""

    @pytest.fixture
    def ledger(self, aws: FreshAws) -> DynamoDeliveryLedger:
        return DynamoDeliveryLedger(asking("dynamodb"), table=aws.table(*KEYS))


class TestSecrets(OverAws, SecretsContract):
    """`SecretsManagerSecrets`."""

    @pytest.fixture
    def prefix(self, aws: FreshAws) -> Iterator[str]:
        prefix = f"{aws.name()}/"
        yield prefix
        manager = aws_client("secretsmanager")
        for secret in manager.list_secrets(Filters=[{"Key": "name", "Values": [prefix]}])[
            "SecretList"
        ]:
            manager.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)

    @pytest.fixture
    def secrets(self, prefix: str) -> SecretsManagerSecrets:
        return SecretsManagerSecrets(asking("secretsmanager"), prefix=prefix)

    @pytest.fixture
    def plant(self, prefix: str) -> Plant:
        def plant(name: str, secret: str) -> None:
            manager, secret_id = aws_client("secretsmanager"), f"{prefix}{name}"
            try:
                manager.create_secret(Name=secret_id, SecretString=secret)
            except manager.exceptions.ResourceExistsException:
                manager.put_secret_value(SecretId=secret_id, SecretString=secret)

        return plant


class TestWorkflowStarter(OverAws, WorkflowStarterContract):
    """`StepFunctionsStarter`."""

    @pytest.fixture
    def clock(self) -> SystemClock:
        return SystemClock()

    @pytest.fixture
    def state_machine(self, aws: FreshAws) -> Iterator[str]:
        functions = aws_client("stepfunctions")
        made = functions.create_state_machine(
            name=aws.name(),
            definition=json.dumps(MACHINE),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/waves",
        )
        yield made["stateMachineArn"]
        functions.delete_state_machine(stateMachineArn=made["stateMachineArn"])

    @pytest.fixture
    def workflow(self, state_machine: str) -> StepFunctionsStarter:
        return StepFunctionsStarter(asking("stepfunctions"), state_machine=state_machine)

    @pytest.fixture
    def started(self, state_machine: str) -> Started:
        def started() -> dict[str, Mapping[str, Any]]:
            return {one["name"]: json.loads(one["input"]) for one in executions(state_machine)}

        return started


def executions(state_machine: str) -> list[dict[str, Any]]:
    """What was started, past the adapter."""
    functions = aws_client("stepfunctions")
    listed = functions.list_executions(stateMachineArn=state_machine)["executions"]
    return [functions.describe_execution(executionArn=one["executionArn"]) for one in listed]


class LedgerInDynamo(LedgerMachine):
    """`DynamoDeliveryLedger`, any sequence of calls beside a dictionary."""

    def start(self) -> DeliveryLedger:
        """A fresh ledger in a fresh table."""
        self.stack = ExitStack()
        table = FreshAws(self.stack).table(*KEYS)
        return DynamoDeliveryLedger(asking("dynamodb"), table=table)

    def teardown(self) -> None:
        """Let go of the table."""
        self.stack.close()


TestLedgerInDynamo = LedgerInDynamo.TestCase
TestLedgerInDynamo.settings = settings(max_examples=20, stateful_step_count=20)
