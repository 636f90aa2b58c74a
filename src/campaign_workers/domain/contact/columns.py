"""Phone numbers and e-mail addresses in whole columns; results are those of `details`.

The tests of national numbers are built from libphonenumber's metadata and decide as its functions
do. Texts that column tests cannot decide, such as numbers with a trunk prefix or addresses with
quotes, are parsed one at a time, each distinct text once.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import attrs
import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

from campaign_workers.domain.contact.details import (
    MEXICO,
    NORTH_AMERICA,
    normalise_phone,
    parse_email,
)
from campaign_workers.domain.csv.frames import strip

NUMBER_TYPES: Final = (
    "fixed_line",
    "mobile",
    "toll_free",
    "premium_rate",
    "shared_cost",
    "voip",
    "personal_number",
    "pager",
    "uan",
    "voicemail",
)

Test = Callable[[pl.Expr], pl.Expr]


@attrs.frozen
class Region:
    """One region of a country code; `claims` tests leading digits, which distinguish regions."""

    is_number: Test
    claims: Test | None = None


@attrs.frozen
class NumberingPlan:
    """The regions of a country code, in the order in which they are tested."""

    has_trunk_prefix: Test
    regions: tuple[Region, ...]

    def valid_rows(self, numbers: pl.DataFrame, column: str) -> pl.DataFrame:
        """Return the rows whose `column`, national digits without a prefix, is a valid number."""
        number = pl.col(column)
        valid = []
        for region in self.regions:
            belongs = numbers.select((region.claims or region.is_number)(number)).to_series()
            own, numbers = numbers.filter(belongs), numbers.filter(~belongs)
            valid.append(own.filter(region.is_number(number)) if region.claims else own)
            if numbers.is_empty():
                break
        return pl.concat(valid)


def country_codes(numbers: pl.Expr) -> pl.Expr:
    """Return the country code (UInt16) of `+` and digits, null if it is unknown."""
    # No code is a prefix of another, so three digits are enough.
    return numbers.str.head(4).replace_strict(
        _codes_by_beginning(), default=None, return_dtype=pl.UInt16
    )


@cache
def _codes_by_beginning() -> dict[str, int]:
    return {
        f"+{code}{more:02}"[:4]: code for code in COUNTRY_CODE_TO_REGION_CODE for more in range(100)
    }


@cache
def numbering_plan(country_code: int) -> NumberingPlan:
    """Return the plan of a country code that libphonenumber knows."""
    known = [_metadata(country_code, name) for name in COUNTRY_CODE_TO_REGION_CODE[country_code]]
    main, *others = known
    # Leading digits distinguish regions; a country code with one region has none.
    regions = (
        [Region(_is_number(region), _starts_with(region.leading_digits)) for region in known]
        if others
        else [Region(_is_number(main))]
    )
    return NumberingPlan(_has_prefix(main.national_prefix_for_parsing), tuple(regions))


def _metadata(country_code: int, region: str) -> PhoneMetadata:
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    assert metadata is not None, "every region of a country code has metadata"
    return metadata


def _is_number(region: PhoneMetadata) -> Test:
    general = _any_matches([region.general_desc])
    of_a_type = _any_matches([getattr(region, name) for name in NUMBER_TYPES])
    return lambda number: general(number) & of_a_type(number)


def _any_matches(kinds: Iterable[PhoneNumberDesc | None]) -> Test:
    by_lengths: dict[tuple[int, ...], dict[str, None]] = {}
    for kind in kinds:
        if kind is not None and kind.national_number_pattern:
            patterns = by_lengths.setdefault(tuple(kind.possible_length), {})
            patterns[kind.national_number_pattern] = None
    tests = [_full_match("|".join(patterns), lengths) for lengths, patterns in by_lengths.items()]
    return lambda number: pl.any_horizontal(pl.lit(value=False), *(test(number) for test in tests))


def _full_match(pattern: str, lengths: tuple[int, ...]) -> Test:
    whole = f"(?-u)^(?:{pattern})$"
    return lambda number: (
        number.str.contains(whole) & (number.str.len_bytes().is_in(lengths) | (not lengths))
    )


def _starts_with(pattern: str | None) -> Test | None:
    if pattern is None:
        return None
    return lambda number: number.str.contains(f"(?-u)^(?:{pattern})")


def _has_prefix(prefix: str | None) -> Test:
    if not prefix:
        return lambda number: number.is_null()
    beginning = f"(?-u)^(?:{prefix})"
    if re.match(prefix, "") is None:
        return lambda number: number.str.contains(beginning)
    # A prefix that may be empty changes only the numbers from which it removes digits.
    return lambda number: number.str.extract(beginning, 0).fill_null("") != ""


E164: Final = r"^\+[0-9]+$"
PUNCTUATED: Final = r"^\+?[0-9 ().-]+$"
PUNCTUATION: Final = r"[ ().-]+"
AMERICAN: Final = r"^1?([2-9][0-9]{9})$"
OLD_MEXICAN_MOBILE: Final = r"^1([0-9]{10})$"

_PHONE_SCHEMA: Final = {"phone": pl.String, "country_code": pl.UInt16}


def normalise_phones(texts: pl.Series) -> pl.DataFrame:
    """Return columns `phone` and `country_code` (UInt16) for a String series.

    These are E.164 and the country code of a valid number, else the stripped text and null, as
    from `details.normalise_phone`. A null stays null.
    """
    rows = texts.alias("text").to_frame().select(strip(pl.col("text"))).with_row_index("row")
    numbers, odd = _international(rows)
    valid, undecided = [], [odd]
    for (code,), group in numbers.partition_by("code", as_dict=True, include_key=False).items():
        decided, others = _valid_numbers(group, code)
        valid.append(decided)
        undecided.append(others)
    valid.append(_parse_phones(rows, pl.concat(undecided)))
    return _replace_valid(rows["text"], pl.concat(valid))


def _international(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Return rows with `digits` (after a `+`) and country `code`, and the rows without a code."""
    text, digits = pl.col("text"), pl.col("digits")
    clean, others = _split(rows.drop_nulls("text"), text.str.contains(E164))
    punctuated, odd = _split(others, text.str.contains(PUNCTUATED))
    bare = punctuated.with_columns(digits=text.str.replace_all(PUNCTUATION, ""))
    american = pl.concat_str(pl.lit(f"+{NORTH_AMERICA}"), digits.str.extract(AMERICAN))
    bare = bare.select("row", digits=pl.coalesce(american, digits))
    numbers = pl.concat([clean.select("row", digits=text), bare])
    numbers = numbers.with_columns(code=country_codes(digits))
    unknown = numbers.filter(pl.col("code").is_null())
    return numbers.drop_nulls("code"), odd["row"].append(unknown["row"])


def _valid_numbers(numbers: pl.DataFrame, code: int) -> tuple[pl.DataFrame, pl.Series]:
    """Return the valid numbers, and the rows that have to be parsed one at a time."""
    plan = numbering_plan(code)
    national = pl.col("national")
    numbers = numbers.with_columns(national=pl.col("digits").str.slice(len(f"+{code}")))
    prefixed, whole = _split(numbers, plan.has_trunk_prefix(national))
    if code == MEXICO:
        short = pl.coalesce(national.str.extract(OLD_MEXICAN_MOBILE), national)
        whole = whole.with_columns(national=short, digits=pl.concat_str(pl.lit("+52"), short))
    valid = plan.valid_rows(whole, "national").select(
        "row", pl.col("digits").alias("phone"), country_code=pl.lit(code, dtype=pl.UInt16)
    )
    return valid, prefixed["row"]


def _parse_phones(rows: pl.DataFrame, undecided: pl.Series) -> pl.DataFrame:
    some = rows[undecided]
    texts = some["text"].unique()
    parsed = pl.DataFrame(
        [normalise_phone(text) for text in texts], schema=_PHONE_SCHEMA, orient="row"
    ).with_columns(texts.alias("text"))
    return some.join(parsed.drop_nulls("country_code"), on="text").select("row", *_PHONE_SCHEMA)


def _replace_valid(texts: pl.Series, valid: pl.DataFrame) -> pl.DataFrame:
    """Return the texts with valid numbers (`row`, `phone`, `country_code`) in their places."""
    codes = pl.repeat(None, len(texts), dtype=pl.UInt16, eager=True)
    codes = codes.scatter(valid["row"], valid["country_code"])
    changed = valid.filter(valid["phone"] != texts.gather(valid["row"]))
    phones = texts.scatter(changed["row"], changed["phone"])
    return pl.DataFrame({"phone": phones, "country_code": codes})


def _split(rows: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    matches = rows.select(condition).to_series()
    return rows.filter(matches), rows.filter(~matches)


MAX_PLAIN_BYTES: Final = 64
"""Shorter addresses cannot exceed any limit of length."""

_ATOM: Final = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_TOP: Final = "(?:[a-z0-9][a-z0-9-]*)?[a-z]"

ADDRESS: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_TOP}$"
PLAIN: Final = r"^[a-z0-9_!#$%&'*+\-/=?^`{|}~.@]*$"
"""Only ASCII without capitals, spaces, quotes and brackets."""

SPECIAL_USE: Final = rf"[.@](?:{'|'.join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))})$"
PUNYCODE: Final = "--"
"""Every encoded label contains it."""

_EMAIL_SCHEMA: Final = {"email_valid": pl.Boolean, "email_domain": pl.String}
_TEXT: Final = pl.col("text")
_IS_PLAIN: Final = (_TEXT.str.len_bytes() <= MAX_PLAIN_BYTES) & ~_TEXT.str.contains(
    PUNYCODE, literal=True
)


def parse_emails(texts: pl.Series) -> pl.DataFrame:
    """Return columns `email_valid` and `email_domain`.

    Args:
        texts: stripped, lower-cased texts without nulls.
    """
    rows = texts.alias("text").to_frame().with_row_index("row")
    parsed = rows.select(
        is_address=_IS_PLAIN & _TEXT.str.contains(ADDRESS),
        email_valid=~_TEXT.str.contains(SPECIAL_USE),
        email_domain=_TEXT.str.splitn("@", 2).struct.field("field_1"),
    )
    others = rows.filter(~parsed["is_address"])
    others = others.join(_parse_others(others["text"].unique()), on="text")
    return pl.DataFrame(
        [parsed[name].scatter(others["row"], others[name]) for name in _EMAIL_SCHEMA],
        schema=_EMAIL_SCHEMA,
    )


def _parse_others(texts: pl.Series) -> pl.DataFrame:
    """Return validity and domain of distinct texts that are not plain addresses."""
    plain = texts.to_frame().select(_IS_PLAIN & _TEXT.str.contains(PLAIN)).to_series()
    invalid = (
        texts.filter(plain)
        .to_frame()
        .select(
            "text",
            email_valid=pl.lit(value=False),
            email_domain=_TEXT.str.extract("@([^@]*)$").fill_null(""),
        )
    )
    others = texts.filter(~plain)
    rows = [parse_email(text) for text in others]
    parsed = pl.DataFrame(rows, schema=_EMAIL_SCHEMA, orient="row").insert_column(0, others)
    return pl.concat([invalid, parsed])
