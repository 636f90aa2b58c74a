"""E-mail addresses, one at a time: email-validator decides, by syntax alone and without DNS."""

from typing import Final

from email_validator import EmailNotValidError, validate_email

Reading = tuple[bool, str]
"""Whether it is an address, and the domain that lists are compared with (empty without `@`)."""

LONGEST: Final = 2048
"""Characters beyond which nothing is an address: ten times what one may have, since composing
accents shortens a text. It takes quadratic time, and whoever registers may send any text."""

_NOWHERE: Final = (False, "")


def is_email(text: str) -> bool:
    """Whether `text`, trimmed and lower-cased, is an address."""
    return parse_email(text)[0]


def parse_email(text: str) -> Reading:
    """Validity and domain of `text`, trimmed and lower-cased.

    Of a valid address the domain is its ASCII form, which every spelling of it shares.
    """
    if "@" not in text:
        return _NOWHERE
    if len(text) > LONGEST:
        return False, domain_of(text)
    try:
        address = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        return False, domain_of(text)
    return True, address.ascii_domain


def domain_of(text: str) -> str:
    """What follows the last `@`; empty if there is none."""
    return text.rpartition("@")[2] if "@" in text else ""
