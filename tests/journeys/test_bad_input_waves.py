"""Wrong waves: configs, market details and codes that cannot be right.

A wrong config is told of with its file and field, a wrong market with its line; other waves go
out all the same, and what is corrected goes out as if nothing had been.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from campaign_workers.domain.storage import layout
from campaign_workers.domain.storage.layout import WaveState
from campaign_workers.testing.builders import CAMPAIGN
from tests.journeys.bad_input_scene import CODES, WAVE, Scene
from tests.journeys.test_bad_input import MARKETS, READERS, REGISTRANTS, prepare, wave_config

OTHER: Final = f"{CAMPAIGN}_other"
SCHEDULED: Final = layout.wave_config_key(WAVE, WaveState.SCHEDULED)
TRIGGERED: Final = layout.wave_config_key(WAVE, WaveState.TRIGGERED)
COMPLETED: Final = layout.wave_config_key(WAVE, WaveState.COMPLETED)
DETAILS: Final = layout.market_details_key(CAMPAIGN, "d1")
WAVE_FILE: Final = next(reader for reader in READERS if reader.rows is REGISTRANTS)

NO_CONFIGS: Final = {
    "nothing": b"",
    "a brace": b"{",
    "a list": b"[]",
    "UTF-16": wave_config().decode().encode("utf-16"),
    "Latin-1": wave_config(productId="HERE").replace(b"HERE", b"planted\xe9"),
    "NaN": wave_config(rate="HERE").replace(b'"HERE"', b"NaN"),
    "endless brackets": b"[" * 100_000,
    "a whole file": wave_config(source="planted" * 50_000),
    "a CSV": b"code,email\nPLANTED001,planted@planted-mail.example\n",
}
"""Files that are no JSON object of a config's size."""

NO_VALUES: Final[dict[str, tuple[Any, ...]]] = {
    "campaignId": (None, "", "../tour", "to ur", 7, "planted@planted"),
    "categoryId": (None, "77", 7.5, True),
    "totalLimit": (None, "100", -1, 1.5),
    "generateOfferCode": (None, "yes", 1),
    "tiedToAccount": (None, "planted"),
    "notifyDate": (None, "", "planted", "tomorrow", "2026-02-30T00:00:00Z", "2026-09-01", 0,
                   "2026-09-01T00:00:00", "9999-12-31T00:00:00Z"),
    "beginDate": ("planted", 20260901),
    "endDate": ("31.12.2026",),
    "rate": (0, -1, "fast", True, 1e300),
    "textingHours": ("planted", {"start": "8", "end": "planted", "otherwise": "email"}),
    "productId": (["planted"],),
}  # fmt: skip
"""What the fields of a config cannot hold; None for those that have to be there."""

WRONG_FIELDS: Final = [(field, value) for field, values in NO_VALUES.items() for value in values]


def wrong_configs() -> Iterator[tuple[bytes, str]]:
    """Each wrong config, and what is said of it behind the name of the file."""
    for content in NO_CONFIGS.values():
        yield content, r": (expected JSON|expected a JSON object|more than \d+ bytes)"
    for field, value in WRONG_FIELDS:
        yield wave_config(**{field: value}), rf", {field}\b.*: \w"


each_wrong_config = pytest.mark.parametrize(
    ("config", "complaint"),
    list(wrong_configs()),
    ids=[*NO_CONFIGS, *(f"{field} {value!r}"[:30] for field, value in WRONG_FIELDS)],
)


def wave(scene: Scene, name: str, *codes: str) -> None:
    """Upload a wave file, in which each of two fans has a code."""
    rows = [REGISTRANTS[0]]
    for row, code in zip(REGISTRANTS[1:], codes, strict=True):
        rows.append([code, *row[1:]])
    scene.upload(layout.wave_file_key(name), WAVE_FILE.table(rows))


@each_wrong_config
def test_a_wrong_config_does_not_hide_the_others(
    scene: Scene, config: bytes, complaint: str
) -> None:
    """The scheduler reports the invalid config, and starts the other and the corrected one."""
    wave(scene, WAVE, *CODES[:2])
    wave(scene, OTHER, "TM", "TM")
    scene.upload(SCHEDULED, config)
    scene.upload(layout.wave_config_key(OTHER, WaveState.SCHEDULED), wave_config())
    scene.wait(minutes=5)
    [tick] = scene.results("smsWaveScheduler")
    [unreadable] = tick["unreadable"]
    assert unreadable["key"] == SCHEDULED
    assert re.match(f"{SCHEDULED}{complaint}", unreadable["reason"])
    assert tick["count"] == {"in": 2, "out": 1, "rejected": 1, "duplicates": 0, "waiting": 0}
    assert scene.keys("smsWaves/completed/") == [layout.wave_config_key(OTHER, WaveState.COMPLETED)]
    assert scene.read(SCHEDULED) == config

    scene.upload(SCHEDULED, wave_config())
    scene.wait(minutes=5)
    assert COMPLETED in scene.keys("smsWaves/completed/")
    assert scene.dead_letters() == []


@each_wrong_config
def test_a_wrong_config_loads_no_codes(scene: Scene, config: bytes, complaint: str) -> None:
    """What is wrong in `triggered/` is given up with file and field; the corrected one loads."""
    wave(scene, WAVE, *CODES[:2])
    scene.upload(TRIGGERED, config)
    [(worker, reason)] = scene.dead_letters()
    assert worker == "loadCodeAssignmentsToStream"
    assert re.match(f"BadInput: {TRIGGERED}{complaint}", reason)
    scene.upload(TRIGGERED, wave_config())
    counts = scene.counts("loadCodeAssignmentsToStream")
    assert counts == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}


@pytest.mark.parametrize(("field", "value"), WRONG_FIELDS)
def test_a_wrong_config_makes_no_codes(scene: Scene, field: str, value: object) -> None:
    """The caller hears the field, and nothing of the wave is touched."""
    wave(scene, WAVE, "", "")
    before = scene.read(layout.wave_file_key(WAVE))
    config = json.loads(wave_config(**{field: value}))
    scene.invoke("generateSmsWaveCodes", {"waveFilePrefix": WAVE, "config": config})
    [told] = scene.raised
    assert re.match(rf"BadInput: config, {field}\b", told)
    assert scene.read(layout.wave_file_key(WAVE)) == before
    assert scene.keys("smsWaves/") == [layout.wave_file_key(WAVE)]


@pytest.mark.parametrize(
    ("market", "field"),
    [
        (["nyc", "planted", "TM", "-1", ""], "limit"),
        (["nyc", "planted", "TM", "", ""], "limit"),
        (["nyc", "planted", "TM", "5.0", ""], "limit"),
        (["nyc", "planted", "TM", "١", ""], "limit"),
        (["nyc", "planted", "TM", "9" * 40, ""], "limit"),
        (["chi", "planted", "TM", "5", ""], "marketId"),
        (["planted", "planted", "TM", "5", ""], "marketId"),
        (["", "planted", "TM", "5", ""], "marketId"),
        (["../nyc", "planted", "TM", "5", ""], "marketId"),
        (["nyc", "planted", "planted", "5", ""], "ticketType"),
    ],
)
def test_a_wrong_market_stops_the_preparation(scene: Scene, market: list[str], field: str) -> None:
    """The caller hears file, line and field; with the corrected file the second attempt goes on."""
    scene.upload(DETAILS, WAVE_FILE.table([MARKETS[0], MARKETS[2], market]))
    prepare(scene)
    [told] = scene.raised
    assert told.startswith(f"BadInput: {DETAILS}, line 3, {field}: ")
    assert json.loads(scene.read(layout.wave_prep_status_key(CAMPAIGN, "d1")))["status"] == "FAILED"
    assert not scene.keys(f"wavePrep/{CAMPAIGN}/prepped/")

    scene.upload(DETAILS, WAVE_FILE.table(MARKETS))
    prepare(scene)
    counts = scene.counts("processSmsWaveFiles")
    assert counts == {"in": 2, "out": 2, "rejected": 0, "duplicates": 0}


def test_a_zero_quota_selects_no_fan(scene: Scene) -> None:
    """A limit of 0 is no error: the market takes part, and everybody in it goes without."""
    closed = [[*row[:3], "0", *row[4:]] for row in MARKETS[1:]]
    scene.upload(DETAILS, WAVE_FILE.table([MARKETS[0], *closed]))
    prepare(scene)
    counts = scene.counts("processSmsWaveFiles")
    assert counts == {"in": 2, "out": 0, "rejected": 2, "duplicates": 0}


def test_wishes_beyond_four_and_doubled_ones_stop_no_selection(scene: Scene) -> None:
    """A fan whose scored row names five markets, one of them twice, is chosen for the first."""
    wishes = "nyc|nyc|chi|lax|sfo|mia"
    rows = [READERS[0].rows[0], ["g9", "nine@planted-mail.example", "+12125550247", "0.9", wishes]]
    scene.upload(READERS[0].key, READERS[0].table(rows))
    scene.upload(DETAILS, WAVE_FILE.table(MARKETS))
    prepare(scene)
    counts = scene.counts("processSmsWaveFiles")
    assert counts == {"in": 3, "out": 3, "rejected": 0, "duplicates": 0}


def test_a_code_that_a_wave_has_twice_is_one_fans(scene: Scene) -> None:
    """The second row with a code is kept with the reason, wherever a worker looks at it."""
    wave(scene, WAVE, CODES[0], CODES[0])
    scene.invoke("processScheduledWave", {"fileKey": layout.wave_file_key(WAVE)})
    assert scene.counts("processScheduledWave") == {
        "in": 2, "valid": 2, "ignored": 0, "updated": 1, "alreadyAssigned": 0, "refused": 1,
    }  # fmt: skip
    [(worker, fan, reason)] = scene.wave_errors()
    assert (worker, fan) == ("processScheduledWave", "g2")
    assert reason.startswith("code: ")

    scene.upload(TRIGGERED, wave_config())
    [line] = scene.rejected("saveSelection")
    assert json.loads(line["data"])["globalUserId"] == "g2"
    assert scene.imbalances() == []

    wave(scene, WAVE, *CODES[:2])
    scene.invoke("processScheduledWave", {"fileKey": layout.wave_file_key(WAVE)})
    scene.upload(TRIGGERED, wave_config())
    assert scene.wave_errors() == []
    held = scene.container.embedded.entries.codes(CAMPAIGN, ["g1", "g2"])
    assert {fan: codes["chi"][0] for fan, codes in held.items()} == {"g1": CODES[0], "g2": CODES[1]}


def test_rows_that_cannot_be_notified_are_counted(scene: Scene) -> None:
    """A row without a fan, a code or a contact fails, and the wave is sent."""
    header, first, _ = REGISTRANTS
    place = {name: header.index(name) for name in header}

    def but(**cells: str) -> list[str]:
        changed = list(first)
        for name, cell in cells.items():
            changed[place[name]] = cell
        return changed

    rows = [
        first,
        but(globalUserId=" "),
        but(globalUserId="g3", code=""),
        but(globalUserId="g4", code="TM", mobileNumber="planted", email="planted at mail"),
        first,
    ]
    scene.upload(layout.wave_file_key(WAVE), WAVE_FILE.table([header, *rows]))
    scene.upload(SCHEDULED, wave_config())
    scene.wait(minutes=5)
    [sent] = scene.results("smsWaveSend")
    assert sent["failures"] == {"noFan": 1, "noCode": 1, "noChannel": 1}
    assert sent["count"]["total"] == 5
    assert sent["count"]["duplicates"] == 1
    assert scene.counts("loadCodeAssignmentsToStream") == {
        "in": 5, "out": 2, "rejected": 2, "duplicates": 1,
    }  # fmt: skip
    assert [(fan, reason) for _, fan, reason in scene.wave_errors()] == [
        (" ", "globalUserId: missing"),
        ("g3", "code: missing"),
    ]
    [unknown] = scene.rejected("transformCodeAssignments")
    assert json.loads(unknown["data"])["globalUserId"] == "g4"
    assert unknown["reason"].startswith("userId: missing")
