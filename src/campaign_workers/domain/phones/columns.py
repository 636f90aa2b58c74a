"""`phones.normalise_phone` for whole columns.

Clean numbers (`+` and digits, or ten American digits, with the usual punctuation) are decided by
column tests; every other distinct text is read one at a time. Both give the same answer.
"""

from typing import Final

import polars as pl

from campaign_workers.domain.columns import trimmed
from campaign_workers.domain.phones import MEXICO, NORTH_AMERICA, normalise_phone
from campaign_workers.domain.phones.numbering import country_codes, numbering_plan

E164: Final = r"^\+[0-9]+$"
PUNCTUATED: Final = r"^\+?[0-9 ().-]+$"
PUNCTUATION: Final = r"[ ().-]+"
AMERICAN: Final = r"^1?([2-9][0-9]{9})$"
OLD_MEXICAN_MOBILE: Final = r"^1([0-9]{10})$"

_READ: Final = {"phone": pl.String, "country_code": pl.UInt16}


def normalised_phones(texts: pl.Series) -> pl.DataFrame:
    """Columns `phone` and `country_code` (UInt16) for a String series, row by row.

    As `phones.normalise_phone`: E.164 and the code of a valid number, else the trimmed text and
    null. A null stays null.
    """
    rows = texts.alias("text").to_frame().select(trimmed(pl.col("text"))).with_row_index("row")
    numbers, odd = _international(rows)
    valid, unread = [], [odd]
    for (code,), group in numbers.partition_by("code", as_dict=True, include_key=False).items():
        decided, undecided = _decided(group, code)
        valid.append(decided)
        unread.append(undecided)
    valid.append(_one_at_a_time(rows, pl.concat(unread)))
    return _written_over(rows["text"], pl.concat(valid))


def _international(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Rows with their `digits` (`+` first) and country `code`, and the rows that have none."""
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


def _decided(numbers: pl.DataFrame, code: int) -> tuple[pl.DataFrame, pl.Series]:
    """The valid numbers, and the rows that have to be read one at a time."""
    plan = numbering_plan(code)
    national = pl.col("national")
    numbers = numbers.with_columns(national=pl.col("digits").str.slice(len(f"+{code}")))
    prefixed, whole = _split(numbers, plan.has_trunk_prefix(national))
    if code == MEXICO:
        short = pl.coalesce(national.str.extract(OLD_MEXICAN_MOBILE), national)
        whole = whole.with_columns(national=short, digits=pl.concat_str(pl.lit("+52"), short))
    valid = plan.valid(whole, "national").select(
        "row", pl.col("digits").alias("phone"), country_code=pl.lit(code, dtype=pl.UInt16)
    )
    return valid, prefixed["row"]


def _one_at_a_time(rows: pl.DataFrame, unread: pl.Series) -> pl.DataFrame:
    some = rows[unread]
    texts = some["text"].unique()
    readings = [normalise_phone(text) for text in texts]
    read = pl.DataFrame(readings, schema=_READ, orient="row").with_columns(texts.alias("text"))
    return some.join(read.drop_nulls("country_code"), on="text").select("row", *_READ)


def _written_over(texts: pl.Series, valid: pl.DataFrame) -> pl.DataFrame:
    """The texts with the valid numbers (`row`, `phone`, `country_code`) in their places."""
    codes = pl.repeat(None, len(texts), dtype=pl.UInt16, eager=True)
    codes = codes.scatter(valid["row"], valid["country_code"])
    changed = valid.filter(valid["phone"] != texts.gather(valid["row"]))
    phones = texts.scatter(changed["row"], changed["phone"])
    return pl.DataFrame({"phone": phones, "country_code": codes})


def _split(rows: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, pl.DataFrame]:
    holds = rows.select(condition).to_series()
    return rows.filter(holds), rows.filter(~holds)
