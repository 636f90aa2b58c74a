"""The rules of the scrub: which tag a row gets, and which tags put it out.

The tags of a row travel as one number, its marks: bit n is set when rule n applies.
"""

from itertools import compress
from typing import Final

import attrs
import polars as pl

MARKS: Final = "__marks"
"""Column with the marks of each row, UInt16."""


@attrs.frozen
class Outranked:
    """Another row of the campaign with the same `key` ranks higher, among the rows still clean."""

    key: str


@attrs.frozen
class Rule:
    """A row gets `tag` if `when` holds of its facts; a disqualifying tag makes the verdict 0."""

    tag: str
    when: pl.Expr | Outranked
    disqualifies: bool = True


def _is_empty(name: str) -> pl.Expr:
    return pl.col(name) == ""


_HAS_PHONE: Final = ~_is_empty("phone")
_VALID_PHONE: Final = pl.col("country_code").is_not_null()
_ABROAD: Final = pl.col("country_code") != 1

RULES: Final = (
    Rule("missingFan", when=_is_empty("global_user_id")),
    Rule("invalidScore", when=pl.col("score").is_null()),
    Rule("invalidEmail", when=~pl.col("email_valid")),
    Rule("blockedEmail", when=pl.col("email_blocked")),
    Rule("blockedDomain", when=pl.col("domain_blocked")),
    Rule("internationalPhone", when=_ABROAD & ~pl.col("abroad_allowed")),
    Rule("duplicateFan", when=Outranked("global_user_id")),
    Rule("duplicatePhone", when=Outranked("phone")),
    Rule("missingPhone", when=~_HAS_PHONE, disqualifies=False),
    Rule("invalidPhone", when=_HAS_PHONE & ~_VALID_PHONE, disqualifies=False),
    Rule("unconfirmedPhone", when=~pl.col("phone_confirmed"), disqualifies=False),
)
"""In the order of their tags."""

TAGS: Final = tuple(rule.tag for rule in RULES)


def marks_of(*tags: str) -> int:
    """The marks of a row with exactly these tags."""
    return sum(1 << TAGS.index(tag) for tag in tags)


DISQUALIFYING: Final = marks_of(*(rule.tag for rule in RULES if rule.disqualifies))
_NO_VALID_PHONE: Final = marks_of("missingPhone", "invalidPhone")

_TAG_LISTS: Final = pl.Series(
    [
        list(compress(TAGS, (marks >> bit & 1 for bit in range(len(TAGS)))))
        for marks in range(1 << len(TAGS))
    ],
    dtype=pl.List(pl.String),
)


def row_marks(facts: pl.DataFrame) -> pl.Series:
    """The marks that rows earn by themselves; null facts count as not holding."""
    held = (
        pl.when(rule.when).then(1 << bit).otherwise(0).cast(pl.UInt16)
        for bit, rule in enumerate(RULES)
        if isinstance(rule.when, pl.Expr)
    )
    return facts.select(pl.sum_horizontal(held).cast(pl.UInt16).alias(MARKS)).to_series()


def is_clean() -> pl.Expr:
    """No disqualifying tag so far."""
    return pl.col(MARKS).and_(pl.lit(DISQUALIFYING, dtype=pl.UInt16)) == 0


def has_valid_phone() -> pl.Expr:
    """Neither empty nor invalid."""
    return pl.col(MARKS).and_(pl.lit(_NO_VALID_PHONE, dtype=pl.UInt16)) == 0


def tag_lists(marks: pl.Series) -> pl.Series:
    """The tags of each row, in the order of the rules."""
    return _TAG_LISTS.gather(marks).alias("tags")
