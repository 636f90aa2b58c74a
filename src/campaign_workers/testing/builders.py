"""Valid campaigns, records, entries and batches; tests override the fields that they are about."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from campaign_workers.domain.campaigns import Campaign, Market, TicketType
from campaign_workers.domain.codes import Assignment
from campaign_workers.domain.running.events import StreamBatch, StreamRecord
from campaign_workers.domain.running.triggers import INPUT_STREAM
from campaign_workers.domain.stats.admin import Entry
from campaign_workers.ports.offer_codes import OfferCodeRequest
from campaign_workers.ports.sms_service import TextMessage

CAMPAIGN: Final = "tour"
CREATED: Final = datetime(2026, 9, 1, tzinfo=UTC)

MARKETS: Final = (
    Market(market_id="nyc", name="New York", city="New York", timezone="America/New_York"),
    Market(market_id="chi", name="Chicago", city="Chicago", ticket_type=TicketType.NON_TM),
)


def campaign(campaign_id: str = CAMPAIGN, **overrides: Any) -> Campaign:
    """Return an open registration campaign with the markets `nyc` (TM) and `chi` (NON_TM)."""
    fields: dict[str, Any] = {
        "name": "World Tour",
        "artist": "The Placeholders",
        "markets": MARKETS,
    }
    return Campaign(campaign_id=campaign_id, **fields | overrides)


def entry(fan: str = "g1", **overrides: Any) -> Entry:
    """Return the entry of a registered fan."""
    fields: dict[str, Any] = {"user_id": f"u-{fan}", "campaign_id": CAMPAIGN, "created": CREATED}
    return Entry(global_user_id=fan, **fields | overrides)


def registration(fan: str | None = "g1", **overrides: Any) -> dict[str, Any]:
    """Return a registration for `nyc` in wire format; the override None removes a field."""
    record = {
        "type": "registration",
        "campaignId": CAMPAIGN,
        "userId": f"u-{fan}",
        "globalUserId": fan,
        "email": f"{fan}@mail.example",
        "marketIds": ["nyc"],
        "optInEmail": True,
        "optInSms": True,
        "created": "2026-09-01T00:00:00Z",
    }
    return _without_nulls(record | overrides)


def scoring(fan: str | None = "g1", **overrides: Any) -> dict[str, Any]:
    """Return a valid score for `nyc` in wire format; the override None removes a field."""
    record = {
        "type": "scoring",
        "campaignId": CAMPAIGN,
        "globalUserId": fan,
        "score": 0.5,
        "verdict": 1,
        "tags": [],
        "marketIds": ["nyc"],
        "source": "scored",
        "created": "2026-09-10T00:00:00Z",
    }
    return _without_nulls(record | overrides)


def code_assignment(fan: str = "g1", code: str = "CODE1", **overrides: Any) -> dict[str, Any]:
    """Return the assignment of a code for `nyc` in wire format."""
    record = {
        "type": "codeAssignment",
        "campaignId": CAMPAIGN,
        "globalUserId": fan,
        "marketId": "nyc",
        "code": code,
        "created": "2026-09-20T00:00:00Z",
    }
    return _without_nulls(record | overrides)


def assignment(fan: str = "g1", code: str = "CODE1", **overrides: Any) -> Assignment:
    """Return a request to assign a code to a fan for `nyc`."""
    fields: dict[str, Any] = {"market_id": "nyc", "created": CREATED}
    return Assignment(global_user_id=fan, code=code, **fields | overrides)


def offer_code_request(key: str = "key1", **overrides: Any) -> OfferCodeRequest:
    """Return a request for an offer code that is valid for a year."""
    fields: dict[str, Any] = {
        "global_user_id": "g1",
        "begin": CREATED,
        "end": CREATED.replace(year=2027),
    }
    return OfferCodeRequest(idempotency_key=key, **fields | overrides)


def text_message(message_id: str = "m1", **overrides: Any) -> TextMessage:
    """Return a text to a North American number."""
    fields: dict[str, Any] = {"phone": "+12125550162", "text": "You're in!", "group": "wave1"}
    return TextMessage(message_id=message_id, **fields | overrides)


def batch(
    records: Iterable[Mapping[str, Any] | bytes], *, stream: str = INPUT_STREAM
) -> StreamBatch:
    """Return a batch of one shard from JSON records or raw bytes."""
    return StreamBatch(
        stream=stream,
        shard="shard-0",
        records=tuple(
            StreamRecord(
                sequence=f"{number:08d}",
                partition_key="key",
                data=record if isinstance(record, bytes) else json.dumps(record).encode(),
                arrived=CREATED,
            )
            for number, record in enumerate(records, 1)
        ),
    )


def _without_nulls(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}
