"""Wrong records on the streams: each is kept as it came, with the field that is wrong.

No record takes a neighbour with it, none gets stuck, and what is mended from the file of the
rejected ones and put again goes the way it should have gone.
"""

import base64
import json
import re
from typing import Any, Final

import pytest

from campaign_workers.domain.running.triggers import (
    FANLIST_RANKS_STREAM,
    INPUT_STREAM,
    SAVE_SELECTION_STREAM,
    VF_INPUT_STREAM,
)
from campaign_workers.domain.storage.layout import CAMPAIGN_DATA
from campaign_workers.testing.builders import CAMPAIGN, code_assignment, registration, scoring
from tests.journeys.bad_input_scene import CODES, PERSON, Scene

Wire = dict[str, Any]

GOOD: Final = registration("g7", **PERSON)


def registered(**changes: Any) -> bytes:
    """A registration with fields changed; None makes one null."""
    return json.dumps(GOOD | changes).encode()


NO_RECORDS: Final[dict[str, tuple[bytes, str]]] = {
    "a brace": (b"{", "not JSON"),
    "a text": (b'"planted"', "not a JSON object"),
    "a list": (b"[" + registered() + b"]", "not a JSON object"),
    "Latin-1": (registered(firstName="HERE").replace(b"HERE", b"planted\xe9"), "not UTF-8"),
    "a BOM": (b"\xef\xbb\xbf" + registered(), "not JSON"),
    "two in one": (registered() + b"\n" + registered(), "not JSON"),
    "NaN": (registered(score="HERE").replace(b'"HERE"', b"NaN"), "not JSON"),
    "a name twice": (registered()[:-1] + b', "email": "planted"}', "a field appears twice"),
    "endless brackets": (b'{"type":' * 50_000, "not JSON|nested too deeply"),
    "deep brackets": (
        registered(planted=json.loads("[" * 60 + "]" * 60)),
        "a field .*: nested too",
    ),
    "no type": (registered(type=None), "type: missing"),
    "another type": (registered(type="planted"), "type: unknown"),
    "a type of no text": (registered(type=["registration"]), "type: missing, or not a string"),
    "no campaign": (registered(campaignId=None), "campaignId: missing"),
    "an empty campaign": (registered(campaignId="  "), "campaignId: empty"),
    "no markets": (registered(marketIds=None), "marketIds: missing"),
    "five markets": (registered(marketIds=["planted"] * 5), "marketIds: more than 4"),
    "a market": (registered(marketIds="nyc"), "marketIds: expected a list of strings"),
    "markets by number": (registered(marketIds=[1, 2]), "marketIds: expected a list of strings"),
    "a phone as a number": (registered(phone=2125550147), "phone: expected a string"),
    "a score as a text": (registered(score="0.5"), "score: expected a number"),
    "an opt-in as a text": (registered(optInSms="true"), "optInSms: expected true or false"),
    "an opt-in as a number": (registered(optInEmail=1), "optInEmail: expected true or false"),
    "no date": (registered(created="planted"), "created: expected an ISO-8601"),
    "a date alone": (registered(created="2026-09-01"), "created: expected an ISO-8601"),
    "local time": (registered(created="2026-09-01T00:00:00"), "created: expected an ISO-8601"),
    "seconds": (registered(created=1_788_220_800), "created: expected an ISO-8601"),
    "a huge number": (registered(planted=10**400), "a field that is not of the type: a number"),
    "half a character": (registered(firstName="HERE").replace(b"HERE", rb"\ud800"), "firstName: "),
}
"""Invalid records and the reported reasons."""

NO_ASSIGNMENTS: Final[dict[str, tuple[Wire, str]]] = {
    "no campaign": (code_assignment("g1", CODES[0]) | {"campaignId": None}, "campaignId: missing"),
    "a category that there is not": (
        code_assignment("g1", CODES[0]) | {"campaignId": None, "categoryId": 404},
        "campaignId: missing",
    ),
    "a category as a text": (
        code_assignment("g1", CODES[0], categoryId="77"),
        "categoryId: expected a",
    ),
    "a fan that nobody knows": (code_assignment("g404", CODES[0]), "userId: missing"),
    "no fan": (code_assignment("g1", CODES[0]) | {"globalUserId": ""}, "globalUserId: empty"),
    "no code": (code_assignment("g1", " "), "code: empty"),
}
"""Assignments that go no further than `transformCodeAssignments`."""


def lake_ids(scene: Scene) -> set[str]:
    """Fans of the registrations in the lake."""
    container = scene.container
    return {
        record["globalUserId"]
        for key in scene.keys("avro/registration/", CAMPAIGN_DATA)
        for record in container.codec.decode(container.lake.open(key))
    }


def as_it_came(line: Wire) -> bytes:
    """The record in a line of the rejected ones."""
    return base64.b64decode(line["base64"]) if "base64" in line else str(line["data"]).encode()


@pytest.mark.parametrize("stream", [INPUT_STREAM, VF_INPUT_STREAM, FANLIST_RANKS_STREAM])
@pytest.mark.parametrize("wrong", NO_RECORDS)
def test_a_wrong_record_is_kept_and_affects_no_other(scene: Scene, stream: str, wrong: str) -> None:
    """Its neighbours are in the lake, it is in `rejected/` as it came, and mended it follows."""
    data, reason = NO_RECORDS[wrong]
    scene.send(stream, registered(globalUserId="g5"), data, registered(globalUserId="g6"))
    [line] = scene.rejected("saveCampaignData")
    assert re.match(reason, line["reason"])
    assert as_it_came(line) == data
    assert lake_ids(scene) == {"g1", "g2", "g5", "g6"}
    assert scene.dead_letters() == []

    scene.send(stream, registered())
    assert "g7" in lake_ids(scene)
    assert len(scene.rejected("saveCampaignData")) == 1
    assert scene.imbalances() == []


def test_all_wrong_records_of_a_batch_are_kept(scene: Scene) -> None:
    """However many of a batch are wrong, the books balance and each is there as it came."""
    wrong = [data for data, _ in NO_RECORDS.values()]
    before = sum(result["count"]["in"] for result in scene.results("saveCampaignData"))
    scene.send(INPUT_STREAM, registered(), *wrong, registered())
    results = [result["count"] for result in scene.results("saveCampaignData")]
    assert sum(counts["in"] for counts in results) == before + len(wrong) + 2
    assert sum(counts["rejected"] for counts in results) == len(wrong)
    assert sorted(map(as_it_came, scene.rejected("saveCampaignData"))) == sorted(wrong)
    assert scene.imbalances() == []


@pytest.mark.parametrize("wrong", NO_ASSIGNMENTS)
def test_a_wrong_assignment_is_kept_and_affects_no_other(scene: Scene, wrong: str) -> None:
    """The fan beside it gets a code; mended, as the file of the rejected ones has it, it counts."""
    record, reason = NO_ASSIGNMENTS[wrong]
    scene.send(INPUT_STREAM, record, code_assignment("g2", CODES[1], marketId="chi"))
    [line] = scene.rejected("transformCodeAssignments")
    assert line["reason"].startswith(reason)
    assert json.loads(line["data"]) == record
    entries = scene.container.embedded.entries
    assert set(entries.codes(CAMPAIGN, ["g1", "g2", "g404"])) == {"g2"}

    right = code_assignment("g1", CODES[0])
    scene.send(INPUT_STREAM, json.loads(line["data"]) | right | {"categoryId": 77})
    assert set(entries.codes(CAMPAIGN, ["g1", "g2"])) == {"g1", "g2"}
    assert len(scene.rejected("transformCodeAssignments")) == 1
    assert (scene.rejected("saveSelection"), scene.dead_letters()) == ([], [])
    assert scene.imbalances() == []


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"{", "not JSON"),
        (registered(), "type: unknown"),
        (json.dumps(code_assignment("g1", CODES[0]) | {"campaignId": None}).encode(), "campaignId"),
        (json.dumps(code_assignment("g1", CODES[1])).encode(), "assigned elsewhere"),
        (json.dumps(code_assignment("g" * 600, "TM")).encode(), "globalUserId: more than 512"),
        (json.dumps({"type": "selectionRefresh", "campaignId": CAMPAIGN}).encode(), "globalUserId"),
        (
            b'{"type":"selectionRefresh","campaignId":"tour","globalUserId":"g404"}',
            "the fan has no code in this campaign",
        ),
    ],
)
def test_a_wrong_selection_is_kept_and_affects_no_other(
    scene: Scene, data: bytes, reason: str
) -> None:
    """What another team puts on the stream of selections is read as strictly."""
    first = code_assignment("g2", CODES[1], marketId="chi")
    scene.send(SAVE_SELECTION_STREAM, first)
    scene.send(SAVE_SELECTION_STREAM, data, code_assignment("g1", CODES[0]))
    [line] = scene.rejected("saveSelection")
    assert line["reason"].startswith(reason)
    assert as_it_came(line) == data
    entries = scene.container.embedded.entries
    assert set(entries.codes(CAMPAIGN, ["g1", "g2"])) == {"g1", "g2"}
    assert scene.dead_letters() == []
    assert scene.imbalances() == []


def test_the_entry_service_passes_over_what_is_wrong(scene: Scene) -> None:
    """A wrong record neither stops the consumers of other teams nor becomes a candidate."""
    wrong = [data for data, _ in NO_RECORDS.values()]
    scene.send(INPUT_STREAM, *wrong, registered(globalUserId="g8", userId="u8"))
    scene.send(VF_INPUT_STREAM, *wrong, scoring("g8", verdict=2), scoring("g8", score=None))
    users = {entry.user_id for entry in scene.container.embedded.entries.entries(CAMPAIGN)}
    assert users == {"u-g1", "u-g2", "u8"}
    assert [line["reason"][:8] for line in scene.rejected("saveCampaignData")].count(
        "verdict:"
    ) == 1
