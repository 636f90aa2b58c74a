"""Which national numbers are valid under a country code, as tests of whole columns.

The tests are made from libphonenumber's own metadata and decide exactly as its functions do; where
those would first take a trunk prefix off the number, the answer is left to them.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

import attrs
import polars as pl
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from phonenumbers.phonemetadata import PhoneMetadata, PhoneNumberDesc

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
    """One region of a country code; `claims` tells by the leading digits whose number it is."""

    is_number: Test
    claims: Test | None = None


@attrs.frozen
class NumberingPlan:
    """The regions of a country code in the order in which they are asked."""

    has_trunk_prefix: Test
    regions: tuple[Region, ...]

    def valid(self, numbers: pl.DataFrame, column: str) -> pl.DataFrame:
        """The rows of `numbers` whose `column`, national digits without a prefix, is a number."""
        number = pl.col(column)
        found = []
        for region in self.regions:
            claimed = region.claims or region.is_number
            split = numbers.select(claimed(number)).to_series()
            mine, numbers = numbers.filter(split), numbers.filter(~split)
            found.append(mine.filter(region.is_number(number)) if region.claims else mine)
            if numbers.is_empty():
                break
        return pl.concat(found)


def country_codes(numbers: pl.Expr) -> pl.Expr:
    """The country code (UInt16) of `+` and digits; null for an unknown one."""
    # No code is the beginning of another, so three digits always tell.
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
    """The plan of a country code that libphonenumber knows."""
    known = [_metadata(country_code, name) for name in COUNTRY_CODE_TO_REGION_CODE[country_code]]
    main, *others = known
    # Leading digits tell regions apart; where there is one alone, they are not asked for.
    regions = (
        [Region(_is_number(region), _begins(region.leading_digits)) for region in known]
        if others
        else [Region(_is_number(main))]
    )
    return NumberingPlan(_takes_off(main.national_prefix_for_parsing), tuple(regions))


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


def _begins(pattern: str | None) -> Test | None:
    if pattern is None:
        return None
    return lambda number: number.str.contains(f"(?-u)^(?:{pattern})")


def _takes_off(prefix: str | None) -> Test:
    if not prefix:
        return lambda number: number.is_null()
    beginning = f"(?-u)^(?:{prefix})"
    if re.match(prefix, "") is None:
        return lambda number: number.str.contains(beginning)
    # A prefix that may be empty changes the number only where it takes digits off.
    return lambda number: number.str.extract(beginning, 0).fill_null("") != ""
