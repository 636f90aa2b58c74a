"""Wave configs: fields, dates, versions, failures and execution names."""

import json
import re
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.waves.config import (
    WaveConfig,
    config_version,
    execution_name,
    failure_alert,
    with_failure,
)
from campaign_workers.testing.machines.wave_world import config

NOTIFY = datetime(2026, 11, 20, 17, tzinfo=UTC)
KEY = "smsWaves/scheduled/{}_csv.json".format

WRONG: dict[str, tuple[Any, ...]] = {
    "campaignId": (None, "", "../x", 7, "a" * 65),
    "categoryId": (None, "4711", 1.5, True, 2**53, -(2**53)),
    "totalLimit": (None, -1, "10", 2.5, True, [1]),
    "generateOfferCode": (None, "true", 1),
    "tiedToAccount": (None, 0, []),
    "notifyDate": (
        None,
        "",
        "soon",
        7,
        "2026-11-20",
        "2026-13-01T00:00:00Z",
        "2026-11-20T10:00:00",
        "1999-01-01T00:00:00Z",
        "3000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
    ),
    "productId": (7, {}),
    "source": (True, []),
    "beginDate": ("never", "2026-01-01", "9999-12-31T23:00:00-05:00"),
    "endDate": (7, "1800-01-01T00:00:00Z"),
    "rate": (0, -1, "9", True, 1e300, 10**400, 1e-9),
    "textingHours": ("9-21", [], 7),
}

_hours = st.fixed_dictionaries(
    {
        "start": st.sampled_from(("09:00", "22:30")),
        "end": st.sampled_from(("00:00", "21:59")),
        "otherwise": st.sampled_from(("email", "wait")),
    }
)
_offsets = st.sampled_from(("Z", "+02:00", "-08:00", "+05:45"))
_moments = st.builds(
    lambda at, offset: f"{at:%Y-%m-%dT%H:%M:%S}{offset}",
    st.datetimes(datetime(2001, 1, 1), datetime(2998, 1, 1)),  # noqa: DTZ001 - the offset follows
    _offsets,
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw valid configs with optional and unknown fields."""
    optional = {
        "productId": st.text(),
        "source": st.text(),
        "rate": st.integers(1, 1000) | st.floats(0.1, 1000),
        "textingHours": _hours,
    }
    chosen = draw(st.fixed_dictionaries({}, optional=optional))
    unknown = draw(st.dictionaries(st.text(min_size=30), _json, max_size=2))
    known = config(notifyDate=draw(_moments), totalLimit=draw(st.integers(0, 10**9)))
    return unknown | known | chosen


@given(documents())
def test_a_config_survives_a_round_trip(document: dict[str, Any]) -> None:
    """A config with its unknown fields is the same after it is written and parsed."""
    read = WaveConfig.parse(document, file="f").with_code_dates()
    assert WaveConfig.parse(read.to_bytes(), file="f") == read
    assert WaveConfig.parse(b"\xef\xbb\xbf" + read.to_bytes(), file="f") == read


@given(documents(), st.randoms(use_true_random=False))
def test_equal_configs_give_equal_bytes(document: dict[str, Any], chance: Any) -> None:
    """The order of the input's fields does not change the output."""
    names = list(document)
    chance.shuffle(names)
    shuffled = {name: document[name] for name in names}
    assert (
        WaveConfig.parse(shuffled, file="f").to_bytes()
        == WaveConfig.parse(document, file="f").to_bytes()
    )


@given(documents(), st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_a_wave_is_ready_from_its_notify_date_on(
    document: dict[str, Any], later: timedelta
) -> None:
    """A wave is ready exactly when notifyDate <= now."""
    wave = WaveConfig.parse(document, file="f")
    assert wave.is_ready(wave.notify_date + later) == (later >= timedelta())


@given(documents())
def test_codes_are_valid_from_a_day_before_to_a_year_after(document: dict[str, Any]) -> None:
    """Codes are valid from notifyDate - 1 day to notifyDate + 1 year, at the same time of day."""
    wave = WaveConfig.parse(document, file="f").with_code_dates()
    assert wave.begin_date == wave.notify_date - timedelta(days=1)
    assert wave.end_date is not None
    assert wave.end_date - wave.notify_date in {timedelta(days=365), timedelta(days=366)}
    if wave.notify_date.day != 29:
        assert wave.end_date == wave.notify_date.replace(year=wave.notify_date.year + 1)


def test_a_leap_day_is_followed_by_the_last_of_february() -> None:
    """A year after 29 February is 28 February."""
    wave = WaveConfig.parse(config(notifyDate="2028-02-29T12:00:00Z"), file="f").with_code_dates()
    assert wave.end_date == datetime(2029, 2, 28, 12, tzinfo=UTC)


def test_given_code_dates_are_kept() -> None:
    """A given beginDate or endDate is not replaced by its default."""
    given_dates = {"beginDate": "2026-11-01T00:00:00Z", "endDate": "2026-12-01T00:00:00+01:00"}
    wave = WaveConfig.parse(config(**given_dates), file="f").with_code_dates()
    assert wave.begin_date == datetime(2026, 11, 1, tzinfo=UTC)
    assert wave.end_date == datetime(2026, 11, 30, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in WRONG.items() for value in values]
)
def test_an_invalid_field_is_named_with_its_file(field: str, value: Any) -> None:
    """An error about a missing or invalid field names file and field."""
    with pytest.raises(BadInput) as caught:
        WaveConfig.parse(config() | {field: value}, file="waves/w.json")
    assert (caught.value.file, caught.value.field) == ("waves/w.json", field)


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        ({}, "start"),
        ({"start": "9:00"}, "start"),
        ({"start": "24:00"}, "start"),
        ({"start": 9}, "start"),
        ({"start": "09:00", "end": "21"}, "end"),
        ({"start": "09:00", "end": "21:00"}, "otherwise"),
        ({"start": "09:00", "end": "21:00", "otherwise": "skip"}, "otherwise"),
        ({"start": "09:00", "end": "21:00", "otherwise": []}, "otherwise"),
    ],
)
def test_an_invalid_part_of_the_texting_hours_is_named(hours: dict[str, Any], field: str) -> None:
    """An error about textingHours names the invalid part."""
    with pytest.raises(BadInput, match=rf"^f, textingHours\.{field}: "):
        WaveConfig.parse(config(textingHours=hours), file="f")


def test_texting_hours_without_length_are_rejected() -> None:
    """Hours with the same start and end could mean a whole day or none."""
    hours = {"start": "09:00", "end": "09:00", "otherwise": "wait"}
    with pytest.raises(BadInput, match="start and end are the same"):
        WaveConfig.parse(config(textingHours=hours), file="f")


def test_an_end_date_before_the_begin_date_is_rejected() -> None:
    """The endDate must be after beginDate."""
    dates = {"beginDate": "2026-11-02T00:00:00Z", "endDate": "2026-11-01T00:00:00Z"}
    with pytest.raises(BadInput, match="endDate: expected a date after beginDate"):
        WaveConfig.parse(config(**dates), file="f")


@pytest.mark.parametrize(
    "document", [b"", b"{", b"[]", b"null", b"7", b"\xff{}", b'{"rate": NaN}', b"[" * 10**5]
)
def test_anything_but_a_json_object_is_rejected(document: bytes) -> None:
    """The error names the file."""
    with pytest.raises(BadInput, match=r"^w\.json: expected "):
        WaveConfig.parse(document, file="w.json")


def test_a_decoded_config_is_parsed_like_a_file() -> None:
    """The same rules hold for a config that is decoded already."""
    document = config(rate=5)
    assert WaveConfig.parse(document, file="f") == WaveConfig.parse(
        json.dumps(document).encode(), file="f"
    )
    with pytest.raises(BadInput, match="expected a JSON object"):
        WaveConfig.parse([], file="f")  # type: ignore[arg-type]


def test_the_repr_leaves_out_unknown_fields() -> None:
    """Unknown fields may hold personal data."""
    assert "secret" not in repr(WaveConfig.parse(config(note="secret"), file="f"))


@given(st.from_regex(r"[^/\\\x00-\x1f\x7f]{1,80}", fullmatch=True), st.text())
def test_execution_names_are_valid(wave: str, etag: str) -> None:
    """A name has the first 40 characters of the wave, a dash and 16 hex digits."""
    if wave in {".", ".."}:
        wave = "dots"
    name = execution_name(KEY(wave), etag)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,57}", name)
    head, _, digest = name.rpartition("-")
    assert len(head) == min(len(wave), 40)
    assert all(a == b or a == "-" for a, b in zip(head, wave, strict=False))
    assert digest == sha256(f"{KEY(wave)}:{etag}".encode()).hexdigest()[:16]


def test_execution_names_differ_by_version_and_wave() -> None:
    """Another ETag or wave gives another name, the same ones give the same name."""
    names = {
        execution_name(KEY(wave), etag) for wave in ("a.b", "a-b", "x" * 99) for etag in ("1", "2")
    }
    assert len(names) == 6
    with pytest.raises(BadInput):
        execution_name("smsWaves/scheduled/wave.json", "1")


def test_a_failed_config_has_the_reason() -> None:
    """The reason is added to a readable config; other files stay unchanged."""
    document = json.dumps(config()).encode()
    failed = with_failure(document, "no wave file")
    assert json.loads(failed) == config(lastFailure="no wave file")
    assert WaveConfig.parse(failed, file="f").extra == {"lastFailure": "no wave file"}
    for other in (b"{", b"[1]", b"\xff"):
        assert with_failure(other, "reason") == other


def test_an_alert_is_escaped() -> None:
    """The alert about a failed wave is escaped and has the counts."""
    failed = with_failure(b"{}", "bad <!channel>")
    text = failure_alert("w & <x>", failed, {"ok": 3, "failed": 1})
    assert text == (
        "*Wave failed:* w &amp; &lt;x&gt;\nbad &lt;!channel&gt;\n"
        "3 notified, 1 failed, 0 without an outcome"
    )
    for unreadable in (b"{", b"[]"):
        assert "cannot be read" in failure_alert("w", unreadable, {})
    assert "no reason given" in failure_alert("w", b"{}", {})


def test_versions_differ_when_contents_do() -> None:
    """A version is a digest of the bytes."""
    assert config_version(b"a") == config_version(b"a") != config_version(b"b")
