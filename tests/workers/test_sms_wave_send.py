"""smsWaveSend: channels, counts, and the states of the config."""

import json
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest

from campaign_workers.adapters.system.deadlines import CountdownDeadline
from campaign_workers.domain.errors import BadInput, Conflict, NotFound
from campaign_workers.domain.storage.layout import WaveState, wave_config_key, wave_file_key
from campaign_workers.testing.machines.wave_world import DEAD_ENDING, NOW, WaveWorld, registrant

WAVE = "tour_nyc"
NO_TEXT = {"doNotText": "yes"}


def nonzero_counts(world: WaveWorld, key: str, **request: Any) -> dict[str, int]:
    """Return the counts of one call without zeros, after checking that they add up."""
    report = world.send(key, **request)
    assert not report.imbalances
    return {name: count for name, count in report.counts.items() if count}


def texted_numbers(world: WaveWorld) -> set[str]:
    """Return the numbers that were texted."""
    return {text.message.phone for text in world.texts()}


def test_each_registrant_gets_a_text_or_an_email() -> None:
    """A fan with a North American number is texted, another gets an e-mail, each once."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(2, mobileNumber="+447400123456")])
    counts = nonzero_counts(world, world.schedule(WAVE))
    assert counts == {"total": 2, "ok": 2, "sms": 1, "email": 1, "segments": 1}
    assert [text.message.text for text in world.texts()] == [
        "Ada, your code is CODE1: https://tickets.example"
    ]
    assert [body["globalUserId"] for body in world.emails().values()] == ["g2"]
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_text_carries_the_id_of_its_registrant() -> None:
    """The message id is the UUIDv5 of wave, fan and market, and the group is the wave."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(2, marketId="")])
    world.send(world.schedule(WAVE))
    names = [f"campaign-workers:{WAVE}:g1:nyc", f"campaign-workers:{WAVE}:g2:"]
    assert {text.message.message_id for text in world.texts()} == {
        str(uuid5(NAMESPACE_URL, name)) for name in names
    }
    assert world.sms.counts() == {WAVE: 2}


def test_an_email_has_all_that_its_consumer_needs() -> None:
    """A message of the e-mail queue has ids, address, locale and template data."""
    world = WaveWorld()
    row = registrant(1, **NO_TEXT, email=" Fan1@Mail.example ", locale="fr-ca", firstName="{code}")
    world.upload(WAVE, [row])
    world.send(world.schedule(WAVE))
    [body] = world.emails().values()
    assert body == {
        "messageId": str(uuid5(NAMESPACE_URL, f"campaign-workers:{WAVE}:g1:nyc")),
        "campaignId": "tour",
        "wave": WAVE,
        "globalUserId": "g1",
        "email": "fan1@mail.example",
        "locale": "fr-ca",
        "data": {
            "code": "CODE1",
            "link": "https://tickets.example",
            "firstName": "code",
            "lastName": "Brown",
            "marketId": "nyc",
        },
    }


@pytest.mark.parametrize("barred", ["yes", "true", "1", "Y", "x"])
def test_a_fan_with_do_not_text_is_not_texted(barred: str) -> None:
    """Any doNotText other than empty, false, 0 and no prevents a text."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, doNotText=barred)])
    assert nonzero_counts(world, world.schedule(WAVE)) == {"total": 1, "ok": 1, "email": 1}


@pytest.mark.parametrize("allowed", ["", " ", "false", "FALSE", "0", "no", "No"])
def test_a_fan_without_do_not_text_is_texted(allowed: str) -> None:
    """Empty, false, 0 and no, in any case, allow a text."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, doNotText=allowed)])
    assert nonzero_counts(world, world.schedule(WAVE))["sms"] == 1


def test_a_row_without_a_text_gets_an_email() -> None:
    """A row without smsText gets an e-mail, even without a code."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, smsText=""), registrant(2, smsText="", code="")])
    assert nonzero_counts(world, world.schedule(WAVE)) == {"total": 2, "ok": 2, "email": 2}


def test_a_refused_text_becomes_an_email() -> None:
    """A refused text fails only if there is no address."""
    world = WaveWorld()
    dead = f"+1212555{DEAD_ENDING.rjust(4, '0')}"
    rows = [registrant(1, mobileNumber=dead), registrant(2, mobileNumber=dead, email="nobody")]
    world.upload(WAVE, rows)
    report = world.send(world.schedule(WAVE))
    assert (report.counts["email"], report.counts["failed"]) == (1, 1)
    assert report.details["failures"] == {"refused": 1}
    assert [body["globalUserId"] for body in world.emails().values()] == ["g1"]


def test_failed_rows_are_counted_by_reason() -> None:
    """Rows without a fan, a needed code or a channel fail."""
    world = WaveWorld()
    rows = [
        registrant(1, globalUserId=" "),
        registrant(2, code=""),
        registrant(3, mobileNumber="555", email="at home"),
        registrant(4),
    ]
    world.upload(WAVE, rows)
    report = world.send(world.schedule(WAVE))
    assert not report.imbalances
    assert report.details["failures"] == {"noFan": 1, "noCode": 1, "noChannel": 1}
    assert texted_numbers(world) == {"+12125550004"}
    assert not world.emails()


def test_a_too_large_email_fails_alone() -> None:
    """The row is counted as failed, and the others are notified."""
    world = WaveWorld()
    longest = "😀" * 32_768
    row = registrant(1, code=longest, link=longest, **NO_TEXT)
    world.upload(WAVE, [row, registrant(2)])
    report = world.send(world.schedule(WAVE))
    assert report.details["failures"] == {"tooLarge": 1}
    assert texted_numbers(world) == {"+12125550002"}


def test_a_wave_notifies_no_more_than_its_limit() -> None:
    """The first totalLimit registrants are notified, the others are over the limit."""
    world = WaveWorld()
    rows = [registrant(1), registrant(1), registrant(2), registrant(3), registrant(3)]
    world.upload(WAVE, rows)
    counts = nonzero_counts(world, world.schedule(WAVE, totalLimit=2))
    expected = {"total": 5, "ok": 2, "sms": 2, "overLimit": 1, "duplicates": 2, "segments": 2}
    assert counts == expected
    assert texted_numbers(world) == {"+12125550001", "+12125550002"}


def test_a_fan_in_two_markets_is_notified_of_both() -> None:
    """Notifications are for a fan in a market."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(1, marketId="chi"), registrant(1, marketId="")])
    assert nonzero_counts(world, world.schedule(WAVE))["sms"] == 3


def test_a_wave_file_without_rows_completes() -> None:
    """All counts are zero."""
    world = WaveWorld()
    world.upload(WAVE, [])
    assert nonzero_counts(world, world.schedule(WAVE)) == {}
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_completed_wave_reports_its_counts_again() -> None:
    """A call after the last one sends nothing and returns the same counts."""
    world = WaveWorld()
    rows = [registrant(1), registrant(2, **NO_TEXT), registrant(2), registrant(3, code="")]
    world.upload(WAVE, rows)
    key = world.schedule(WAVE)
    first = world.send(key)
    before = world.snapshot()
    assert world.send(key) == first
    assert world.snapshot() == before


def test_the_config_moves_through_triggered() -> None:
    """A scheduled config is triggered before the first text and completed last."""
    world = WaveWorld()
    written: list[tuple[str, int]] = []
    world.store.on_created(lambda info: written.append((info.key, len(world.texts()))))
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    content = world.store.open(key).read()
    world.send(key)
    assert written[-2:] == [
        (wave_config_key(WAVE, WaveState.TRIGGERED), 0),
        (wave_config_key(WAVE, WaveState.COMPLETED), 1),
    ]
    assert world.store.open(wave_config_key(WAVE, WaveState.COMPLETED)).read() == content


def test_a_config_in_triggered_is_sent() -> None:
    """The config may be in triggered/ as well as in scheduled/."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    scheduled = world.schedule(WAVE)
    world.store.copy(scheduled, wave_config_key(WAVE, WaveState.TRIGGERED))
    world.store.delete([scheduled])
    assert nonzero_counts(world, scheduled)["sms"] == 1
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_rescheduled_wave_notifies_new_registrants_only() -> None:
    """Outcomes in the ledger are final."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1), registrant(2)])
    assert nonzero_counts(world, world.schedule(WAVE, source="again"))["sms"] == 2
    assert len(world.texts()) == 2
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_wave_continues_at_its_cursor() -> None:
    """Calls that run out of time return a cursor; the last one returns the totals."""
    world = WaveWorld()
    rows = [registrant(number) for number in range(40)]
    rows += [registrant(1), registrant(41, **NO_TEXT), registrant(42, code="")]
    world.upload(WAVE, rows)
    reports = world.send_to_the_end(world.schedule(WAVE, rate=2), seconds=66)
    assert len(reports) > 3
    assert not any(report.imbalances for report in reports)
    totals = [report.counts["total"] for report in reports]
    assert totals == sorted(totals)
    assert {name: count for name, count in reports[-1].counts.items() if count} == {
        "total": 43,
        "ok": 41,
        "sms": 40,
        "email": 1,
        "failed": 1,
        "duplicates": 1,
        "segments": 40,
    }
    assert reports[-1].details["failures"] == {"noCode": 1}
    assert len(world.texts()) == 40


def test_a_wave_file_that_changes_fails_the_wave() -> None:
    """A cursor is for one version of the wave file."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(number) for number in range(40)])
    key = world.schedule(WAVE, rate=2)
    deadline = CountdownDeadline(world.clock, NOW.replace(minute=1, second=6))
    cursor = world.send(key, deadline=deadline).details["cursor"]
    world.upload(WAVE, [registrant(number) for number in range(41)])
    with pytest.raises(Conflict, match="changed while the wave was being sent"):
        world.send(key, cursor=cursor)
    assert world.states(WAVE) == [WaveState.FAILED]
    assert len(world.texts()) < 40


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"configKey": "smsWaves/other/w_csv.json"},
        {"configKey": "smsWaves/scheduled/../w_csv.json"},
        {"cursor": []},
        {"cursor": {"etag": "e", "position": -1, "fates": {}, "segments": 0}},
        {"cursor": {"etag": "e", "position": 2, "fates": {"SMS": 1}, "segments": 0}},
        {"cursor": {"etag": "e", "position": 1, "fates": {"OPEN": 1}, "segments": 0}},
        {"cursor": {"etag": 7, "position": 0, "fates": {}, "segments": 0}},
        {"giveUp": "yes"},
    ],
)
def test_an_invalid_request_is_rejected(request_: dict[str, Any]) -> None:
    """An invalid key, cursor or flag changes nothing."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    before = world.snapshot()
    with pytest.raises(BadInput):
        world.send(str(request_.pop("configKey", key if request_ else "")), **request_)
    assert world.snapshot() == before


def test_a_wave_without_a_config_is_not_found() -> None:
    """A config key without a config in any state is an error."""
    with pytest.raises(NotFound, match="no config of this wave"):
        WaveWorld().send(wave_config_key(WAVE, WaveState.SCHEDULED))


def test_reports_have_no_personal_data() -> None:
    """Reports, cursors and errors have no fan, number, address or code."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(number) for number in range(9)])
    reports = world.send_to_the_end(world.schedule(WAVE, rate=2), seconds=63)
    said = json.dumps([report.to_json() for report in reports])
    assert not [word for word in ("g1", "555", "@", "CODE", "Ada") if word in said]
    assert wave_file_key(WAVE) not in said
