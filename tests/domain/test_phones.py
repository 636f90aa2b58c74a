"""Columns of phone numbers are normalised as by libphonenumber."""

import phonenumbers
import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneNumberFormat, PhoneNumberType

from campaign_workers.domain.contact.columns import normalise_phones
from campaign_workers.domain.contact.details import is_north_american, normalise_phone
from tests.scrub_oracle import phone_by_hand

REGIONS = [region for regions in COUNTRY_CODE_TO_REGION_CODE.values() for region in regions]
EXAMPLES = [
    number
    for region in REGIONS
    for kind in PhoneNumberType.values()
    if (number := phonenumbers.example_number_for_type(region, kind))
] + [
    number
    for code, (region, *_) in COUNTRY_CODE_TO_REGION_CODE.items()
    if region == "001" and (number := phonenumbers.example_number_for_non_geo_entity(code))
]
FORMS = (
    PhoneNumberFormat.E164,
    PhoneNumberFormat.INTERNATIONAL,
    PhoneNumberFormat.NATIONAL,
    PhoneNumberFormat.RFC3966,
)

TRICKY = {
    "+12125550123": ("+12125550123", 1),
    " +12125550123\t": ("+12125550123", 1),
    "12125550123": ("+12125550123", 1),
    "2125550123": ("+12125550123", 1),
    "(212) 555-0123": ("+12125550123", 1),
    "212.555.0123": ("+12125550123", 1),
    "1-212-555-0123": ("+12125550123", 1),
    "+1 (212) 555-0123": ("+12125550123", 1),
    "++12125550123": ("+12125550123", 1),
    "+1 212 555 0123 ext. 9": ("+12125550123", 1),
    "212-555-0123 x9": ("+12125550123", 1),
    "212-555-0123 / x9": ("+12125550123", 1),
    "tel:+1-212-555-0123": ("+12125550123", 1),
    "Call 212-555-0123 now": None,
    "call: 2125550123": ("+12125550123", 1),
    "1-800-FLOWERS": ("+18003569377", 1),
    "+1800FLOWERS": ("+18003569377", 1),
    "１２１２５５５０１２３": ("+12125550123", 1),
    "＋１２１２５５５０１２３": ("+12125550123", 1),
    "+1٢١٢٥٥٥٠١٢٣": ("+12125550123", 1),
    "+112125550123": ("+12125550123", 1),
    "+19995550123": None,
    "+11115550123": None,
    "+1212555012": None,
    "+121255501234": None,
    "+1": None,
    "+": None,
    "1": None,
    "": None,
    "n/a": None,
    "555-0123": None,
    "911": None,
    "3101234": ("+13101234", 1),
    "+442079460958": ("+442079460958", 44),
    "+44 20 7946 0958": ("+442079460958", 44),
    "+44 (0)20 7946 0958": ("+442079460958", 44),
    "011442079460958": ("+442079460958", 44),
    "00442079460958": None,
    "+011442079460958": ("+442079460958", 44),
    "020 7946 0958": None,
    "+390612345678": ("+390612345678", 39),
    "+39612345678": None,
    "+54 9 11 2345 6789": ("+5491123456789", 54),
    "+54 11 15 2345 6789": ("+5491123456789", 54),
    "+80012345678": ("+80012345678", 800),
    "+9999999999": None,
    "+999": None,
    "+01234567890": None,
    "+37508104407594": None,
    "+525512345678": ("+525512345678", 52),
    "+5215512345678": ("+525512345678", 52),
    "+52 1 55 1234 5678": ("+525512345678", 52),
    "011 52 1 55 1234 5678": ("+525512345678", 52),
    "+52015512345678": None,
    "+521551234567": None,
    "+52155123456789": None,
    "+5211512345678": None,
    "\x002125550123": ("+12125550123", 1),
    "2" * 300: None,
}

digits = st.text("0123456789", max_size=13)
known = st.sampled_from(EXAMPLES)
written = st.builds(phonenumbers.format_number, known, st.sampled_from(FORMS))
damaged = st.builds(
    lambda text, at, cut, put: text[:at] + put + text[at + cut :],
    written,
    st.integers(0, 14),
    st.integers(0, 2),
    st.text("0123456789 +-().x/#;=*e", max_size=3),
)
prefixed = st.builds(
    lambda plus, text: plus + text, st.sampled_from(["+", "", "00", "011"]), digits
)
noise = st.text("0123456789+-() .xX#*/;=tel:ext０９＋—A", max_size=18)
texts = st.one_of(written, damaged, prefixed, noise, st.text(st.characters(codec="utf-8")))


def in_columns(phones: list[str | None]) -> list[tuple[str | None, int | None]]:
    return normalise_phones(pl.Series(phones, dtype=pl.String)).rows()


@pytest.mark.parametrize(("text", "expected"), TRICKY.items())
def test_tricky_numbers_are_decided_by_the_library(
    text: str, expected: tuple[str, int] | None
) -> None:
    """The single function, the columns and libphonenumber agree."""
    answer = expected or (text.strip(), None)
    assert [answer] * 3 == [phone_by_hand(text), normalise_phone(text), *in_columns([text])]


@pytest.mark.parametrize("form", FORMS)
def test_every_region_and_type_agrees_in_every_form(form: int) -> None:
    """Return numbers of every type and every country."""
    phones = [phonenumbers.format_number(number, form) for number in EXAMPLES]
    assert [phone_by_hand(phone) for phone in phones] == in_columns([*phones])


@pytest.mark.parametrize("change", [lambda text: text[:-1], lambda text: f"{text}0"])
def test_a_digit_less_or_more_is_decided_the_same(change: object) -> None:
    """Return numbers that are similar to valid ones of every country."""
    phones = [
        change(phonenumbers.format_number(number, PhoneNumberFormat.E164))  # type: ignore[operator]
        for number in EXAMPLES
    ]
    assert [phone_by_hand(phone) for phone in phones] == in_columns(phones)


@given(st.lists(st.none() | texts))
@example([*TRICKY])
def test_the_columns_agree_with_the_library(phones: list[str | None]) -> None:
    """Any text gets the same result in a column as alone; a null stays null."""
    expected = [(None, None) if phone is None else phone_by_hand(phone) for phone in phones]
    assert expected == in_columns(phones)
    assert [row for row in expected if row[0] is not None] == [
        normalise_phone(phone) for phone in phones if phone is not None
    ]


@given(st.lists(texts))
def test_normalising_twice_is_normalising_once(phones: list[str]) -> None:
    """Normalising twice changes nothing."""
    once = in_columns([*phones])
    assert once == in_columns([phone for phone, _ in once])


def test_reading_numbers_leaves_the_column_that_was_read_alone() -> None:
    """The series of the caller is not changed."""
    given_texts = pl.Series(["(212) 555-0123", "n/a"])
    normalise_phones(given_texts)
    assert given_texts.to_list() == ["(212) 555-0123", "n/a"]


@pytest.mark.parametrize(
    ("text", "texted"),
    [
        ("+12125550123", True),
        ("(647) 555-0123", True),
        ("+18765550123", True),
        ("+442079460958", False),
        ("+19995550123", False),
        ("n/a", False),
        ("", False),
        (None, False),
    ],
)
def test_only_valid_numbers_of_country_code_one_are_north_american(
    text: str | None, texted: bool
) -> None:
    """Only valid numbers of country code 1 are North American."""
    assert is_north_american(text) is texted
