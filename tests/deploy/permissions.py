"""What a worker needs of AWS, computed from its ports and triggers, and what its role allows."""

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

import attrs

from campaign_workers.container.workers import BUILDERS
from campaign_workers.domain.running.triggers import (
    DELIVERY_LEDGER,
    DEMAND_TABLE,
    SMS_WAVE_WORKFLOW,
    TRIGGERS,
    InvokeTrigger,
    ObjectTrigger,
    QueueTrigger,
    ScheduleTrigger,
    StreamTrigger,
)
from campaign_workers.settings import Settings
from tests.deploy.stack import ACCOUNT, REGION, logical, stack

Permission = tuple[str, str]
"""An action, and the ARN of what it is done to."""

PLACE: Final = f"{REGION}:{ACCOUNT}"
SECRETS: Final = f"arn:aws:secretsmanager:{PLACE}:secret:campaign-workers/"
TABLES: Final = f"arn:aws:dynamodb:{PLACE}:table/"
WORKGROUP: Final = (f"arn:aws:athena:{PLACE}:workgroup/campaign-workers",)
CATALOG: Final = (
    f"arn:aws:glue:{PLACE}:catalog",
    f"arn:aws:glue:{PLACE}:database/campaign_workers",
    f"arn:aws:glue:{PLACE}:table/campaign_workers/merge_*",
)

OPERATIONS: Final[Mapping[str, Mapping[str, tuple[str, tuple[str, ...]]]]] = {
    "kinesis.py": {"put_records": ("kinesis:PutRecords", (f"arn:aws:kinesis:{PLACE}:stream/*",))},
    "sqs.py": {
        "get_queue_url": ("sqs:GetQueueUrl", (f"arn:aws:sqs:{PLACE}:*",)),
        "send_message_batch": ("sqs:SendMessage", (f"arn:aws:sqs:{PLACE}:*",)),
    },
    "dynamodb_demand.py": {
        "get_item": ("dynamodb:GetItem", (f"{TABLES}{DEMAND_TABLE}",)),
        "update_item": ("dynamodb:UpdateItem", (f"{TABLES}{DEMAND_TABLE}",)),
    },
    "dynamodb_ledger.py": {
        "batch_get_item": ("dynamodb:BatchGetItem", (f"{TABLES}{DELIVERY_LEDGER}",)),
        "transact_write_items": ("dynamodb:PutItem", (f"{TABLES}{DELIVERY_LEDGER}",)),
        "update_item": ("dynamodb:UpdateItem", (f"{TABLES}{DELIVERY_LEDGER}",)),
    },
    "stepfunctions.py": {
        "start_execution": (
            "states:StartExecution",
            (f"arn:aws:states:{PLACE}:stateMachine:{SMS_WAVE_WORKFLOW}",),
        ),
        "describe_execution": (
            "states:DescribeExecution",
            (f"arn:aws:states:{PLACE}:execution:{SMS_WAVE_WORKFLOW}:*",),
        ),
    },
    "secrets_manager.py": {
        "get_secret_value": (
            "secretsmanager:GetSecretValue",
            (f"{SECRETS}campaigns/*/lottery-seed-??????",),
        )
    },
    "athena": {
        "start_query_execution": ("athena:StartQueryExecution", WORKGROUP),
        "get_query_execution": ("athena:GetQueryExecution", WORKGROUP),
        "stop_query_execution": ("athena:StopQueryExecution", WORKGROUP),
        "create_table": ("glue:CreateTable", CATALOG),
        "delete_table": ("glue:DeleteTable", CATALOG),
        "get_tables": ("glue:GetTables", CATALOG),
    },
}
"""Requests that adapters send, the actions that they are allowed by, and to what."""

_ATHENA_ITSELF: Final = ("glue:GetDatabase", "glue:GetTable")
"""Catalog calls of Athena with the caller's permissions, one for a default database included."""
_SERVICES: Final = {
    "campaign_service": "campaign",
    "chat": "slack",
    "code_service": "code",
    "entry_service": "entry",
    "offer_codes": "pacman",
    "sms": "sms",
    "user_service": "user",
}
_DATABASE: Final = {"admin_stats", "campaign_repository", "entry_repository", "market_repository"}
_ADAPTERS: Final = {
    "demand": "dynamodb_demand.py",
    "engine": "athena",
    "ledger": "dynamodb_ledger.py",
    "queues": "sqs.py",
    "secrets": "secrets_manager.py",
    "streams": "kinesis.py",
    "workflow": "stepfunctions.py",
}
_CONSUMER: Final = (
    "DescribeStream",
    "DescribeStreamSummary",
    "GetRecords",
    "GetShardIterator",
    "ListShards",
)


def ports(worker: str) -> dict[str, str]:
    """Return the ports that a worker is built with, and the stream or queue of each, if any."""
    recorder: Any = _Recorder()
    BUILDERS[worker](recorder)
    return recorder.asked


class _Recorder:
    """Stands for `Ports` and records which of them a builder asks for."""

    settings: Final = Settings()

    def __init__(self) -> None:
        self.asked: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        self.asked[name] = ""
        return _Names(self.asked, name)


@attrs.frozen
class _Names:
    """Stands for the streams or the queues of a container."""

    asked: dict[str, str]
    port: str

    def __getitem__(self, name: str) -> object:
        self.asked[self.port] = name
        return object()


def required_permissions(worker: str) -> set[Permission]:
    """The permissions of a worker's ports and triggers, those to buckets aside."""
    permissions = set(_of_every_function(worker))
    for port, name in ports(worker).items():
        permissions |= set(_of_port(port, name))
    for trigger in (t for t in TRIGGERS if t.worker == worker):
        if isinstance(trigger, StreamTrigger):
            stream = f"arn:aws:kinesis:{PLACE}:stream/{trigger.stream}"
            permissions |= {(f"kinesis:{action}", stream) for action in _CONSUMER}
        if isinstance(trigger, QueueTrigger):
            queue = f"arn:aws:sqs:{PLACE}:{trigger.queue}"
            actions = ("DeleteMessage", "GetQueueAttributes", "ReceiveMessage")
            permissions |= {(f"sqs:{action}", queue) for action in actions}
    return permissions


def role_permissions(worker: str) -> set[Permission]:
    """The permissions of a worker's role."""
    role = stack().resources[f"{logical(worker)}Role"]["Properties"]
    return {right for policy in role["Policies"] for right in _statements(policy["PolicyDocument"])}


def allows(permissions: Iterable[Permission], action: str, resource: str) -> bool:
    """Whether any of the permissions covers an action."""
    return any(action == may and fnmatchcase(resource, what) for may, what in permissions)


def _statements(document: Mapping[str, Any]) -> Iterator[Permission]:
    for statement in document["Statement"]:
        assert statement["Effect"] == "Allow"
        resources = statement["Resource"]
        for action in statement["Action"]:
            yield from (
                (action, r) for r in ([resources] if isinstance(resources, str) else resources)
            )


def _of_every_function(worker: str) -> Iterator[Permission]:
    name = stack().functions[logical(worker)]["FunctionName"]
    log = f"arn:aws:logs:{PLACE}:log-group:/aws/lambda/{name}:*"
    yield from (("logs:CreateLogStream", log), ("logs:PutLogEvents", log))
    given_up = StreamTrigger | ObjectTrigger | ScheduleTrigger | InvokeTrigger
    if any(isinstance(t, given_up) for t in TRIGGERS if t.worker == worker):
        yield "sqs:SendMessage", f"arn:aws:sqs:{PLACE}:{name}-dlq"


def _of_port(port: str, name: str) -> Iterator[Permission]:
    if port in _DATABASE:
        yield "secretsmanager:GetSecretValue", f"{SECRETS}mongodb/uri-??????"
    elif port in _SERVICES:
        secret = f"{SECRETS}services/{_SERVICES[port]}/token-??????"
        yield "secretsmanager:GetSecretValue", secret
    elif port in _ADAPTERS:
        for action, resources in OPERATIONS[_ADAPTERS[port]].values():
            yield from ((action, _named(resource, name)) for resource in resources)
    if port == "engine":
        yield from ((action, resource) for action in _ATHENA_ITSELF for resource in CATALOG)
        yield "glue:GetDatabase", f"arn:aws:glue:{PLACE}:database/default"


def _named(resource: str, name: str) -> str:
    return f"{resource.removesuffix('*')}{name}" if name else resource
