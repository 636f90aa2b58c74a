"""What brings Ministack's rights nearer to AWS's: one function a difference."""

import json
from typing import Any

import ministack.app as app
from ministack.core import iam_actions
from ministack.services import athena


def apply() -> None:
    """Make all the differences."""
    take_loopback_for_an_encrypted_connection()
    ask_for_one_action_for_one_message_or_many()
    find_queries_by_their_workgroup()


def take_loopback_for_an_encrypted_connection() -> None:
    """Buckets that refuse plain HTTP would refuse everything here."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda address, _: pin(address, True)


def ask_for_one_action_for_one_message_or_many() -> None:
    """AWS knows no action for a batch of messages; Ministack invents one."""
    extract = iam_actions.extract_iam_action

    def extract_single(*request: Any) -> str | None:
        action = extract(*request)
        is_batch = action and action.startswith("sqs:") and action.endswith("Batch")
        return action.removesuffix("Batch") if is_batch else action

    iam_actions.extract_iam_action = extract_single


def find_queries_by_their_workgroup() -> None:
    """A right to a query is one to its workgroup; Ministack wants a name in the request."""
    extract = iam_actions.extract_resource_arn

    def extract_workgroup(service: str, *request: Any, **named: Any) -> str:
        resource = extract(service, *request, **named)
        if service != "athena" or resource != "*":
            return resource
        _, _, _, body, _, region, account = request
        query = athena._executions.get(json.loads(body or b"{}").get("QueryExecutionId"))
        if query is None:
            return resource
        return f"arn:aws:athena:{region}:{account}:workgroup/{query['WorkGroup']}"

    iam_actions.extract_resource_arn = extract_workgroup
