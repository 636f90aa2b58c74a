"""A world of memory adapters and fakes for tests of workers."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService, FakeMarketRepository
from campaign_workers.adapters.fakes.codes import FakeCodeService, FakeOfferCodes
from campaign_workers.adapters.fakes.databases import FakeAdminStatsRepository, FakeDemandTable
from campaign_workers.adapters.fakes.entries import FakeEntryService
from campaign_workers.adapters.fakes.messages import FakeChat
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryMessageQueue, MemoryRecordStream
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.domain.csv.rows import read_rows, write_rows
from campaign_workers.domain.running.triggers import (
    INPUT_STREAM,
    SAVE_SELECTION_STREAM,
    VERDICT_QUEUE,
)
from campaign_workers.domain.waves.files import COLUMNS
from campaign_workers.testing.crashes import KillSwitch, Side

NOW: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)

Wrap = Callable[[Any], Any]


def no_wrapper(port: Any) -> Any:
    """Return the port itself."""
    return port


@attrs.define
class World:
    """Every adapter that workers use, empty at first."""

    wrap: Wrap = no_wrapper
    clock: SteppedClock = attrs.field(factory=lambda: SteppedClock(NOW))
    tables: DictTables = attrs.field(factory=DictTables)
    campaigns: FakeCampaignService = attrs.field(init=False)
    markets: FakeMarketRepository = attrs.field(init=False)
    users: FakeUserService = attrs.field(init=False)
    entries: FakeEntryService = attrs.field(init=False)
    codes: FakeCodeService = attrs.field(init=False)
    mint: FakeOfferCodes = attrs.field(init=False)
    stats: FakeAdminStatsRepository = attrs.field(init=False)
    demand: FakeDemandTable = attrs.field(init=False)
    chat: FakeChat = attrs.field(init=False)
    lake: MemoryObjectStore = attrs.field(init=False)
    scoring: MemoryObjectStore = attrs.field(init=False)
    selections: MemoryRecordStream = attrs.field(init=False)
    inputs: MemoryRecordStream = attrs.field(init=False)
    verdicts: MemoryMessageQueue = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Build every adapter."""
        self.campaigns = FakeCampaignService(self.tables)
        self.markets = FakeMarketRepository(self.tables)
        self.users, self.mint = FakeUserService(self.tables), FakeOfferCodes(self.tables)
        self.entries = FakeEntryService(self.tables, self.clock)
        self.codes = FakeCodeService(self.tables, self.clock)
        self.stats = FakeAdminStatsRepository(self.tables)
        self.demand = FakeDemandTable(self.tables)
        self.chat = FakeChat(self.tables, self.clock)
        self.lake, self.scoring = MemoryObjectStore(self.clock), MemoryObjectStore(self.clock)
        self.selections = MemoryRecordStream(name=SAVE_SELECTION_STREAM, clock=self.clock)
        self.inputs = MemoryRecordStream(name=INPUT_STREAM, clock=self.clock)
        self.verdicts = MemoryMessageQueue(name=VERDICT_QUEUE, clock=self.clock)

    def ports(self, **ports: Any) -> dict[str, Any]:
        """Return ports for a worker, each wrapped by `wrap`."""
        return {name: self.wrap(port) for name, port in ports.items()}

    def text(self, key: str) -> str:
        """Return an object of the scoring bucket as text."""
        return self.scoring.open(key).read().decode()


@attrs.define(kw_only=True)
class ConcurrentAction(KillSwitch):
    """Runs an action just before one of a worker's port calls."""

    happens: Callable[[], object]

    def check(self, side: Side) -> None:
        """Let it happen if this is the call; unlike a kill, the call goes on."""
        if side == "before" and self.calls == self.at and not self.fired:
            self.fired = True
            self.happens()


WAVE_COLUMNS: Final = tuple(COLUMNS.values())


def wave_rows(*rows: dict[str, str]) -> bytes:
    """Return a wave file; each row has an address and a number unless given."""
    blank = {"doNotText": "", "firstName": "Ada", "lastName": "L", "mobileNumber": "+12125550162"}
    return b"".join(
        write_rows(
            WAVE_COLUMNS,
            ({**blank, "email": f"{row.get('globalUserId')}@mail.example", **row} for row in rows),
        )
    )


def wave_config(**overrides: Any) -> dict[str, Any]:
    """Return a wave config as JSON."""
    config = {
        "campaignId": "tour",
        "categoryId": 77,
        "totalLimit": 1000,
        "generateOfferCode": True,
        "tiedToAccount": True,
        "notifyDate": "2026-10-05T15:00:00Z",
    }
    return config | overrides


def table(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a file, without empty cells."""
    rows = read_rows([content], file="the file", required=[])
    return [{name: cell for name, cell in row.cells.items() if cell} for row in rows]


def contents(store: MemoryObjectStore) -> dict[str, bytes]:
    """Return every object of a bucket."""
    return {info.key: store.open(info.key).read() for info in store.list("")}


def put_records(stream: MemoryRecordStream) -> list[dict[str, Any]]:
    """Return the contents of a stream's records, shard by shard."""
    return [json.loads(entry.data) for entry in put_entries(stream)]


def put_entries(stream: MemoryRecordStream) -> list[Any]:
    """Return the records of a stream, shard by shard."""
    shards = stream.shards()
    return [entry for shard in shards for entry in stream.read(shard, after=None, limit=10**6)]


def first_of_each(items: Iterable[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the items without duplicates, sorted by `key`, as a deduplicating consumer would."""
    kept: dict[str, dict[str, Any]] = {}
    for item in items:
        assert kept.setdefault(item[key], item) == item
    return [kept[name] for name in sorted(kept)]


def messages(queue: MemoryMessageQueue) -> list[dict[str, Any]]:
    """Return the messages of a queue, oldest first."""
    return [json.loads(body) for body in queue.bodies()]


def rejected_records(lake: MemoryObjectStore, worker: str) -> list[dict[str, Any]]:
    """Return the records that a worker rejected, sorted by key."""
    keys = [info.key for info in lake.list(f"rejected/{worker}/")]
    return [json.loads(line) for key in keys for line in lake.open(key).read().splitlines()]


def rejection_reasons(lake: MemoryObjectStore, worker: str) -> list[str]:
    """Return the reasons of rejected records, sorted."""
    return sorted(line["reason"] for line in rejected_records(lake, worker))
