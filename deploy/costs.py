"""What the stack costs: `python -m deploy.costs` prints the tables of docs/deploy.md.

Quantities are what the code and the template ask for, prices are list prices of us-east-1 without
any free tier. Change an assumption below and print again.
"""

import sys
from collections.abc import Iterable, Iterator
from typing import Final

import attrs

PRICES: Final = {
    "shard hours": 0.015,
    "shard hours of longer retention": 0.020,
    "million put units": 0.014,
    "million calls": 0.20,
    "GB-seconds": 0.0000166667,
    "million writes of tables": 0.625,
    "million reads of tables": 0.125,
    "GB-months of tables, with recovery": 0.45,
    "thousand writes and lists of objects": 0.005,
    "thousand reads of objects": 0.0004,
    "GB-months of objects": 0.023,
    "million requests to queues": 0.40,
    "thousand transitions": 0.025,
    "TB scanned": 5.0,
    "GB of logs": 0.50,
    "metric-months": 0.30,
    "alarm-months": 0.10,
    "dashboard-months": 3.0,
    "secret-months": 0.40,
    "ten thousand uses of keys": 0.03,
}
"""Dollars a unit, x86; arm64 makes GB-seconds a fifth cheaper."""

HOURS: Final = 730
SHARDS: Final = 6
ALARMS: Final = 54
SECRETS: Final = 9
"""Seven tokens, the database, and one campaign's seed."""
RESTING_METRICS: Final = 24
"""Figures of the three functions that a schedule calls all day."""
TICKS: Final = {"saveStats": (12, 1.0), "slackStats": (2, 1.0), "smsWaveScheduler": (12, 0.4)}
"""Calls an hour, and seconds a call."""
LEAN_GB, BULK_GB, SEND_GB = 1024 / 1024, 3008 / 1024, 1769 / 1024
LOG_KB: Final = 2.5
"""What a call logs: three lines, one of them with its figures."""


@attrs.frozen
class Line:
    """A quantity of one unit."""

    what: str
    quantity: float
    unit: str

    @property
    def dollars(self) -> float:
        """Return the price in dollars."""
        return self.quantity * PRICES[self.unit]


@attrs.frozen(kw_only=True)
class Campaign:
    """How large a campaign is, and how it is run.

    Registration is open for `days`; a tenth of the `fans` is in a fan club, a tenth is selected,
    four of five of those are texted, `rate` a second. For the day of the scoring `scoring_shards`
    are added to vfInputStream.
    """

    fans: int
    scoring_shards: int
    days: int = 14
    rate: int = 100
    window_seconds: int = 60
    input_shards: int = 2

    @property
    def selected(self) -> int:
        """Return the number of selected fans."""
        return self.fans // 10

    @property
    def files(self) -> float:
        """Containers that registrations are gathered in, a window and shard, or a batch, each."""
        windows = self.days * 86400 / self.window_seconds * self.input_shards
        return max(self.fans / 1000, min(self.fans, windows))

    @property
    def calls(self) -> dict[str, tuple[float, float, float]]:
        """Calls of each function, seconds of each call, and its memory in GB."""
        scored = self.fans / (1000 * (2 + self.scoring_shards))
        sending = self.selected * 0.8 / self.rate
        return {
            "saveCampaignData": (self.files + self.fans * 1.2 / 1000, 0.3, LEAN_GB),
            "processScoredFiles": (1, scored, BULK_GB),
            "translateRanksToScores": (1, self.fans / 10 / 1000, BULK_GB),
            "processSmsWaveFiles": (1, self.fans / 10_000, BULK_GB),
            "generateSmsWaveCodes": (1, self.selected / 500, LEAN_GB),
            "processScheduledWave": (1, self.selected / 2500, LEAN_GB),
            "loadCodeAssignmentsToStream": (1, self.selected / 1000, LEAN_GB),
            "transformCodeAssignments": (self.selected / 100, 0.5, LEAN_GB),
            "saveSelection": (self.selected / 100, 2.0, LEAN_GB),
            "smsWaveSend": (1 + sending // 840, min(sending, 840), SEND_GB),
            "mergeAvroFiles": (self.days + 1, 120, LEAN_GB),
            "moveMergedAvroFiles": (self.days + 1, 180, LEAN_GB),
        }


def at_rest() -> Iterator[Line]:
    """Return the costs of a month without a campaign."""
    calls = sum(hourly for hourly, _ in TICKS.values()) * HOURS
    seconds = sum(hourly * length for hourly, length in TICKS.values()) * HOURS
    yield Line("streams, 6 shards", SHARDS * HOURS, "shard hours")
    yield Line("records kept 72 hours", SHARDS * HOURS, "shard hours of longer retention")
    yield Line("calls by schedules", calls / 1e6, "million calls")
    yield Line("the same, as long as they last", seconds * LEAN_GB, "GB-seconds")
    yield Line("waiting for messages", 15 * 60 * HOURS / 1e6, "million requests to queues")
    yield Line("looking for waves", 12 * HOURS / 1000, "thousand writes and lists of objects")
    yield Line("logs", calls * LOG_KB / 1e6, "GB of logs")
    yield Line("figures", RESTING_METRICS, "metric-months")
    yield Line("alarms", ALARMS, "alarm-months")
    yield Line("dashboard", 1, "dashboard-months")
    yield Line("secrets", SECRETS, "secret-months")
    yield Line("keys of streams", SHARDS * 12 * HOURS / 1e4, "ten thousand uses of keys")


def of_campaign(campaign: Campaign) -> Iterator[Line]:
    """Return the costs that a campaign adds to the months in which it runs."""
    fans, selected, files = campaign.fans, campaign.selected, campaign.files
    calls = sum(number for number, _, _ in campaign.calls.values())
    work = sum(number * length * memory for number, length, memory in campaign.calls.values())
    # Registrations, scorings and ranks; codes go through two streams.
    records = fans * 2.1 + selected * 2
    # A container is put, copied for the query, and copied to the archive.
    written = files * 3 + fans * 1.2 / 1000 + 1000
    scored_parts = fans * 150 * 2 / (8 * 1024**2)
    transitions = campaign.calls["smsWaveSend"][0] * 4 + 4
    yield Line("records put", records / 1e6, "million put units")
    yield Line("shards for a day", campaign.scoring_shards * 24, "shard hours")
    yield Line("calls", calls / 1e6, "million calls")
    yield Line("the same, as long as they last", work, "GB-seconds")
    yield Line(
        "demand table and ledger", (selected + selected * 3) / 1e6, "million writes of tables"
    )
    yield Line("items of both", selected * 600 / 1e9, "GB-months of tables, with recovery")
    yield Line(
        "objects written", (written + scored_parts) / 1000, "thousand writes and lists of objects"
    )
    yield Line("objects read", files * 10 / 1000, "thousand reads of objects")
    yield Line("objects kept", fans * 2000 / 1e9, "GB-months of objects")
    yield Line("verdicts and e-mails", selected * 0.05 / 1e6, "million requests to queues")
    yield Line("steps of waves", transitions / 1000, "thousand transitions")
    yield Line("merging", max(fans * 600 / 1e12, 15 * 1e-5), "TB scanned")
    yield Line("logs", calls * LOG_KB / 1e6, "GB of logs")
    yield Line("figures", 120, "metric-months")


def _round(quantity: float) -> str:
    """Format a quantity with at least three digits."""
    return f"{quantity:,.0f}" if quantity >= 100 else f"{quantity:.3g}"


MILLION: Final = Campaign(fans=1_000_000, scoring_shards=4)
TEN_MILLION: Final = Campaign(fans=10_000_000, scoring_shards=20)


def total(lines: Iterable[Line]) -> float:
    """Return the sum in dollars."""
    return sum(line.dollars for line in lines)


def tables() -> Iterator[str]:
    """Yield the tables, line by line."""
    yield from ("| at rest, a month | quantity | unit | $ |", "| --- | ---: | --- | ---: |")
    for line in at_rest():
        yield f"| {line.what} | {_round(line.quantity)} | {line.unit} | {line.dollars:,.2f} |"
    yield f"| **together** | | | **{total(at_rest()):,.0f}** |"
    yield ""
    yield "| a campaign | unit | of 1 M fans | $ | of 10 M fans | $ |"
    yield "| --- | --- | ---: | ---: | ---: | ---: |"
    for small, large in zip(of_campaign(MILLION), of_campaign(TEN_MILLION), strict=True):
        yield (
            f"| {small.what} | {small.unit} | {_round(small.quantity)} | {small.dollars:,.2f} "
            f"| {_round(large.quantity)} | {large.dollars:,.2f} |"
        )
    sums = (total(of_campaign(MILLION)), total(of_campaign(TEN_MILLION)))
    yield f"| **together** | | | **{sums[0]:,.0f}** | | **{sums[1]:,.0f}** |"


if __name__ == "__main__":
    sys.stdout.write("\n".join(tables()) + "\n")
