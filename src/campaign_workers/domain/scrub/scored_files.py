"""Scored files as they are uploaded, and scrubbed files as we write them."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from campaign_workers.domain.columns import split, trimmed
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub import OURS, OUTCOME
from campaign_workers.domain.wire import camel, from_wire, other_spelling, to_wire

DELIMITER: Final = "\t"
REQUIRED: Final = ("globalUserId", "email", "phone", "score")

ADDED: Final = tuple(map(camel, OUTCOME))
"""Columns that a scrubbed file has beyond those of the scored one."""


def campaign_in_name(name: str) -> str:
    """The campaign of `{campaignId}.{timestamp}`; empty if the name does not tell one."""
    return name.rpartition(".")[0]


def scrubbed_columns(columns: Sequence[str], *, file: str) -> tuple[str, ...]:
    """The columns of the scrubbed file: those of the scored one, then the outcome.

    Raises:
        BadInput: a column has a name that we keep for ourselves.
    """
    if taken := OURS.intersection(map(other_spelling, columns)):
        raise BadInput("a reserved name", file=file, line=1, field=", ".join(sorted(taken)))
    return (*(column for column in columns if column not in ADDED), *ADDED)


def fans_of(rows: pl.DataFrame, campaign: str) -> pl.DataFrame:
    """Rows of a scored file as fans: our column names, lists of markets, every row's campaign.

    Where a row names no campaign it is that of the file, empty if there is none either.
    """
    fans = from_wire(rows)
    own = trimmed(pl.col("campaign_id")) if "campaign_id" in fans.columns else pl.lit("")
    fans = fans.with_columns(campaign_id=pl.when(own == "").then(pl.lit(campaign)).otherwise(own))
    if "market_ids" not in fans.columns:
        return fans
    return fans.with_columns(split(pl.col("market_ids")))


def scrubbed_rows(fans: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Scrubbed fans as rows of a file with these columns of the wire."""
    return to_wire(fans).select(columns)
