"""A role a function, with what the worker's ports and triggers need: no more, no less."""

import re
from pathlib import Path
from typing import Any

import pytest

from campaign_workers.domain.running.triggers import WORKERS
from tests.deploy.permissions import OPERATIONS, ports, required_permissions, role_permissions
from tests.deploy.stack import Stack, logical, stack

ADAPTERS = Path(__file__).parents[2] / "src" / "campaign_workers" / "adapters" / "aws"
BUCKETS = {"campaign-data-000000000000": "lake", "scoring-000000000000": "scoring"}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_role_allows_what_the_ports_need_and_no_more(worker: str) -> None:
    """Streams, queues, tables, secrets, executions and queries: those of the wiring alone."""
    beside_buckets = {right for right in role_permissions(worker) if not right[0].startswith("s3:")}
    assert beside_buckets == required_permissions(worker)


@pytest.mark.parametrize("worker", WORKERS)
def test_a_role_knows_the_buckets_of_its_ports(worker: str) -> None:
    """Who has no bucket in the wiring has none in the role."""
    arns = [what for action, what in role_permissions(worker) if action.startswith("s3:")]
    buckets = {BUCKETS[re.split("[:/]", arn)[5]] for arn in arns}
    assert buckets == ports(worker).keys() & set(BUCKETS.values())


@pytest.mark.parametrize("worker", WORKERS)
def test_no_role_says_everything(worker: str) -> None:
    """No action and no resource is a bare wildcard, and no managed policy is attached."""
    assert not [action for action, _ in role_permissions(worker) if "*" in action]
    assert not [what for _, what in role_permissions(worker) if what in {"*", "arn:aws:s3:::*"}]
    role = stack().resources[f"{logical(worker)}Role"]["Properties"]
    assert role["ManagedPolicyArns"] == []


def test_each_function_has_a_role_of_its_own() -> None:
    """No two functions share a role."""
    roles = [function["Role"] for function in stack().functions.values()]
    assert len(set(roles)) == len(WORKERS)
    assert set(roles) == {f"arn of {logical(worker)}Role" for worker in WORKERS}


@pytest.mark.parametrize("adapter", OPERATIONS)
def test_adapters_send_the_requests_that_roles_are_made_for(adapter: str) -> None:
    """A request that an adapter begins to send shows here, before AWS denies it."""
    place = ADAPTERS / adapter
    files = sorted(place.glob("*.py")) if place.is_dir() else [place]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    sent = re.findall(r"(?:client|athena|glue)\.([a-z_]+)\(", text)
    paged = re.findall(r"(?:client|glue)\.get_paginator\(\"([a-z_]+)\"\)", text)
    assert {*sent, *paged} - {"get_paginator"} == OPERATIONS[adapter].keys()


@pytest.mark.parametrize(
    ("parameters", "policy"),
    [
        ({"Tracing": "Active"}, "TracingPolicy"),
        ({"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, "NetworkPolicy"),
    ],
    ids=["traced", "in a network"],
)
def test_wildcards_that_aws_demands_come_with_their_parameter(
    parameters: dict[str, Any], policy: str
) -> None:
    """Tracing and networks know no resource but all of them; who asks for neither has neither."""
    assert policy not in stack().resources
    asked = Stack(**parameters)
    [statement] = asked.resources[policy]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Resource"] == "*"
    for worker in WORKERS:
        role = asked.resources[f"{logical(worker)}Role"]["Properties"]
        assert role["ManagedPolicyArns"] == [policy]
