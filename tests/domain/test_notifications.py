"""Notifications: the channel and the content of each message."""

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from campaign_workers.domain.running.events import validate_message
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.domain.waves.notifications import (
    NAME_LIMIT,
    Notification,
    clean_name,
    count_segments,
    fill_template,
)
from campaign_workers.domain.waves.outcomes import RowOutcome
from campaign_workers.testing.machines.wave_world import registrant

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_EXTENSION = "^{}\\[~]|€"

values = st.fixed_dictionaries({name: st.text() for name in ("code", "link", "firstName")})
templates = st.lists(
    st.sampled_from(("{code}", "{link}", "{firstName}", "{other}", "{", "}", "{{code}}", "Hi "))
).map("".join)


def notification(**cells: str) -> Notification:
    """Return the notification of a registrant."""
    return Notification.build("tour", "w1", Registrant.parse(registrant(1, **cells), 1))


@given(templates, values)
def test_a_text_is_filled_in_one_pass(template: str, values: dict[str, str]) -> None:
    """Placeholders inside inserted values are not filled."""
    parts = re.split(r"(\{code\}|\{link\}|\{firstName\})", template)
    expected = [values[part[1:-1]] if number % 2 else part for number, part in enumerate(parts)]
    assert fill_template(template, values) == "".join(expected)


def test_a_placeholder_in_a_name_is_removed() -> None:
    """`{code}` as a first name does not put a code into the text."""
    text = notification(smsText="{firstName}: {code}", firstName="{code}", code="{link}").text
    assert text == "code: {link}"


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("Ada", "Ada"),
        ("  Marie-Ève\tAnn ", "Marie-Ève Ann"),
        ("聡太郎", "聡太郎"),
        ("J.R.R.", "J.R.R."),
        ("O'Neil", "O'Neil"),
        ("http://evil.example/x", ""),
        ("HTTPS://EVIL", ""),
        ("Ada www.evil.example", "Ada"),
        ("bit.ly/abc Ada", "Ada"),
        ("evil.com", ""),
        ("evil。com", ""),
        ("evil.бг", ""),
        ("10.0.0.1/win", ""),
        ("ht{tp://e}vil", ""),
        ("ev\u200bil\u202e.co\u00adm", ""),
        ("{code}", "code"),
        ("Ada\x00\x07\x7fB", "AdaB"),
        ("Ada\nYour bank", "Ada Your bank"),
        ("a" * 41, "a" * 40),
        ("a" * 39 + " b", "a" * 39),
        ("", ""),
    ],
)
def test_links_are_removed_from_names(name: str, cleaned: str) -> None:
    """URLs, braces and control characters are removed, names are kept."""
    assert clean_name(name) == cleaned


@given(st.text() | st.text(alphabet="ab.{}/: w\n\u200bh\x00") | st.from_regex(r"\w+\.\w{2,5}"))
@example("{" * 50 + "http://x.yz" + "}" * 50)
def test_a_clean_name_is_harmless_and_stable(name: str) -> None:
    """A clean name has at most 40 characters, no brace, control character or URL."""
    cleaned = clean_name(name)
    assert len(cleaned) <= NAME_LIMIT
    assert not {"{", "}"} & set(cleaned)
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert not re.search(r"://|www\.|\.[A-Za-z]{2}", cleaned, re.IGNORECASE)
    assert clean_name(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("聡" * 70, 1),
        ("聡" * 71, 2),
        ("聡" * 134, 2),
        ("聡" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("é" * 160, 1),
        ("ê" * 71, 2),
    ],
)
def test_segments_are_counted_at_the_limits_of_both_alphabets(text: str, count: int) -> None:
    """Limits are 160 and 153 characters of GSM-7, 70 and 67 of UCS-2."""
    assert count_segments(text) == count


def count_segments_by_hand(text: str) -> int:
    """Count segments by adding one character after the other."""
    is_gsm = set(text) <= set(GSM_BASIC + GSM_EXTENSION)
    if is_gsm:
        sizes, single, part = [2 if c in GSM_EXTENSION else 1 for c in text], 160, 153
    else:
        sizes, single, part = [2 if ord(c) > 0xFFFF else 1 for c in text], 70, 67
    if sum(sizes) <= single:
        return 1
    count, room = 1, part
    for size in sizes:
        if size > room:
            count, room = count + 1, part
        room -= size
    return count


_alphabets = st.sampled_from((GSM_BASIC, GSM_BASIC + GSM_EXTENSION, GSM_BASIC + "聡😀ê"))


@given(_alphabets.flatmap(lambda alphabet: st.text(alphabet=alphabet, max_size=400)))
def test_segments_agree_with_counting_by_hand(text: str) -> None:
    """The count equals that of the slow oracle."""
    assert count_segments(text) == count_segments_by_hand(text)


@pytest.mark.parametrize(
    ("cells", "phone"),
    [
        ({}, "+12125550001"),
        ({"mobileNumber": "(212) 555-0001"}, "+12125550001"),
        ({"mobileNumber": "+1 416 555 0162"}, "+14165550162"),
        ({"mobileNumber": "+18765550162"}, "+18765550162"),
        ({"mobileNumber": "+447400123456"}, None),
        ({"mobileNumber": "+5215512345678"}, None),
        ({"mobileNumber": "+1"}, None),
        ({"mobileNumber": ""}, None),
        ({"smsText": ""}, None),
        ({"smsText": "  "}, None),
        ({"doNotText": "TRUE"}, None),
        ({"doNotText": "NO"}, "+12125550001"),
    ],
)
def test_texts_go_to_north_american_numbers_only(cells: dict[str, str], phone: str | None) -> None:
    """A text needs a valid number of country code 1, consent and a text template."""
    assert notification(**cells).phone == phone


@pytest.mark.parametrize(
    ("cells", "failure"),
    [
        ({}, None),
        ({"code": ""}, RowOutcome.NO_CODE),
        ({"code": "", "smsText": "See you there"}, None),
        ({"code": "TM"}, None),
        ({"link": ""}, None),
        ({"email": ""}, None),
        ({"email": "", "smsText": ""}, RowOutcome.NO_CHANNEL),
        ({"email": "me at home", "mobileNumber": "5"}, RowOutcome.NO_CHANNEL),
    ],
)
def test_a_row_fails_without_a_channel_or_a_needed_code(
    cells: dict[str, str], failure: RowOutcome | None
) -> None:
    """A missing code fails only if the text has a place for it; a missing link never."""
    assert notification(**cells).failure == failure


@given(st.fixed_dictionaries({}, optional={name: st.text() for name in registrant()}))
@example({"firstName": "\uffff", "link": "\ufffe"})
def test_an_email_is_valid_json_for_any_row(cells: dict[str, Any]) -> None:
    """The queue accepts the body, which has the id of the registrant."""
    if not cells.get("globalUserId", "g1").strip():
        cells["globalUserId"] = "g1"
    found = notification(**cells)
    body = json.loads(validate_message(found.email_body()))
    assert (body["messageId"], body["wave"]) == (found.message_id, "w1")
    assert body["data"]["code"] == cells.get("code", "CODE1").strip()


def test_a_notification_shows_nothing_personal() -> None:
    """The repr of a notification has ids only."""
    shown = repr(notification())
    assert not [word for word in ("CODE", "555", "@", "Ada") if word in shown]
