"""Phone numbers and e-mail addresses, one at a time.

libphonenumber decides which phone numbers are valid; numbers without a country code are read as
dialled in the United States. email-validator decides which addresses are valid, by their syntax
alone and without DNS.
"""

from typing import Final

from email_validator import EmailNotValidError, validate_email
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
_OLD_MEXICAN_MOBILES: Final = range(10_000_000_000, 20_000_000_000)
"""National numbers with the 1 that Mexican mobiles had before their ten digits until 2019."""

NormalisedPhone = tuple[str, int | None]
"""E.164 and the country code of a valid number, else the stripped text and None."""

ParsedEmail = tuple[bool, str]
"""Whether the text is an address, and the domain that lists are compared with."""

MAX_EMAIL_LENGTH: Final = 2048
"""Longer texts are never addresses. Valid ones are ten times shorter, even before accents are
composed; validation takes quadratic time, and fans can send texts of any length."""


def normalise_phone(text: str | None) -> NormalisedPhone:
    """Return the number in E.164 with its country code, or the stripped text and None.

    A number whose E.164 form is read as another number is not valid (the metadata has a few, such
    as premium numbers dialled with a trunk prefix), so that normalising twice changes nothing.
    """
    stripped = (text or "").strip()
    first = _parse_phone(stripped)
    if first is None or (first[0] != stripped and _parse_phone(first[0]) != first):
        return stripped, None
    return first


def is_north_american(text: str | None) -> bool:
    """Return whether it is a valid number of country code 1; no other number is texted."""
    return normalise_phone(text)[1] == NORTH_AMERICA


def _parse_phone(text: str) -> NormalisedPhone | None:
    if not text:
        return None
    try:
        number = _modernise(parse(text, HOME_REGION))
    except NumberParseException:
        return None
    if not is_valid_number(number):
        return None
    return format_number(number, PhoneNumberFormat.E164), number.country_code


def _modernise(number: PhoneNumber) -> PhoneNumber:
    """Return an old Mexican mobile number in its present form, any other number unchanged."""
    national = number.national_number or 0
    is_old = number.country_code == MEXICO and national in _OLD_MEXICAN_MOBILES
    # `italian_leading_zero` is not part of `national_number`, but makes it another number.
    if not is_old or number.italian_leading_zero:
        return number
    ten_digits = national - _OLD_MEXICAN_MOBILES.start
    return PhoneNumber(country_code=MEXICO, national_number=ten_digits)


def is_email(text: str) -> bool:
    """Return whether `text`, stripped and lower-cased, is an address."""
    return parse_email(text)[0]


def parse_email(text: str) -> ParsedEmail:
    """Return the validity and the domain of `text`, stripped and lower-cased.

    The domain of a valid address is in ASCII, which all its spellings share. The domain of a text
    without `@` is empty.
    """
    if "@" not in text:
        return False, ""
    if len(text) > MAX_EMAIL_LENGTH:
        return False, domain_of(text)
    try:
        address = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False, domain_of(text)
    return True, address.ascii_domain


def domain_of(text: str) -> str:
    """Return the text after the last `@`, or an empty string."""
    return text.rpartition("@")[2] if "@" in text else ""
