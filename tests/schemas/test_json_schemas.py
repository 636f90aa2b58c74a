"""What people and services hand in as JSON has a schema, and the schema means what it says."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from campaign_workers.adapters.avro.schemas import folder
from campaign_workers.domain.campaigns import Market
from campaign_workers.domain.csv.rows import Row
from campaign_workers.domain.errors import BadInput, RejectRecord
from campaign_workers.domain.preparation.request import parse_market_details
from campaign_workers.domain.records.record import read_record
from campaign_workers.domain.records.types import SELECTION_TYPES
from campaign_workers.domain.waves.config import WaveConfig

WAVE = {
    "campaignId": "summer-tour-2026",
    "categoryId": 4711,
    "totalLimit": 5000,
    "generateOfferCode": True,
    "tiedToAccount": False,
    "notifyDate": "2026-11-18T15:00:00Z",
}
HOURS = {"start": "09:00", "end": "21:00", "otherwise": "email"}
MARKET = {"marketId": "nyc", "marketName": "New York", "ticketType": "TM", "limit": 900}
REFRESH = {"type": "selectionRefresh", "campaignId": "c", "globalUserId": "g"}


def validator(name: str) -> Draft202012Validator:
    """A checked validator of one of our schemas."""
    schema = json.loads((folder() / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def is_valid(name: str, document: Any) -> bool:
    """What the schema thinks of a document."""
    return not list(validator(name).iter_errors(document))


def is_read(read: Callable[[], object]) -> bool:
    """What our reader thinks of it."""
    try:
        read()
    except (BadInput, RejectRecord):
        return False
    return True


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"rate": 0.5, "textingHours": HOURS, "somethingElse": 1},
        {"productId": "p", "source": "s", "beginDate": "2026-11-17T15:00:00Z"},
        {"totalLimit": 0, "lastFailure": "late"},
    ],
)
def test_a_right_wave_config_is_valid_and_read(change: dict[str, Any]) -> None:
    """Schema and reader take the same wave configs."""
    document = WAVE | change
    assert is_valid("wave-config", document)
    assert is_read(lambda: WaveConfig.parse(document, file="w.json"))


@pytest.mark.parametrize(
    "change",
    [
        *({left_out: None} for left_out in WAVE),
        {"campaignId": "../secrets"},
        {"campaignId": "a..b"},
        {"categoryId": "4711"},
        {"totalLimit": -1},
        {"generateOfferCode": "true"},
        {"rate": 0},
        {"rate": 2_000_000},
        {"textingHours": "always"},
        {"textingHours": HOURS | {"otherwise": "call"}},
        {"textingHours": HOURS | {"start": "25:00"}},
    ],
)
def test_a_wrong_wave_config_is_neither_valid_nor_read(change: dict[str, Any]) -> None:
    """Schema and reader refuse the same wave configs."""
    document = {name: value for name, value in (WAVE | change).items() if value is not None}
    assert not is_valid("wave-config", document)
    assert not is_read(lambda: WaveConfig.parse(document, file="w.json"))


def market_rows(documents: list[dict[str, Any]]) -> list[Row]:
    """The documents as rows of a file."""
    columns = ("marketId", "marketName", "ticketType", "limit", "link")
    return [
        Row(line=line, cells={name: str(document.get(name, "")) for name in columns})
        for line, document in enumerate(documents, 2)
    ]


def markets_are_read(documents: list[dict[str, Any]]) -> bool:
    """What the reader of market details thinks."""
    known = [Market(market_id="nyc"), Market(market_id="ldn")]
    return is_read(lambda: parse_market_details(market_rows(documents), known, file="m.csv"))


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [MARKET, MARKET | {"marketId": "ldn", "ticketType": "NON_TM"}],
        [MARKET | {"limit": 0, "link": "https://t.example/nyc"}],
        [{"marketId": "nyc", "limit": 7}],
    ],
)
def test_right_market_details_are_valid_and_read(documents: list[dict[str, Any]]) -> None:
    """Schema and reader take the same market details."""
    assert is_valid("market-details", documents)
    assert markets_are_read(documents)


@pytest.mark.parametrize(
    "change",
    [
        {"marketId": None},
        {"limit": None},
        {"limit": -1},
        {"limit": 1.5},
        {"limit": 2**63},
        {"ticketType": "OTHER"},
        {"marketId": "new york"},
    ],
)
def test_wrong_market_details_are_neither_valid_nor_read(change: dict[str, Any]) -> None:
    """Schema and reader refuse the same market details."""
    row = {name: value for name, value in (MARKET | change).items() if value is not None}
    assert not is_valid("market-details", [row])
    assert not markets_are_read([row])


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"created": "2026-11-18T15:00:00Z"},
        {"campaignId": ""},
        {"campaignId": " "},
        {"globalUserId": 7},
        {"globalUserId": None},
        {"type": "codeAssignment?"},
        {"extra": {"x": 1}},
    ],
)
def test_the_schema_of_a_refresh_agrees_with_its_reader(change: dict[str, Any]) -> None:
    """A refresh is valid exactly if it can be read."""
    document = REFRESH | change
    readable = is_read(lambda: read_record(document, SELECTION_TYPES))
    assert is_valid("selection-refresh", document) is readable
