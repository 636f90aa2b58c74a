"""Deploys the template with the commands that docs/deploy.md names for a real account."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import attrs

from campaign_workers.domain.running.triggers import WORKERS
from deploy.packaging import Manifest
from tests.servers.aws import CREDENTIALS, client_of

ROOT: Final = Path(__file__).parents[2]
TEMPLATE: Final = ROOT / "deploy" / "template.yaml"
COMMAND: Final = Path(sys.executable).parent / "aws"
CODE_BUCKET: Final = "code-of-campaign-workers"
NAME: Final = "campaign-workers"
SECRET_PREFIX: Final = "campaign-workers/"


@attrs.frozen(kw_only=True)
class Stack:
    """What a deployment made: the template's outputs, and physical names by logical ones."""

    endpoint: str
    name: str
    outputs: Mapping[str, str]
    resources: Mapping[str, str]

    def client(self, service: str, **config: Any) -> Any:
        """A client of the cloud that the stack is in."""
        return client_of(self.endpoint, service, **config)

    def function(self, worker: str) -> str:
        """The name of a worker's function."""
        return self.outputs[_logical(worker)]

    @property
    def functions(self) -> Mapping[str, str]:
        """Names of functions by worker."""
        return {worker: self.function(worker) for worker in WORKERS}

    @property
    def environment(self) -> Mapping[str, str]:
        """What `campaign-workers --profile aws` needs to know of the stack."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            **CREDENTIALS,
            "CAMPAIGN_WORKERS_CAMPAIGN_DATA_BUCKET": self.outputs["CampaignDataBucket"],
            "CAMPAIGN_WORKERS_SCORING_BUCKET": self.outputs["ScoringBucket"],
            "CAMPAIGN_WORKERS_SMS_WAVE_STATE_MACHINE": self.outputs["SmsWaveStateMachine"],
            "CAMPAIGN_WORKERS_ATHENA_WORKGROUP": self.outputs["AthenaWorkgroup"],
            "CAMPAIGN_WORKERS_ATHENA_DATABASE": self.outputs["AthenaDatabase"],
        }


def deploy(
    endpoint: str,
    zips: Manifest,
    parameters: Mapping[str, str] | None = None,
    *,
    name: str = NAME,
) -> Stack:
    """Package and deploy the template; buckets and tables go when the stack is deleted.

    Raises:
        RuntimeError: the commands refuse, with what they say.
    """
    given = {
        "Runtime": f"python{zips.python}",
        "Architecture": zips.architecture,
        "DataPolicy": "Delete",
        "LakeWindowSeconds": "10",
        **(parameters or {}),
    }
    cloud = client_of(endpoint, "s3")
    cloud.create_bucket(Bucket=CODE_BUCKET)
    bucket = ("--s3-bucket", CODE_BUCKET, "--s3-prefix", name)
    with TemporaryDirectory() as folder:
        packaged = Path(folder, "template.yaml")
        _aws(
            endpoint, "package", "--template-file", TEMPLATE, *bucket,
            "--output-template-file", packaged,
        )  # fmt: skip
        _aws(
            endpoint, "deploy", "--template-file", packaged, *bucket, "--stack-name", name,
            "--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND",
            "--no-fail-on-empty-changeset",
            "--parameter-overrides", *(f"{key}={value}" for key, value in given.items()),
        )  # fmt: skip
    return stack(endpoint, name)


def stack(endpoint: str, name: str = NAME) -> Stack:
    """A stack that has been deployed."""
    cloud = client_of(endpoint, "cloudformation")
    (described,) = cloud.describe_stacks(StackName=name)["Stacks"]
    pages = cloud.get_paginator("list_stack_resources").paginate(StackName=name)
    return Stack(
        endpoint=endpoint,
        name=name,
        outputs={each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]},
        resources={
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages
            for each in page["StackResourceSummaries"]
        },
    )


def put_secrets(endpoint: str, secrets: Mapping[str, str], *, prefix: str = SECRET_PREFIX) -> None:
    """Keep secrets under their names."""
    cloud = client_of(endpoint, "secretsmanager")
    for name, secret in secrets.items():
        cloud.create_secret(Name=f"{prefix}{name}", SecretString=secret)


def _logical(worker: str) -> str:
    return worker[0].upper() + worker[1:]


def _aws(endpoint: str, action: str, *args: str | Path) -> None:
    command = [str(COMMAND), "cloudformation", action, *map(str, args)]
    environment = os.environ | CREDENTIALS | {"AWS_ENDPOINT_URL": endpoint, "AWS_PAGER": ""}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"aws cloudformation {action}: {done.stderr[-2000:]}{_refused(endpoint)}"
        )


def _refused(endpoint: str) -> str:
    """Why resources were not made."""
    cloud = client_of(endpoint, "cloudformation")
    events = [
        event
        for stack_found in cloud.list_stacks()["StackSummaries"]
        for event in cloud.describe_stack_events(StackName=stack_found["StackName"])["StackEvents"]
    ]
    return "".join(
        f"\n{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}"
        for event in events
        if event["ResourceStatus"].endswith("FAILED")
    )
