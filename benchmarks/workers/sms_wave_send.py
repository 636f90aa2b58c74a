"""smsWaveSend: a wave of texts without a rate.

The floor parses the file and makes each text's number, id, words and segments, one after the other.
"""

import csv
import uuid
from io import StringIO
from typing import Any, Final

import smsutil

from benchmarks.costless import Ledger, Sink, Texts
from benchmarks.measuring import Call, Comparison
from benchmarks.wave_uploads import WAVE, wave_config, wave_file
from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.messages import FakeChat
from campaign_workers.adapters.memory.object_store import MemoryObjectStore
from campaign_workers.adapters.memory.tables import DictTables
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.adapters.system.deadlines import Unlimited
from campaign_workers.domain.contact.details import normalise_phone
from campaign_workers.domain.storage import layout
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.workers.sms_wave_send.worker import SmsWaveSend

ROWS: Final = 5_000
KEY: Final = layout.wave_config_key(WAVE, layout.WaveState.SCHEDULED)


def comparison(rows: int) -> Comparison:
    file = wave_file(rows)
    return Comparison(rows=rows, floor=lambda: _floor(file), prepared=lambda: _worker(file, rows))


def _floor(file: bytes) -> None:
    for row in csv.DictReader(StringIO(file.decode())):
        unit = f"campaign-workers:{WAVE}:{row['globalUserId']}:{row['marketId']}"
        text = row["smsText"].replace("{firstName}", row["firstName"])
        text = text.replace("{code}", row["code"]).replace("{link}", row["link"])
        TextMessage(
            message_id=str(uuid.uuid5(uuid.NAMESPACE_URL, unit)),
            phone=normalise_phone(row["mobileNumber"])[0],
            text=text,
            group=WAVE,
        )
        smsutil.split(text)


def _worker(file: bytes, rows: int) -> Call:
    clock, tables = SystemClock(), DictTables()
    scoring = MemoryObjectStore(clock)
    scoring.put(layout.wave_file_key(WAVE), file)
    scoring.put(KEY, wave_config(rows))
    ledger: Any = Ledger()
    worker = SmsWaveSend(
        scoring=scoring,
        campaigns=FakeCampaignService(tables),
        sms=Texts(),
        emails=Sink(),
        ledger=ledger,
        chat=FakeChat(tables, clock),
        clock=clock,
        deadline=Unlimited(),
    )
    return lambda: worker(worker.parse({"configKey": KEY}))
