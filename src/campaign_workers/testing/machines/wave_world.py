"""The two wave workers on memory adapters, and their visible effects."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.databases import FakeDeliveryLedger
from campaign_workers.adapters.fakes.messages import AcceptedText, FakeChat, FakeSmsService
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.streams import MemoryMessageQueue
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.memory.workflow import MemoryWorkflowStarter
from campaign_workers.adapters.system.clocks import SteppedClock
from campaign_workers.adapters.system.deadlines import CountdownDeadline, Unlimited
from campaign_workers.domain.csv.rows import write_rows
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.storage.layout import WaveState, wave_config_key, wave_file_key
from campaign_workers.domain.waves.files import COLUMNS
from campaign_workers.ports.system import Deadline
from campaign_workers.testing.builders import CAMPAIGN, campaign
from campaign_workers.workers.sms_wave_scheduler import SmsWaveScheduler
from campaign_workers.workers.sms_wave_send.sender import Limits
from campaign_workers.workers.sms_wave_send.worker import SmsWaveSend

NOW: Final = datetime(2026, 11, 20, 17, tzinfo=UTC)
"""Noon in New York."""

DEAD_ENDING: Final = "999"
"""The ending of phone numbers that the SMS service refuses."""

Wrap = Callable[[Any], Any]


def registrant(fan: int | str = 1, **cells: str) -> dict[str, str]:
    """Return a row of a wave file with a valid phone number; `cells` override columns."""
    number = fan if isinstance(fan, int) else 1
    row = {
        "code": f"CODE{number}",
        "email": f"fan{number}@mail.example",
        "firstName": "Ada",
        "lastName": "Brown",
        "link": "https://tickets.example",
        "marketId": "nyc",
        "globalUserId": f"g{fan}",
        "mobileNumber": f"+1212555{number:04d}",
        "smsText": "{firstName}, your code is {code}: {link}",
    }
    return row | cells


def config(**fields: Any) -> dict[str, Any]:
    """Return a complete wave config; the override None removes a field."""
    document = {
        "campaignId": CAMPAIGN,
        "categoryId": 4711,
        "totalLimit": 1000,
        "generateOfferCode": False,
        "tiedToAccount": True,
        "notifyDate": iso_utc(NOW),
    }
    return {name: value for name, value in (document | fields).items() if value is not None}


@attrs.define
class WaveWorld:
    """The ports of the two wave workers, each passed through `wrap`."""

    wrap: Wrap = attrs.field(default=lambda port: port)
    clock: SteppedClock = attrs.field(factory=lambda: SteppedClock(NOW))
    tables: DictTables = attrs.field(factory=DictTables)
    limits: Limits = attrs.field(factory=Limits)
    store: MemoryObjectStore = attrs.field(init=False)
    campaigns: FakeCampaignService = attrs.field(init=False)
    sms: FakeSmsService = attrs.field(init=False)
    queue: MemoryMessageQueue = attrs.field(init=False)
    ledger: FakeDeliveryLedger = attrs.field(init=False)
    chat: FakeChat = attrs.field(init=False)
    workflow: MemoryWorkflowStarter = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Create the adapters, and a campaign with the channel `#tour`."""
        self.store, self.queue = MemoryObjectStore(self.clock), MemoryMessageQueue(clock=self.clock)
        self.campaigns = FakeCampaignService(self.tables)
        self.ledger = FakeDeliveryLedger(self.tables)
        self.sms = FakeSmsService(self.tables, self.clock, dead_endings=(DEAD_ENDING,))
        self.chat = FakeChat(self.tables, self.clock)
        self.workflow = MemoryWorkflowStarter(self.clock)
        self.campaigns.put(campaign(stats_channels=("#tour",)))

    def upload(self, wave: str, rows: Iterable[Mapping[str, str]]) -> None:
        """Upload a wave file."""
        self.store.put(wave_file_key(wave), write_rows(tuple(COLUMNS.values()), rows))

    def schedule(self, wave: str, **fields: Any) -> str:
        """Put a config into `scheduled/` and return its key."""
        key = wave_config_key(wave, WaveState.SCHEDULED)
        self.store.put(key, json.dumps(config(**fields)).encode())
        return key

    def tick(self) -> Report:
        """Run the scheduler."""
        worker = SmsWaveScheduler(
            scoring=self.wrap(self.store), workflow=self.wrap(self.workflow), clock=self.clock
        )
        return worker(Tick())

    def send(self, key: str, *, deadline: Deadline | None = None, **request: Any) -> Report:
        """Call the sender once."""
        worker = SmsWaveSend(
            scoring=self.wrap(self.store),
            campaigns=self.wrap(self.campaigns),
            sms=self.wrap(self.sms),
            emails=self.wrap(self.queue),
            ledger=self.wrap(self.ledger),
            chat=self.wrap(self.chat),
            clock=self.clock,
            deadline=deadline or Unlimited(),
            limits=self.limits,
        )
        return worker(worker.parse({"configKey": key, **request}))

    def send_to_the_end(self, key: str, *, seconds: float) -> list[Report]:
        """Call the sender as the state machine does, each call ending after `seconds`."""
        reports: list[Report] = []
        request: dict[str, Any] = {}
        while True:
            ends = self.clock.now() + timedelta(seconds=seconds)
            reports.append(self.send(key, deadline=CountdownDeadline(self.clock, ends), **request))
            cursor = reports[-1].details.get("cursor")
            if cursor is None:
                return reports
            request = {"cursor": json.loads(json.dumps(cursor))}
            if until := reports[-1].details.get("waitUntil"):
                wait = datetime.fromisoformat(until) - self.clock.now()
                self.clock.advance(max(wait, timedelta()))

    def texts(self) -> list[AcceptedText]:
        """Return the accepted texts in the order of acceptance."""
        return sorted(
            self.sms.accepted_texts(), key=lambda text: (text.accepted, text.message.message_id)
        )

    def emails(self) -> dict[str, dict[str, Any]]:
        """Return the e-mail messages by id, deduplicated as by their consumer."""
        bodies = [json.loads(body) for body in self.queue.bodies()]
        return {body["messageId"]: body for body in bodies}

    def states(self, wave: str) -> list[WaveState]:
        """Return the states whose folders contain the wave's config."""
        keys = {info.key for info in self.store.list("smsWaves/")}
        return [state for state in WaveState if wave_config_key(wave, state) in keys]

    def snapshot(self) -> Mapping[str, object]:
        """Return all visible effects, without their times."""
        return {
            "objects": {info.key: self.store.open(info.key).read() for info in self.store.list("")},
            "texts": [text.message for text in self.sms.accepted_texts()],
            "emails": self.emails(),
            "ledger": {
                key: (row["state"], row.get("channel"))
                for key, row in self.tables("deliveries").scan()
            },
            "executions": [name for name, _, _ in self.workflow.executions()],
            "alerts": {(post.channel, post.text) for post in self.chat.posts()},
        }
