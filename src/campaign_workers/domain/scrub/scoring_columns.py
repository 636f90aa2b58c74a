"""`scoring` records of whole frames of scrubbed fans."""

from datetime import datetime
from typing import Final

import polars as pl

from campaign_workers.domain.columns import trimmed
from campaign_workers.domain.limits import MAX_PARTITION_KEY, MAX_RECORD_BYTES
from campaign_workers.domain.records.json_columns import record_lines
from campaign_workers.domain.records.types import RECORD_TYPES, Field, Kind
from campaign_workers.domain.wire import snake

SCORING: Final = RECORD_TYPES["scoring"]


def scoring_records(fans: pl.DataFrame, *, source: str, created: datetime) -> pl.DataFrame:
    """A record a fan with an id: `campaign_id`, `partition_key` (the id) and `data` (Binary).

    Fans without an id have none, nor those whose id or record is longer than a stream takes.

    Args:
        fans: scrubbed fans; a field of the type is taken from the column of its name, if any.
        source: `scored` or `fanlist`.
        created: when the records were made.
    """
    key = pl.col("global_user_id")
    known = fans.filter(key.str.len_chars().is_between(1, MAX_PARTITION_KEY))
    values = {field.name: _value(field, fans.schema) for field in SCORING.fields}
    values["source"] = pl.lit(source)
    table = known.select(**{name: value for name, value in values.items() if value is not None})
    line = record_lines(table, SCORING.name, created)["line"].cast(pl.Binary)
    records = known.select("campaign_id", partition_key=key, data=line)
    size = pl.col("data").bin.size() + pl.col("partition_key").str.len_bytes()
    return records.filter(size <= MAX_RECORD_BYTES)


def _value(field: Field, schema: pl.Schema) -> pl.Expr | None:
    """The column as records hold it, None where there is none of the kind.

    Texts are trimmed and not empty, lists not null; a number is never read out of a text.
    """
    value = pl.col(snake(field.name))
    match field.kind, schema.get(snake(field.name)):
        case Kind.TEXTS, pl.List():
            return value.fill_null([])
        case Kind.TEXTS, _:
            return pl.lit([], dtype=pl.List(pl.String))
        case Kind.TEXT, pl.String():
            text = trimmed(value)
            return pl.when(text != "").then(text)
        case Kind.INT, dtype if dtype is not None and dtype.is_integer():
            return value.cast(pl.Int64)
        case Kind.DOUBLE, pl.Float64():
            return value
        case _:
            return None
