"""What people and services hand in as JSON has a schema, and the schema means what it says."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from campaign_workers.adapters.avro.schemas import folder
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records import SELECTION_TYPES, read_record

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


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("wave-config", WAVE),
        ("wave-config", WAVE | {"rate": 0.5, "textingHours": HOURS, "somethingElse": 1}),
        (
            "wave-config",
            WAVE | {"productId": "p", "source": "s", "beginDate": "2026-11-17T15:00:00Z"},
        ),
        ("market-details", []),
        ("market-details", [MARKET, MARKET | {"marketId": "ldn", "ticketType": "NON_TM"}]),
        ("market-details", [MARKET | {"limit": 0, "link": "https://t.example/nyc"}]),
        ("selection-refresh", REFRESH),
        ("selection-refresh", REFRESH | {"created": "2026-11-18T15:00:00Z"}),
    ],
)
def test_right_documents_are_valid(name: str, document: Any) -> None:
    """Examples of each document, the smallest among them, are valid."""
    assert not list(validator(name).iter_errors(document))


@pytest.mark.parametrize(
    ("name", "document"),
    [
        *(("wave-config", {n: v for n, v in WAVE.items() if n != left_out}) for left_out in WAVE),
        ("wave-config", WAVE | {"campaignId": "../secrets"}),
        ("wave-config", WAVE | {"campaignId": "a..b"}),
        ("wave-config", WAVE | {"categoryId": "4711"}),
        ("wave-config", WAVE | {"totalLimit": -1}),
        ("wave-config", WAVE | {"generateOfferCode": "true"}),
        ("wave-config", WAVE | {"rate": 0}),
        ("wave-config", WAVE | {"textingHours": HOURS | {"otherwise": "call"}}),
        ("wave-config", WAVE | {"textingHours": HOURS | {"start": "25:00"}}),
        ("market-details", MARKET),
        *(
            ("market-details", [{n: v for n, v in MARKET.items() if n != left_out}])
            for left_out in MARKET
        ),
        ("market-details", [MARKET | {"limit": -1}]),
        ("market-details", [MARKET | {"limit": 1.5}]),
        ("market-details", [MARKET | {"ticketType": "OTHER"}]),
        ("market-details", [MARKET | {"marketId": "new york"}]),
    ],
)
def test_wrong_documents_are_not(name: str, document: Any) -> None:
    """A missing field, another type or a value out of bounds is an error."""
    assert list(validator(name).iter_errors(document))


@pytest.mark.parametrize(
    "change",
    [
        {},
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
    valid = not list(validator("selection-refresh").iter_errors(document))
    try:
        read_record(document, SELECTION_TYPES)
        readable = True
    except RejectRecord:
        readable = False
    assert valid is readable
