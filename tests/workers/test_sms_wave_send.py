"""smsWaveSend: who hears by which channel, what is counted, and where the config goes."""

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


def balanced(world: WaveWorld, key: str, **request: Any) -> dict[str, int]:
    """The counts of one call, whose books balance; zeros left out."""
    report = world.send(key, **request)
    assert not report.imbalances
    return {name: count for name, count in report.counts.items() if count}


def texted(world: WaveWorld) -> set[str]:
    """The numbers that were texted."""
    return {text.message.phone for text in world.texts()}


def test_a_wave_texts_whom_it_can_and_writes_to_the_others() -> None:
    """A fan with a North American number is texted, another gets an e-mail, each once."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(2, mobileNumber="+447400123456")])
    counts = balanced(world, world.schedule(WAVE))
    assert counts == {"total": 2, "ok": 2, "sms": 1, "email": 1, "segments": 1}
    assert [text.message.text for text in world.texts()] == [
        "Ada, your code is CODE1: https://tickets.example"
    ]
    assert [body["globalUserId"] for body in world.emails().values()] == ["g2"]
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_text_carries_the_id_of_its_registrant() -> None:
    """The message id is the UUIDv5 of wave, fan and market, and the text belongs to its wave."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(2, marketId="")])
    world.send(world.schedule(WAVE))
    names = [f"campaign-workers:{WAVE}:g1:nyc", f"campaign-workers:{WAVE}:g2:"]
    assert {text.message.message_id for text in world.texts()} == {
        str(uuid5(NAMESPACE_URL, name)) for name in names
    }
    assert world.sms.counts() == {WAVE: 2}


def test_an_e_mail_says_all_that_its_consumer_needs() -> None:
    """A message of the e-mail queue has ids, address, locale and what templates fill in."""
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
def test_whoever_minds_is_not_texted(barred: str) -> None:
    """Anything in doNotText but empty, false, 0 and no keeps a fan from being texted."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, doNotText=barred)])
    assert balanced(world, world.schedule(WAVE)) == {"total": 1, "ok": 1, "email": 1}


@pytest.mark.parametrize("allowed", ["", " ", "false", "FALSE", "0", "no", "No"])
def test_whoever_does_not_mind_is_texted(allowed: str) -> None:
    """Empty, false, 0 and no, in any case, let a fan be texted."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, doNotText=allowed)])
    assert balanced(world, world.schedule(WAVE))["sms"] == 1


def test_without_a_text_there_is_an_e_mail() -> None:
    """A row without smsText is an e-mail, even without a code."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1, smsText=""), registrant(2, smsText="", code="")])
    assert balanced(world, world.schedule(WAVE)) == {"total": 2, "ok": 2, "email": 2}


def test_a_text_that_fails_for_good_becomes_an_e_mail() -> None:
    """A dead number is written to, and fails only without an address."""
    world = WaveWorld()
    dead = f"+1212555{DEAD_ENDING.rjust(4, '0')}"
    rows = [registrant(1, mobileNumber=dead), registrant(2, mobileNumber=dead, email="nobody")]
    world.upload(WAVE, rows)
    report = world.send(world.schedule(WAVE))
    assert (report.counts["email"], report.counts["failed"]) == (1, 1)
    assert report.details["failures"] == {"refused": 1}
    assert [body["globalUserId"] for body in world.emails().values()] == ["g1"]


def test_whoever_cannot_be_notified_is_counted_with_the_reason() -> None:
    """Rows without a fan, without the code of their text, or without any channel fail."""
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
    assert texted(world) == {"+12125550004"}
    assert not world.emails()


def test_an_e_mail_over_the_size_of_a_message_fails_alone() -> None:
    """A row whose e-mail no queue takes is counted, the others are notified."""
    world = WaveWorld()
    longest = "😀" * 32_768
    row = registrant(1, code=longest, link=longest, **NO_TEXT)
    world.upload(WAVE, [row, registrant(2)])
    report = world.send(world.schedule(WAVE))
    assert report.details["failures"] == {"tooLarge": 1}
    assert texted(world) == {"+12125550002"}


def test_a_wave_notifies_no_more_than_its_limit() -> None:
    """The first totalLimit units of the file are notified, the rest is over the limit."""
    world = WaveWorld()
    rows = [registrant(1), registrant(1), registrant(2), registrant(3), registrant(3)]
    world.upload(WAVE, rows)
    counts = balanced(world, world.schedule(WAVE, totalLimit=2))
    expected = {"total": 5, "ok": 2, "sms": 2, "overLimit": 1, "duplicates": 2, "segments": 2}
    assert counts == expected
    assert texted(world) == {"+12125550001", "+12125550002"}


def test_a_fan_selected_in_two_markets_hears_of_both() -> None:
    """The unit is the fan in a market, not the fan."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1), registrant(1, marketId="chi"), registrant(1, marketId="")])
    assert balanced(world, world.schedule(WAVE))["sms"] == 3


def test_a_header_alone_is_a_wave_of_nobody() -> None:
    """A wave file without rows completes with zeros."""
    world = WaveWorld()
    world.upload(WAVE, [])
    assert balanced(world, world.schedule(WAVE)) == {}
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_completed_wave_tells_its_counts_again() -> None:
    """A call after the last one sends nothing and returns what the first returned."""
    world = WaveWorld()
    rows = [registrant(1), registrant(2, **NO_TEXT), registrant(2), registrant(3, code="")]
    world.upload(WAVE, rows)
    key = world.schedule(WAVE)
    first = world.send(key)
    before = world.snapshot()
    assert world.send(key) == first
    assert world.snapshot() == before


def test_the_config_goes_by_way_of_triggered() -> None:
    """A scheduled config is triggered before the first text, unchanged, and completed last."""
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


def test_a_config_that_somebody_triggered_is_sent_too() -> None:
    """The config is looked for in triggered/ as well as in scheduled/."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    scheduled = world.schedule(WAVE)
    world.store.copy(scheduled, wave_config_key(WAVE, WaveState.TRIGGERED))
    world.store.delete([scheduled])
    assert balanced(world, scheduled)["sms"] == 1
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_wave_that_is_scheduled_again_notifies_the_new_ones_alone() -> None:
    """What the ledger has settled stays settled, whatever the config says later."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    world.send(world.schedule(WAVE))
    world.upload(WAVE, [registrant(1), registrant(2)])
    assert balanced(world, world.schedule(WAVE, source="again"))["sms"] == 2
    assert len(world.texts()) == 2
    assert world.states(WAVE) == [WaveState.COMPLETED]


def test_a_wave_goes_on_where_the_time_ran_out() -> None:
    """Calls that end early return a cursor; the last one returns the totals of the whole wave."""
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


def test_a_wave_file_that_changes_under_way_is_refused() -> None:
    """A cursor belongs to one version of the wave file; another one fails the wave."""
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
def test_a_request_that_makes_no_sense_is_refused(request_: dict[str, Any]) -> None:
    """A key of another form, a cursor of somebody else's or a wrong flag touches nothing."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(1)])
    key = world.schedule(WAVE)
    before = world.snapshot()
    with pytest.raises(BadInput):
        world.send(str(request_.pop("configKey", key if request_ else "")), **request_)
    assert world.snapshot() == before


def test_a_wave_without_a_config_is_not_found() -> None:
    """A config key that names no wave in any state says so."""
    with pytest.raises(NotFound, match="no config of this wave"):
        WaveWorld().send(wave_config_key(WAVE, WaveState.SCHEDULED))


def test_reports_hold_nothing_personal() -> None:
    """Counts, cursors and failures of a wave name no fan, number, address or code."""
    world = WaveWorld()
    world.upload(WAVE, [registrant(number) for number in range(9)])
    reports = world.send_to_the_end(world.schedule(WAVE, rate=2), seconds=63)
    said = json.dumps([report.to_json() for report in reports])
    assert not [word for word in ("g1", "555", "@", "CODE", "Ada") if word in said]
    assert wave_file_key(WAVE) not in said
