"""The rules of the scrub: which tag a row gets, and which tags disqualify it.

The tags of a row are stored as one number, its tag bits: bit n is set when rule n applies. Most
rules look at one row alone; a `Duplicate` rule compares the rows that no rule before it
disqualified (see `duplicates`).
"""

from itertools import compress
from typing import Final

import attrs
import polars as pl


@attrs.frozen
class Duplicate:
    """Another row of the campaign with the same `key` ranks higher.

    Attributes:
        key: the column whose values may occur once in a campaign.
        ignored: tags of rows that are not compared.
    """

    key: str
    ignored: tuple[str, ...] = ()


@attrs.frozen
class Rule:
    """A row gets `tag` if `when` holds; a disqualifying tag makes the verdict 0."""

    tag: str
    when: pl.Expr | Duplicate
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
    Rule("duplicateFan", when=Duplicate("global_user_id")),
    Rule("duplicatePhone", when=Duplicate("phone", ignored=("missingPhone", "invalidPhone"))),
    Rule("missingPhone", when=~_HAS_PHONE, disqualifies=False),
    Rule("invalidPhone", when=_HAS_PHONE & ~_VALID_PHONE, disqualifies=False),
    Rule("unconfirmedPhone", when=~pl.col("phone_confirmed"), disqualifies=False),
)
"""In the order in which tags are listed and duplicates are resolved."""

TAGS: Final = tuple(rule.tag for rule in RULES)

DUPLICATE_RULES: Final = {rule.tag: rule.when for rule in RULES if isinstance(rule.when, Duplicate)}


def bits_of(*tags: str) -> int:
    """Return the tag bits of a row with exactly these tags."""
    return sum(1 << TAGS.index(tag) for tag in tags)


DISQUALIFYING_BITS: Final = bits_of(*(rule.tag for rule in RULES if rule.disqualifies))

_TAG_LISTS: Final = pl.Series(
    [
        list(compress(TAGS, (bits >> bit & 1 for bit in range(len(TAGS)))))
        for bits in range(1 << len(TAGS))
    ],
    dtype=pl.List(pl.String),
)


def tag_bits(rule_inputs: pl.DataFrame) -> pl.Series:
    """Return the tag bits (UInt16) of each row, without those of the `Duplicate` rules.

    Args:
        rule_inputs: the columns that the rules ask for; a rule does not apply to a null.
    """
    applied = (
        pl.when(rule.when).then(1 << bit).otherwise(0).cast(pl.UInt16)
        for bit, rule in enumerate(RULES)
        if isinstance(rule.when, pl.Expr)
    )
    return rule_inputs.select(pl.sum_horizontal(applied).cast(pl.UInt16)).to_series()


def tag_lists(bits: pl.Series) -> pl.Series:
    """Return the tags of each row as lists, in the order of the rules."""
    return _TAG_LISTS.gather(bits).alias("tags")


def verdicts(bits: pl.Series) -> pl.Series:
    """Return the verdict of each row: 1 if no tag disqualifies it, else 0."""
    return ((bits & DISQUALIFYING_BITS) == 0).cast(pl.Int8).alias("verdict")
