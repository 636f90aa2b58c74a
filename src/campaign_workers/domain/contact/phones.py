"""Phone numbers, one at a time: libphonenumber's rules decide what is valid.

Texts without a country code are read as dialled in the United States.
"""

from typing import Final

from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberFormat,
    format_number,
    is_valid_number,
    parse,
)

HOME_REGION: Final = "US"
NORTH_AMERICA: Final = 1

MEXICO: Final = 52
_OLD_MEXICAN_MOBILE: Final = range(10_000_000_000, 20_000_000_000)
"""National numbers with the 1 that Mexican mobiles carried until 2019, before their ten digits."""

Reading = tuple[str, int | None]
"""E.164 and the country code of a valid number, the trimmed text and None of any other."""


def normalise_phone(text: str | None) -> Reading:
    """The number in E.164 with its country code, or the trimmed text and None if it is not valid.

    A number whose E.164 form reads as something else is not valid either: the metadata has a few
    such (premium numbers dialled with a trunk prefix), and normalising twice must be normalising
    once.
    """
    trimmed = (text or "").strip()
    first = _read(trimmed)
    if first is None or (first[0] != trimmed and _read(first[0]) != first):
        return trimmed, None
    return first


def is_north_american(text: str | None) -> bool:
    """Whether it is a valid number of country code 1, the only ones that are texted."""
    return normalise_phone(text)[1] == NORTH_AMERICA


def _read(text: str) -> Reading | None:
    if not text:
        return None
    try:
        number = _as_now_written(parse(text, HOME_REGION))
    except NumberParseException:
        return None
    if not is_valid_number(number):
        return None
    return format_number(number, PhoneNumberFormat.E164), number.country_code


def _as_now_written(number: PhoneNumber) -> PhoneNumber:
    national = number.national_number or 0
    is_old = number.country_code == MEXICO and national in _OLD_MEXICAN_MOBILE
    # A zero before the 1 is no digit of the number's value, yet makes it another number.
    if not is_old or number.italian_leading_zero:
        return number
    ten_digits = national - _OLD_MEXICAN_MOBILE.start
    return PhoneNumber(country_code=MEXICO, national_number=ten_digits)
