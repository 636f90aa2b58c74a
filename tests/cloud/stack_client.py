"""What people and other systems do with a stack, and what they can see of it: plain boto3."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from campaign_workers.domain.csv.rows import read_rows, write_rows
from campaign_workers.domain.running.triggers import WORKERS
from campaign_workers.domain.storage import layout
from tests.cloud.deployment import Stack
from tests.cloud.lambda_functions import eventually
from tests.cloud.local_cloud import LocalCloud
from tests.cloud.stack_uploads import put_file, put_registrations

DATE_KEY: Final = "presale-1"
PATIENCE_SECONDS: Final = 300.0
FIVE_MINUTES: Final = timedelta(minutes=5, seconds=1)

Row = dict[str, str]


class FunctionFailed(Exception):
    """A function that was invoked raised; the text is the name of its error."""


@attrs.define
class StackClient:
    """Everybody who is not AWS and not the campaign's functions."""

    up: LocalCloud

    @property
    def stack(self) -> Stack:
        """The stack."""
        return self.up.stack

    @property
    def campaign_id(self) -> str:
        """The campaign that is known to all."""
        return self.up.campaign.campaign_id

    def upload(self, name: str, key: str) -> None:
        """Put one of the campaign's files into the scoring bucket."""
        put_file(self.stack, key, self.up.uploads / name)

    def register(self, file: Path) -> int:
        """Put registrations onto the stream; how many."""
        return put_registrations(self.stack, file)

    def invoke(self, worker: str, payload: Any) -> Any:
        """Invoke a function and wait for its answer.

        Raises:
            FunctionFailed: it raised.
        """
        answer = self.stack.client("lambda", read_timeout=120).invoke(
            FunctionName=self.stack.function(worker), Payload=json.dumps(payload)
        )
        told = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise FunctionFailed(told["errorType"])
        return told

    def wait(self, duration: timedelta) -> None:
        """Let time pass for the schedules."""
        self.up.cloud.pass_time(duration)

    def select(self) -> list[Row]:
        """Have the wave files prepared; the picks of all markets with their codes.

        The entry service has received all earlier registrations and scores by then.
        """
        rounds = self.up.consumer.idle_rounds + 2
        assert eventually(lambda: self.up.consumer.idle_rounds >= rounds, seconds=PATIENCE_SECONDS)
        self.invoke("processSmsWaveFiles", {"campaignId": self.campaign_id, "dateKey": DATE_KEY})
        return self.picks()

    def picks(self) -> list[Row]:
        """The picks in the zip of prepared files."""
        content = self.object("ScoringBucket", layout.prepped_key(self.campaign_id, DATE_KEY))
        return picks_of(content)

    def load_wave(self, name: str, rows: list[Row], **config: Any) -> str:
        """Upload a wave, have its codes made and assigned; its name."""
        wave = f"{self.campaign_id}_{name}"
        key = layout.wave_file_key(wave)
        body = b"".join(write_rows(tuple(rows[0]), rows))
        self.stack.client("s3").put_object(
            Bucket=self.stack.outputs["ScoringBucket"], Key=key, Body=body
        )
        said = self.wave_config(totalLimit=len(rows), **config)
        self.invoke("generateSmsWaveCodes", {"waveFilePrefix": wave, "config": said})
        self.invoke("processScheduledWave", {"fileKey": key})
        return wave

    def wave_config(self, **config: Any) -> dict[str, Any]:
        """The config of a wave that is to go out at once."""
        return {
            "campaignId": self.campaign_id,
            "categoryId": self.up.campaign.category_id,
            "generateOfferCode": False,
            "tiedToAccount": False,
            "notifyDate": "2026-01-01T00:00:00Z",
            "productId": "presale",
            "source": "campaign-workers",
            "rate": 100,
            **config,
        }

    def wave_state(self, wave: str) -> str:
        """Return the folder that holds the wave's config."""
        for state in layout.WaveState:
            if self.exists("ScoringBucket", layout.wave_config_key(wave, state)):
                return state.value
        return ""

    def wave_ends(self, wave: str) -> str:
        """The folder that the wave's config comes to lie in at last."""
        last = {layout.WaveState.COMPLETED.value, layout.WaveState.FAILED.value}
        eventually(lambda: self.wave_state(wave) in last, seconds=PATIENCE_SECONDS)
        return self.wave_state(wave)

    # --- what can be seen ---

    def failed_executions(self, wave: str) -> list[str]:
        """Names of the executions for a wave that failed."""
        found = self.stack.client("stepfunctions").list_executions(
            stateMachineArn=self.stack.outputs["SmsWaveStateMachine"], statusFilter="FAILED"
        )
        return [e["name"] for e in found["executions"] if e["name"].startswith(wave)]

    def object(self, bucket: str, key: str) -> bytes:
        """The bytes of an object."""
        found = self.stack.client("s3").get_object(Bucket=self.stack.outputs[bucket], Key=key)
        content: bytes = found["Body"].read()
        return content

    def exists(self, bucket: str, key: str) -> bool:
        """Whether there is such an object."""
        return key in self.keys(bucket, key)

    def keys(self, bucket: str, prefix: str = "") -> list[str]:
        """Keys under a prefix."""
        pages = self.stack.client("s3").get_paginator("list_objects_v2")
        found = pages.paginate(Bucket=self.stack.outputs[bucket], Prefix=prefix)
        return [each["Key"] for page in found for each in page.get("Contents", ())]

    def lines(self, worker: str) -> list[str]:
        """What a function logged."""
        pages = self.stack.client("logs").get_paginator("filter_log_events")
        found = pages.paginate(logGroupName=f"/aws/lambda/{self.stack.function(worker)}")
        return [event["message"] for page in found for event in page["events"]]

    def calls(self, worker: str) -> list[Mapping[str, float]]:
        """The figures of each call of a function, as its log has them for CloudWatch."""
        found = (json.loads(line) for line in self.lines(worker) if line.startswith('{"_aws"'))
        return [
            {name: value[0] for name, value in figures.items() if isinstance(value, list)}
            for figures in found
            if "duration" in figures
        ]

    def counts(self, worker: str) -> Counter[str]:
        """The counts of all calls of a function together."""
        total: Counter[str] = Counter()
        for call in self.calls(worker):
            total.update({name: int(value) for name, value in call.items() if name != "duration"})
        return total

    def ran(self) -> list[str]:
        """Workers whose functions came to the end of a call."""
        return [worker for worker in WORKERS if self.calls(worker)]

    def dead_letters(self) -> dict[str, int]:
        """Messages in queues of dead letters, by queue."""
        sqs = self.stack.client("sqs")
        depths = {
            url.rpartition("/")[2]: int(
                sqs.get_queue_attributes(
                    QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                )["Attributes"]["ApproximateNumberOfMessages"]
            )
            for url in sqs.list_queues().get("QueueUrls", ())
            if url.endswith("-dlq") or "dead" in url.lower()
        }
        return {name: depth for name, depth in depths.items() if depth}

    def messages(self, output: str) -> Iterator[Any]:
        """The messages of a queue, taken off it."""
        sqs, url = self.stack.client("sqs"), self.stack.outputs[output]
        if not url.startswith("http"):
            url = sqs.get_queue_url(QueueName=url.rpartition(":")[2])["QueueUrl"]
        while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                yield json.loads(message["Body"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def items(self, output: str) -> list[Mapping[str, Any]]:
        """The items of a table."""
        pages = self.stack.client("dynamodb").get_paginator("scan")
        found = pages.paginate(TableName=self.stack.outputs[output], ConsistentRead=True)
        return [item for page in found for item in page["Items"]]

    def wait_for_count(self, worker: str, count: str, expected: int) -> None:
        """Wait until the calls of a function have reported a count."""
        self._until(lambda: self.counts(worker)[count] >= expected, worker)

    def wait_for_calls(self, worker: str, times: int) -> None:
        """Wait until a function has come to the end of so many calls."""
        self._until(lambda: len(self.calls(worker)) >= times, worker)

    def _until(self, look: Callable[[], bool], worker: str) -> None:
        """Wait for something that a function does, and if it does not, tell what is known."""
        if not eventually(look, seconds=PATIENCE_SECONDS):
            told = "\n".join([*self.lines(worker)[-20:], self.up.cloud.log()[-2000:]])
            pytest.fail(f"{worker}: waited in vain; dead letters {self.dead_letters()}\n{told}")


def picks_of(content: bytes) -> list[Row]:
    """The rows of the master codes in a zip of prepared files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [
            dict(row.cells)
            for name in sorted(archive.namelist())
            if name.startswith("masterCodes/")
            for row in read_rows(archive.open(name), file=name, required=())
        ]
