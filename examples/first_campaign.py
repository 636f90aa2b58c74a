"""A first campaign in memory: three fans want two places in New York, and one of them is a bot.

    python examples/first_campaign.py

Nothing but `campaign-workers` is needed: no AWS, no network, no file.
"""

import io
import zipfile
from contextlib import closing
from datetime import UTC, datetime

from campaign_workers.container import Container
from campaign_workers.domain import lottery
from campaign_workers.domain.campaigns import parse_campaign
from campaign_workers.domain.storage import layout

CAMPAIGN = {
    "_id": "first",
    "name": "My first tour",
    "markets": [{"id": "nyc", "name": "New York", "timezone": "America/New_York"}],
}
SCORED = """\
globalUserId\temail\tphone\tphoneConfirmed\tscore\tmarketIds
ada\tada@gmail.com\t+12122010001\t2026-09-01T10:00:00Z\t0.93\tnyc
bob\tbob@gmail.com\t+12122010002\t2026-09-01T10:00:00Z\t0.55\tnyc
bot\tbot@mailinator.com\t+12122010003\t\t0.99\tnyc
"""
DETAILS = """\
marketId,marketName,ticketType,limit,smsText
nyc,New York,TM,2,"{firstName}, you may buy."
"""


def run() -> dict[str, list[str]]:
    """Score and select; who was selected, by market."""
    container = Container("memory", starts=datetime(2026, 9, 2, tzinfo=UTC))
    container.campaigns.put(parse_campaign(CAMPAIGN))
    container.embedded.secrets.write(
        lottery.seed_secret_name("first"), "known to nobody until the draw is over"
    )

    # A file in the bucket starts processScoredFiles, as it would on AWS.
    container.scoring.put(layout.scored_key("first.20260902"), [SCORED.encode()])
    container.runtime.run_until_idle()

    container.scoring.put(layout.market_details_key("first", "presale"), [DETAILS.encode()])
    container.runtime.invoke("processSmsWaveFiles", {"campaignId": "first", "dateKey": "presale"})

    with closing(container.scoring.open(layout.prepped_key("first", "presale"))) as source:
        archive = zipfile.ZipFile(io.BytesIO(source.read()))
    return {
        name: archive.read(name).decode("utf-8").splitlines()[1:]
        for name in archive.namelist()
        if name.startswith("masterCodes/")
    }


if __name__ == "__main__":
    for file, registrants in run().items():
        print(f"{file}: {len(registrants)} registrants")
        print("\n".join(registrants))
