"""A whole campaign on memory adapters, and its visible effects."""

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.running.triggers import EMAIL_QUEUE, VERDICT_QUEUE
from campaign_workers.domain.storage import layout
from campaign_workers.entrypoints.cli.campaign_runner import CampaignRunner
from campaign_workers.entrypoints.cli.reconciliation import Reconciliation
from campaign_workers.entrypoints.cli.uploads import Uploads
from campaign_workers.samples.uploads import generate
from campaign_workers.settings import Settings

FANS = 300
Call = Callable[[str, Any], Report]


def uploads(folder: Path) -> Uploads:
    """The uploads of a small campaign."""
    generate(folder, fans=FANS, seed=11)
    return Uploads(folder)


def run_campaign(
    files: Uploads, out: Path, wrap: Callable[[Call], Call] = lambda call: call
) -> Container:
    """Run every step of the campaign; `wrap` may change how workers are called."""
    settings = Settings(profile="memory", dir=out)
    container = Container("memory", settings=settings, starts=files.opens())
    runner = CampaignRunner(container=container, uploads=files, out=out)
    container.embedded.secrets.write(
        lottery.seed_secret_name(runner.campaign.campaign_id), "journey"
    )
    container.runtime.call = wrap(container.runtime.call)
    for _, step in runner.steps():
        step()
    return container


def shuffle_uploads(files: Uploads, folder: Path) -> Uploads:
    """The same uploads, with the rows of each day and of each table in another order."""
    folder.mkdir()
    rng = Random(5)
    for path in files.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    days = [lines for _, lines in files.registration_days()]
    for lines in days:
        rng.shuffle(lines)
    (folder / "registrations.jsonl").write_bytes(b"\n".join(b"\n".join(day) for day in days))
    for name in ("scored.txt", "fanclub-ranks.csv", "external-codes.csv"):
        header, *rows = (files.folder / name).read_bytes().splitlines(keepends=True)
        rng.shuffle(rows)
        (folder / name).write_bytes(b"".join([header, *rows]))
    return Uploads(folder)


def visible_effects(container: Container, campaign_id: str) -> dict[str, Any]:
    """What is the same however often and in whatever order things were delivered."""
    reconciliation = Reconciliation(container, campaign_id)
    return {
        "lake": _lake(container),
        "archives": [
            {name: archive.read(name) for name in archive.namelist()}
            for archive in reconciliation.archives()
        ],
        "waves": _objects(container, "smsWaves/"),
        "texts": {text.message.message_id for text in container.embedded.sms.accepted_texts()},
        "emails": _ids(container, EMAIL_QUEUE),
        "verdicts": _fans(container, VERDICT_QUEUE),
        "codes": _codes(container, campaign_id, reconciliation),
    }


def _lake(container: Container) -> set[str]:
    keys = set()
    for info in container.lake.list("avro/"):
        if not info.key.startswith(layout.archived_key("avro/")):
            with closing(container.lake.open(info.key)) as source:
                keys |= {record["dedupeKey"] for record in container.codec.decode(source)}
    return keys


def _objects(container: Container, prefix: str) -> dict[str, bytes]:
    found = {}
    for info in container.scoring.list(prefix):
        with closing(container.scoring.open(info.key)) as source:
            found[info.key] = source.read()
    return found


def _ids(container: Container, queue: str) -> set[str]:
    return {json.loads(body)["messageId"] for body in container.embedded.queues[queue].bodies()}


def _fans(container: Container, queue: str) -> set[tuple[str, str]]:
    return {
        (assignment["globalUserId"], assignment.get("marketId") or "")
        for body in container.embedded.queues[queue].bodies()
        for assignment in json.loads(body)["assignments"]
    }


def _codes(
    container: Container, campaign_id: str, reconciliation: Reconciliation
) -> dict[str, dict[str, str]]:
    fans = {row["globalUserId"] for row in reconciliation.master_codes()}
    held = container.embedded.entries.codes(campaign_id, fans)
    return {
        fan: {market: code for market, (code, _) in codes.items()} for fan, codes in held.items()
    }
