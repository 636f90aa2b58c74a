"""Who hears by which channel, and the words of it."""

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
    """The notification of a registrant."""
    return Notification.build("tour", "w1", Registrant.parse(registrant(1, **cells), 1))


@given(templates, values)
def test_a_text_is_filled_in_one_pass(template: str, values: dict[str, str]) -> None:
    """Places are found in the template alone: what is filled in is never filled in again."""
    parts = re.split(r"(\{code\}|\{link\}|\{firstName\})", template)
    expected = [values[part[1:-1]] if number % 2 else part for number, part in enumerate(parts)]
    assert fill_template(template, values) == "".join(expected)


def test_a_name_cannot_ask_for_a_code() -> None:
    """`{code}` for a first name is no code in the text."""
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
def test_a_name_loses_what_a_bot_would_put_there(name: str, cleaned: str) -> None:
    """URLs, braces and control characters go, names stay."""
    assert clean_name(name) == cleaned


@given(st.text() | st.text(alphabet="ab.{}/: w\n\u200bh\x00") | st.from_regex(r"\w+\.\w{2,5}"))
@example("{" * 50 + "http://x.yz" + "}" * 50)
def test_a_clean_name_is_harmless_and_stays_as_it_is(name: str) -> None:
    """Whatever came in: at most 40 characters, no brace, control or URL, and clean already."""
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
    """160 and 153 characters of GSM-7, 70 and 67 of UCS-2."""
    assert count_segments(text) == count


def slow_segments(text: str) -> int:
    """Fill segments one character after the other."""
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
def test_segments_agree_with_filling_them_one_by_one(text: str) -> None:
    """The count is what putting one character after the other into segments gives."""
    assert count_segments(text) == slow_segments(text)


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
def test_texts_go_to_north_american_numbers_alone(cells: dict[str, str], phone: str | None) -> None:
    """A valid number of country code 1, whose owner does not mind, and a text: else no text."""
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
def test_only_who_cannot_be_reached_or_has_no_code_fails(
    cells: dict[str, str], failure: RowOutcome | None
) -> None:
    """A missing code fails where the text has a place for it, a missing link nowhere."""
    assert notification(**cells).failure == failure


@given(st.fixed_dictionaries({}, optional={name: st.text() for name in registrant()}))
@example({"firstName": "\uffff", "link": "\ufffe"})
def test_an_e_mail_is_json_whatever_the_row_holds(cells: dict[str, Any]) -> None:
    """The queue takes the body, which can be read back and has the id of the registrant."""
    if not cells.get("globalUserId", "g1").strip():
        cells["globalUserId"] = "g1"
    found = notification(**cells)
    body = json.loads(validate_message(found.email_body()))
    assert (body["messageId"], body["wave"]) == (found.message_id, "w1")
    assert body["data"]["code"] == cells.get("code", "CODE1").strip()


def test_a_notification_shows_nothing_personal() -> None:
    """The repr of a notification has ids alone."""
    shown = repr(notification())
    assert not [word for word in ("CODE", "555", "@", "Ada") if word in shown]
