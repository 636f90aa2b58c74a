"""The cloud that tests of the AWS adapters speak to: an emulator, over HTTP on loopback.

Each test process starts one of its own when the first test needs it, with made-up credentials. It
ends with the process and leaves nothing behind.
"""

import atexit
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config

from campaign_workers.testing.contracts._base import Outage
from tests.servers.mongo_relay import Relay

ROOT: Final = Path(__file__).parents[2]
REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
CREDENTIALS: Final = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
}
"""What adapters and command lines find in their environment."""
LOG: Final = "emulator.log"
END_SECONDS: Final = 5


class Cloud:
    """An emulator: a process whose end takes its functions along.

    `folder` holds what it writes; `switches` are those of its launcher.
    """

    def __init__(self, folder: Path, *switches: str) -> None:
        self._folder = folder
        self._switches = switches
        self._process: subprocess.Popen[str] | None = None
        self.endpoint = ""
        self.start()

    def start(self) -> None:
        """Listen, on the same port as before; what was kept is there again."""
        port = urlsplit(self.endpoint).port or 0
        command = [sys.executable, "-m", "tests.servers.aws_launch", str(self._folder)]
        command += ["--port", str(port), *self._switches]
        with (self._folder / LOG).open("a") as log:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        self.endpoint = self._process.stdout.readline().strip()
        assert self.endpoint, f"the emulator did not start: {self.log()[-2000:]}"

    def client(self, service: str, **config: Any) -> Any:
        """A client of `service` with made-up credentials."""
        return client_of(self.endpoint, service, **config)

    def kill(self) -> None:
        """End it at once, as a power cut would; answers under way are never given."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        self._process.communicate(timeout=END_SECONDS)

    def pass_time(self, duration: timedelta) -> None:
        """Put the clock of its schedules forward; what falls due meanwhile starts, once."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"pass {duration.total_seconds()}\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline().strip() == "passed"

    def stop(self) -> None:
        """End it in good order."""
        assert self._process is not None
        try:
            self._process.communicate(timeout=END_SECONDS)
        except (subprocess.TimeoutExpired, ValueError):
            self._process.kill()
            self._process.wait()
        finally:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def log(self) -> str:
        """What the emulator had to say."""
        return (self._folder / LOG).read_text(errors="replace")


@contextmanager
def running_cloud(state_dir: Path | None = None) -> Iterator[Cloud]:
    """An emulator of one's own, which may be killed and started again.

    Functions have the permissions of their roles; the credentials above allow everything.
    With `state_dir` its state stays there, for another one to go on from.
    """
    folder = state_dir or Path(mkdtemp(prefix="campaign-workers-cloud-"))
    folder.mkdir(parents=True, exist_ok=True)
    cloud = Cloud(folder, "--durable", "--roles", *(["--keep"] if state_dir else []))
    try:
        yield cloud
    finally:
        cloud.stop()
        if state_dir is None:
            shutil.rmtree(folder, ignore_errors=True)


@cache
def _shared() -> Cloud:
    folder = Path(mkdtemp(prefix="campaign-workers-cloud-"))
    cloud = Cloud(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(cloud.stop)
    return cloud


def endpoint() -> str:
    """Where the emulator of this process listens; it starts when first asked for."""
    return _shared().endpoint


def client_of(address: str, service: str, **config: Any) -> Any:
    """A client of `service` at `address` that tries a call once unless `config` says otherwise."""
    return boto3.client(
        service,
        endpoint_url=address,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(**{"retries": {"total_max_attempts": 1}, **config}),
    )


@cache
def aws_client(service: str) -> Any:
    """The back door: straight to the emulator of this process."""
    return client_of(endpoint(), service)


@cache
def relay() -> Relay:
    """What stands between the adapters and the emulator of this process."""
    address = urlsplit(endpoint())
    return Relay("127.0.0.1", address.port or 80)


def relayed_endpoint() -> str:
    """Where adapters meet the emulator, by way of the relay."""
    return f"http://127.0.0.1:{relay().port}"


class FreshAws:
    """Unique names of resources created for one test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def client(self, service: str, **config: Any) -> Any:
        """A client as adapters get it: by way of the relay."""
        return client_of(relayed_endpoint(), service, **config)

    def name(self) -> str:
        """A name of nothing yet."""
        return f"test-{uuid4().hex}"

    def bucket(self) -> str:
        """The name of an empty bucket."""
        name = self.name()
        aws_client("s3").create_bucket(Bucket=name)
        self._stack.callback(empty_and_delete_bucket, aws_client("s3"), name)
        return name

    def stream(self, *, shards: int = 2) -> str:
        """The name of a stream."""
        name, kinesis = self.name(), aws_client("kinesis")
        kinesis.create_stream(StreamName=name, ShardCount=shards)
        self._stack.callback(kinesis.delete_stream, StreamName=name)
        kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig={"Delay": 0.02})
        return name

    def queue(self, **attributes: str) -> str:
        """The name of a queue."""
        name, sqs = self.name(), aws_client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._stack.callback(sqs.delete_queue, QueueUrl=url)
        return name

    def table(self, *keys: str) -> str:
        """The name of a table with a partition key and maybe a sort key, both strings."""
        name, dynamodb = self.name(), aws_client("dynamodb")
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[
                {"AttributeName": key, "KeyType": kind}
                for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        )
        self._stack.callback(dynamodb.delete_table, TableName=name)
        return name


def empty_and_delete_bucket(s3: Any, name: str) -> None:
    """Delete a bucket and its content."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if doomed := [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]:
            s3.delete_objects(Bucket=name, Delete={"Objects": doomed, "Quiet": True})
    s3.delete_bucket(Bucket=name)


class OverAws:
    """Gives tests things of their own in the emulator."""

    @pytest.fixture
    def aws(self) -> Iterator[FreshAws]:
        """Makes them; they are gone after the test."""
        with ExitStack() as stack:
            yield FreshAws(stack)

    @pytest.fixture
    def outage(self) -> Outage:
        """Cuts the connections to the emulator."""
        return relay().cut
