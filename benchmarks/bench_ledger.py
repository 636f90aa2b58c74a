"""The delivery ledger beside bare calls of the SDK, and how fast waves go on top of it.

`python -m benchmarks.bench_ledger --deliveries 3000`. The table is an emulator's on loopback:
ratios count, rates do not. For the waves each answer of the table is held back for as long as one
takes within a region.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import attrs

from campaign_workers.adapters.aws.dynamodb_ledger import DynamoDeliveryLedger
from campaign_workers.adapters.system.clocks import SystemClock
from campaign_workers.adapters.system.deadlines import Unlimited
from campaign_workers.ports.sms_service import TextMessage
from campaign_workers.ports.tables import Channel, Delivery, DeliveryState
from campaign_workers.testing.machines.wave_world import WaveWorld, registrant
from campaign_workers.workers.sms_wave_send.worker import SmsWaveSend
from tests.servers.aws import FreshAws, client_of, endpoint

DELIVERIES: Final = 3_000
AT_A_TIME: Final = 100
THREADS: Final = 16
RATE: Final = 100
TABLE_SECONDS: Final = 0.005
TEXT_SECONDS: Final = 0.1
NOW: Final = datetime(2026, 11, 20, 17, tzinfo=UTC)
NEW: Final = {"ConditionExpression": "attribute_not_exists(pk)"}

Ids = Sequence[str]


def run(size: float = 1) -> None:
    """Print rates and ratios of claims, reads and outcomes, then of waves.

    Raises:
        AssertionError: a wave did not reach everybody.
    """
    deliveries = round(DELIVERIES * size)
    client = client_of(endpoint(), "dynamodb", max_pool_connections=50)
    with ExitStack() as stack:
        table = FreshAws(stack).table("pk", "sk")
        bare, ledger = Bare(client, table), DynamoDeliveryLedger(client, table=table)
        ids, others = _ids(deliveries), _ids(deliveries)
        each = _line("claims, put one by one", deliveries, _timed(bare.put_each, _ids(deliveries)))
        floor = _line("claims, bare transactions", deliveries, _timed(bare.put, others))
        took = _line("claims", deliveries, _timed(lambda some: _claim(ledger, some), ids))
        _ratio(took, floor)
        print(f"{'transactions beside puts':32}{each / floor:14.2f} x as fast")
        floor = _line("reads, bare", deliveries, _timed(bare.read, ids))
        _ratio(_line("reads", deliveries, _timed(lambda x: ledger.read("wave", x), ids)), floor)
        floor = _line("outcomes, bare", deliveries, _timed(bare.settle, others))
        took = _line("outcomes", deliveries, _timed(lambda some: _settle(ledger, some), ids))
        _ratio(took, floor)
        client.meta.events.register("before-send.dynamodb", lambda **_: time.sleep(TABLE_SECONDS))
        _line("a wave", deliveries, _sent(ledger, deliveries))
        few = deliveries // 3
        seconds = _line(f"a wave at {RATE} texts/s", few, _sent(ledger, few, rate=RATE))
        print(f"{'its rate allows':32}{few / seconds / RATE:14.2f} x of it kept")


@attrs.frozen
class Bare:
    """The calls that the ledger makes, with nothing around them."""

    client: Any
    table: str

    def put_each(self, ids: Ids) -> None:
        """Claim by a put each, many side by side."""
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in threads.map(
                lambda one: self.client.put_item(TableName=self.table, Item=_item(one), **NEW), ids
            ):
                pass

    def put(self, ids: Ids) -> None:
        """Claim by transactions."""
        for some in _some(ids):
            puts = [{"TableName": self.table, "Item": _item(one), **NEW} for one in some]
            self.client.transact_write_items(TransactItems=[{"Put": put} for put in puts])

    def read(self, ids: Ids) -> None:
        """Read what was claimed."""
        for some in _some(ids):
            keys = {"Keys": [_key(one) for one in some], "ConsistentRead": True}
            self.client.batch_get_item(RequestItems={self.table: keys})

    def settle(self, ids: Ids) -> None:
        """Write outcomes, one after the other as the worker does."""
        for one in ids:
            self.client.update_item(
                TableName=self.table,
                Key=_key(one),
                UpdateExpression="SET #state = :sent, #settled = :now, #expires = :expires",
                ConditionExpression="#state = :claimed",
                ExpressionAttributeNames={f"#{n}": n for n in ("state", "settled", "expires")},
                ExpressionAttributeValues={
                    ":sent": {"S": "sent"},
                    ":claimed": {"S": "claimed"},
                    ":now": {"S": "2026-11-20T17:00:00Z"},
                    ":expires": {"N": "1830000000"},
                },
            )


class SlowSms:
    """Accepts every text, after a while."""

    def __init__(self) -> None:
        self.accepted = 0

    async def send(self, message: TextMessage) -> None:
        """See `SmsService.send`."""
        await asyncio.sleep(TEXT_SECONDS)
        self.accepted += bool(message.message_id)


def _sent(ledger: DynamoDeliveryLedger, texts: int, **fields: Any) -> float:
    """Seconds of a wave."""
    world, sms, wave = WaveWorld(), SlowSms(), f"tour_{uuid4().hex[:8]}"
    world.upload(wave, (registrant(f"{n}", mobileNumber="+12125550162") for n in range(texts)))
    key = world.schedule(wave, totalLimit=texts, **fields)
    worker = SmsWaveSend(
        scoring=world.store,
        campaigns=world.campaigns,
        sms=sms,
        emails=world.queue,
        ledger=ledger,
        chat=world.chat,
        clock=SystemClock(),
        deadline=Unlimited(),
    )
    seconds = _timed(lambda _: worker(worker.parse({"configKey": key})), ())
    assert sms.accepted == texts, "somebody was not texted"
    return seconds


def _claim(ledger: DynamoDeliveryLedger, ids: Ids) -> None:
    for some in _some(ids):
        ledger.claim("wave", some, now=NOW, channel=Channel.SMS)


def _settle(ledger: DynamoDeliveryLedger, ids: Ids) -> None:
    for one in ids:
        sent = Delivery(message_id=one, state=DeliveryState.SENT, channel=Channel.SMS)
        ledger.settle("wave", sent, now=NOW)


def _ids(many: int) -> Ids:
    return [str(uuid4()) for _ in range(many)]


def _some(ids: Ids) -> Sequence[Ids]:
    return [ids[start : start + AT_A_TIME] for start in range(0, len(ids), AT_A_TIME)]


def _key(message_id: str) -> dict[str, Any]:
    return {"pk": {"S": "wave"}, "sk": {"S": message_id}}


def _item(message_id: str) -> dict[str, Any]:
    texts = {"state": "claimed", "channel": "sms", "claimed": "2026-11-20T17:00:00Z"}
    attributes = {name: {"S": text} for name, text in texts.items()}
    return {**_key(message_id), **attributes, "expires": {"N": "1830000000"}}


def _timed(call: Callable[[Ids], object], ids: Ids) -> float:
    start = time.perf_counter()
    call(ids)
    return time.perf_counter() - start


def _line(what: str, deliveries: int, seconds: float) -> float:
    print(f"{what:32}{deliveries / seconds:14,.0f} /s{seconds:8.2f} s")
    return seconds


def _ratio(seconds: float, floor: float) -> None:
    print(f"{'ledger / bare calls':32}{seconds / floor:14.2f} x")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--deliveries", type=int, default=DELIVERIES)
    run(parser.parse_args().deliveries / DELIVERIES)


if __name__ == "__main__":
    main()
