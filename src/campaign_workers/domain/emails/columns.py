"""`emails.read_email` for whole columns.

Addresses of plain characters are decided by regular expressions, every other distinct text one at
a time. Both give the same answer.
"""

import re
from typing import Final

import polars as pl
from email_validator import SPECIAL_USE_DOMAIN_NAMES

from campaign_workers.domain.emails import read_email

LONGEST_PLAIN: Final = 64
"""Bytes within which no limit of length can be exceeded."""

_ATOM: Final = r"[a-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL: Final = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_TOP: Final = "(?:[a-z0-9][a-z0-9-]*)?[a-z]"

ADDRESS: Final = rf"^{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_TOP}$"
PLAIN: Final = r"^[a-z0-9_!#$%&'*+\-/=?^`{|}~.@]*$"
"""No letters beyond ASCII, capitals, spaces, quotes, brackets or angle brackets."""

SPECIAL_USE: Final = rf"[.@](?:{'|'.join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))})$"
PUNYCODE: Final = "--"
"""Only labels with it are, or look like, encoded ones."""

_READ: Final = {"email_valid": pl.Boolean, "email_domain": pl.String}
_TEXT: Final = pl.col("text")
_PLAINLY: Final = (_TEXT.str.len_bytes() <= LONGEST_PLAIN) & ~_TEXT.str.contains(
    PUNYCODE, literal=True
)


def read_emails(texts: pl.Series) -> pl.DataFrame:
    """Columns `email_valid` and `email_domain` for trimmed, lower-cased texts without nulls."""
    rows = texts.alias("text").to_frame().with_row_index("row")
    read = rows.select(
        is_address=_PLAINLY & _TEXT.str.contains(ADDRESS),
        email_valid=~_TEXT.str.contains(SPECIAL_USE),
        email_domain=_TEXT.str.splitn("@", 2).struct.field("field_1"),
    )
    others = rows.filter(~read["is_address"])
    reread = others.join(_reread(others["text"].unique()), on="text")
    return pl.DataFrame(
        [read[name].scatter(reread["row"], reread[name]) for name in _READ], schema=_READ
    )


def _reread(texts: pl.Series) -> pl.DataFrame:
    """Validity and domain of distinct texts that are no plain addresses."""
    plain = texts.to_frame().select(_PLAINLY & _TEXT.str.contains(PLAIN)).to_series()
    wrong = (
        texts.filter(plain)
        .to_frame()
        .select(
            "text",
            email_valid=pl.lit(value=False),
            email_domain=_TEXT.str.extract("@([^@]*)$").fill_null(""),
        )
    )
    odd = texts.filter(~plain)
    readings = [read_email(text) for text in odd]
    read = pl.DataFrame(readings, schema=_READ, orient="row").insert_column(0, odd)
    return pl.concat([wrong, read])
