"""Uploads of a made-up campaign, put where people and other systems put them."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.entrypoints.cli.uploads import LISTS, Uploads, partition_key, records
from tests.cloud.deployment import Stack, put_secrets
from tests.cloud.entry_consumer import OUTPUTS
from tests.cloud.external_services import ExternalServices

RECORDS_A_CALL: Final = 500


def prepare(stack: Stack, external_services: ExternalServices, folder: Path) -> Campaign:
    """Make the campaign of `folder` known everywhere, with its lists, codes and secrets."""
    uploads = Uploads(folder)
    campaign = uploads.campaign()
    put_secrets(stack.endpoint, external_services.know(campaign))
    external_services.doubles.fakes.codes.load(campaign.campaign_id, uploads.external_codes())
    for name, key in LISTS.items():
        if path := uploads.file(name):
            put_file(stack, key, path)
    return campaign


def put_file(stack: Stack, key: str, path: Path, *, bucket: str = "ScoringBucket") -> None:
    """Upload a file to the bucket of an output."""
    stack.client("s3").upload_file(str(path), stack.outputs[bucket], key)


def put_registrations(stack: Stack, path: Path) -> int:
    """Put the lines of a file onto the input stream; how many those are."""
    return put_lines(stack, records(path))


def put_lines(stack: Stack, lines: Iterable[bytes], *, stream: str = INPUT_STREAM) -> int:
    """Put records onto a stream."""
    kinesis, name = stack.client("kinesis"), stack.outputs[OUTPUTS[stream]]
    put = 0
    for part in _parts(lines):
        answer = kinesis.put_records(StreamName=name, Records=part)
        assert answer["FailedRecordCount"] == 0
        put += len(part)
    return put


def _parts(lines: Iterable[bytes]) -> Iterator[list[dict[str, Any]]]:
    rest = iter(lines)
    while part := [
        {"Data": line, "PartitionKey": partition_key(line)} for line in islice(rest, RECORDS_A_CALL)
    ]:
        yield part
