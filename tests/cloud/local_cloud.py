"""`make cloud`: a cloud on this machine with the template deployed, to play with.

An emulator of AWS, a database and the services of other teams listen on loopback; a made-up
campaign is known to all of them. Nothing is left behind when it ends.
"""

import argparse
import json
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import Any, Final

import attrs

from campaign_workers.domain.campaigns import Campaign
from campaign_workers.domain.storage import layout
from campaign_workers.samples.uploads import generate
from deploy.packaging import build
from tests.cloud.deployment import Stack, deploy, put_secrets
from tests.cloud.entry_consumer import EntryConsumer, run_in_background
from tests.cloud.external_services import ExternalServices, external_services
from tests.cloud.stack_uploads import prepare
from tests.servers.aws import Cloud, running_cloud

FANS: Final = 2_000
SEED: Final = 7


@attrs.frozen(kw_only=True)
class LocalCloud:
    """Everything that is up."""

    cloud: Cloud
    stack: Stack
    external_services: ExternalServices
    consumer: EntryConsumer
    campaign: Campaign
    uploads: Path

    def wire(self) -> dict[str, Any]:
        """Where everything is, as JSON."""
        return {
            "endpoint": self.cloud.endpoint,
            "services": self.external_services.services_url,
            "mongodb": self.external_services.mongodb_uri,
            "campaign": self.campaign.campaign_id,
            "uploads": str(self.uploads),
            "environment": dict(self.environment),
            "functions": dict(self.stack.functions),
            "outputs": dict(self.stack.outputs),
        }

    @property
    def environment(self) -> Mapping[str, str]:
        """What command lines need to speak to it."""
        return {
            **self.stack.environment,
            "CAMPAIGN_WORKERS_SERVICES_URL": self.external_services.services_url,
        }


@contextmanager
def local_cloud(uploads: Path) -> Iterator[LocalCloud]:
    """All of it, for the campaign whose uploads lie in the folder `uploads`."""
    zips = build()
    with ExitStack() as stack:
        cloud = stack.enter_context(running_cloud())
        around = stack.enter_context(external_services())
        put_secrets(cloud.endpoint, around.secrets)
        deployed = deploy(cloud.endpoint, zips, around.parameters)
        campaign = prepare(deployed, around, uploads)
        consumer = EntryConsumer(deployed, around, [campaign.campaign_id])
        stack.enter_context(run_in_background(consumer))
        yield LocalCloud(
            cloud=cloud,
            stack=deployed,
            external_services=around,
            consumer=consumer,
            campaign=campaign,
            uploads=uploads,
        )


def commands(up: LocalCloud) -> Iterator[str]:
    """What to type, one command a line."""
    scoring, campaign = up.stack.outputs["ScoringBucket"], up.campaign.campaign_id
    details = layout.market_details_key(campaign, "presale-1")
    invocation = json.dumps({"campaignId": campaign, "dateKey": "presale-1"})
    yield "# fans register: cmp-save-data writes them into the lake"
    yield f"campaign-workers put-records {up.uploads}/registrations.jsonl --profile aws"
    yield f"aws s3 ls --recursive s3://{up.stack.outputs['CampaignDataBucket']}/"
    yield "# scored fans are scrubbed by cmp-process-scored"
    yield f"aws s3 cp {up.uploads}/scored.txt s3://{scoring}/scored/{campaign}.1.txt"
    yield f"aws s3 cp s3://{scoring}/scrubbed/{campaign}.1.csv - | head"
    yield "# the fan club's ranks become scores"
    yield (
        f"aws s3 cp {up.uploads}/fanclub-ranks.csv"
        f" s3://{scoring}/{layout.fanlist_upload_key(campaign, 'ranks')}"
    )
    yield "# fans are selected for markets"
    yield f"aws s3 cp {up.uploads}/market-details.csv s3://{scoring}/{details}"
    yield (
        f"aws lambda invoke --function-name {up.stack.function('processSmsWaveFiles')}"
        f" --payload '{invocation}' /dev/stdout"
    )
    yield "# what a function says"
    yield (
        f"aws logs filter-log-events --log-group-name /aws/lambda/"
        f"{up.stack.function('processScoredFiles')} --query 'events[].message' --output text"
    )


def print_instructions(up: LocalCloud) -> None:
    """Print where everything is, and what to do with it."""
    print(f"\nAWS        {up.cloud.endpoint}")
    print(f"services   {up.external_services.services_url}")
    print(f"MongoDB    {up.external_services.mongodb_uri}")
    print(f"campaign   {up.campaign.campaign_id}, uploads in {up.uploads}\n")
    print(f"# in another shell; docs/local-cloud.md says more\nexport PATH={_programs()}:$PATH")
    for name, value in up.environment.items():
        print(f"export {name}='{value}'")
    print(*commands(up), sep="\n")
    print("\nCtrl-C ends it.", flush=True)


def _programs() -> Path:
    return Path(sys.executable).parent


def main() -> None:
    """Keep it up until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m tests.cloud.local_cloud", description=__doc__)
    parser.add_argument("--fans", type=int, default=FANS, help="of the made-up campaign")
    parser.add_argument("--uploads", type=Path, help="a campaign of your own in its place")
    parser.add_argument("--json", type=Path, help="file that says where everything is")
    given = parser.parse_args()
    ended = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with TemporaryDirectory() as folder:
        if not given.uploads:
            generate(Path(folder), fans=given.fans, seed=SEED)
        keep_up(given.uploads or Path(folder), ended, addresses=given.json)


def keep_up(uploads: Path, ended: Event, *, addresses: Path | None) -> None:
    """Run the cloud until `ended` is set; write the addresses to the file `addresses`."""
    with local_cloud(uploads) as up:
        if addresses:
            addresses.write_text(json.dumps(up.wire(), indent=2) + "\n", encoding="utf-8")
        print_instructions(up)
        ended.wait()


if __name__ == "__main__":
    main()
