"""The files of a prepared wave: the codes of the selected fans, and how each is contacted."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs
import polars as pl

from campaign_workers.domain.codes import TM
from campaign_workers.domain.contact.columns import normalise_phones
from campaign_workers.domain.contact.details import NORTH_AMERICA
from campaign_workers.domain.csv.frames import strip, write_frames
from campaign_workers.domain.csv.rows import CELL_LIMIT
from campaign_workers.domain.preparation.request import WaveMarket
from campaign_workers.domain.waves.files import COLUMNS

ArchiveMember = tuple[str, Iterable[bytes]]

_ROWS_AT_ONCE: Final = 50_000

_CODES: Final = pl.List(pl.Struct({"market_id": pl.String, "code": pl.String}))
FAN_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "global_user_id": pl.String(),
    "member_id": pl.String(),
    "email": pl.String(),
    "phone": pl.String(),
    "first_name": pl.String(),
    "last_name": pl.String(),
    "locale": pl.String(),
    "market_ids": pl.List(pl.String()),
    "raw_score": pl.Float64(),
    "score": pl.Float64(),
    "verdict": pl.Int8(),
    "previously_selected": pl.Boolean(),
    "opt_in_sms": pl.Boolean(),
    "codes": _CODES,
}
"""The columns of a candidate, as the entry service returns them."""


def candidate_table(pages: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the pages of candidates as one table, which is empty without pages."""
    return pl.concat([pl.DataFrame(schema=FAN_COLUMNS), *pages], how="diagonal_relaxed")


@attrs.frozen(kw_only=True)
class WaveFiles:
    """A prepared wave.

    `registrants` has one row for each pick, best first within a market. Its columns are the
    attributes of a `Registrant`, `preference_rank` and `is_texted`.
    """

    markets: tuple[str, ...]
    registrants: pl.DataFrame = attrs.field(repr=False)
    audit: Mapping[str, Any] = attrs.field(repr=False)

    def codes_of(self, market_id: str) -> set[str]:
        """Return the codes that the fans of a market get."""
        return set(self.registrants.filter(pl.col("market_id") == market_id)["code"])

    def tm_emails(self) -> pl.DataFrame:
        """Return one row for each address that gets the placeholder: its best choice."""
        return _best_choice(self._with_email().filter(pl.col("code") == TM), ["email"])

    def external_emails(self) -> pl.DataFrame:
        """Return one row for each address and market with a code, unless it has `TM` there too."""
        addressed = self._with_email()
        external = addressed.filter(pl.col("code") != TM)
        served = addressed.filter(pl.col("code") == TM)
        rest = external.join(served, on=["email", "market_id"], how="anti")
        return _best_choice(rest, ["email", "market_id"])

    def text_recipients(self) -> pl.DataFrame:
        """Return the picks that can be texted."""
        return self.registrants.filter("is_texted")

    def members(self) -> Iterator[ArchiveMember]:
        """Yield the name and content of each file of the archive; every market has its files."""
        yield "audit.json", [_to_json(self.audit)]
        yield "emails/NON_TM.csv", _file(self.external_emails())
        yield "emails/TM.csv", _file(self.tm_emails())
        for folder, rows in (
            ("masterCodes", self.registrants),
            ("smsSELECTED", self.text_recipients()),
        ):
            for market in self.markets:
                of_market = rows.filter(pl.col("market_id") == market)
                yield f"{folder}/{market}.csv", _file(of_market)

    def _with_email(self) -> pl.DataFrame:
        return self.registrants.filter(pl.col("email") != "")


def build_wave_files(
    picks: pl.DataFrame,
    candidates: pl.DataFrame,
    markets: Sequence[WaveMarket],
    reserved: Mapping[str, Sequence[str]],
    audit: Mapping[str, Any],
) -> WaveFiles:
    """Build the files of a wave: give every pick its code and its fan's contact data.

    A fan who has a code for the market already keeps it. The other fans of an external market get
    its reserved codes in order, best fan first.

    Args:
        picks: the selected fans and their markets.
        candidates: all candidates, as `candidate_table` returns them.
        markets: the markets of the wave.
        reserved: the reserved codes by market id, enough for every pick.
        audit: the audit of the selection.
    """
    fans = candidates.select(pl.exclude("market_ids", "raw_score", "score", "verdict"))
    coded = _with_codes(picks, fans.select("global_user_id", "codes"), markets, reserved)
    messages = pl.DataFrame(
        [(m.market_id, m.link, m.sms_text) for m in markets], _MESSAGES, orient="row"
    )
    rows = coded.join(fans, on="global_user_id", how="left", maintain_order="left")
    rows = rows.join(messages, on="market_id", how="left", maintain_order="left")
    return WaveFiles(
        markets=tuple(sorted(market.market_id for market in markets)),
        registrants=_registrants(rows),
        audit=audit,
    )


_MESSAGES: Final = {"market_id": pl.String, "link": pl.String, "sms_text": pl.String}
_RESERVED: Final = {"market_id": pl.String, "number": pl.UInt32, "fresh": pl.String}
_PICK: Final = ["global_user_id", "market_id"]


def _with_codes(
    picks: pl.DataFrame,
    holders: pl.DataFrame,
    markets: Sequence[WaveMarket],
    reserved: Mapping[str, Sequence[str]],
) -> pl.DataFrame:
    """Return the picks with their `code`, in order."""
    held = (
        holders.join(picks, on="global_user_id", how="semi")
        .explode("codes")
        .unnest("codes")
        .filter(pl.col("code") != "")
        .unique(_PICK, keep="first", maintain_order=True)
        .rename({"code": "held"})
    )
    fresh = pl.DataFrame(
        [(m, n, code) for m, codes in reserved.items() for n, code in enumerate(sorted(codes), 1)],
        schema=_RESERVED,
        orient="row",
    )
    is_external = pl.col("market_id").is_in([m.market_id for m in markets if m.is_external])
    needs_one = pl.col("held").is_null() & is_external
    rows = picks.join(held, on=_PICK, how="left", maintain_order="left")
    rows = rows.with_columns(
        pl.when(needs_one).then(needs_one.cum_sum().over("market_id")).alias("number")
    )
    rows = rows.join(fresh, on=["market_id", "number"], how="left", maintain_order="left")
    placeholder = pl.when(~is_external).then(pl.lit(TM))
    return rows.select(*_PICK, "preference_rank", code=pl.coalesce("held", "fresh", placeholder))


# One invalid cell would make the whole wave file unreadable.
_WRITTEN_BY_FANS: Final = ["first_name", "last_name", "locale", "email", "mobile_number"]


def _registrants(rows: pl.DataFrame) -> pl.DataFrame:
    phones = normalise_phones(rows["phone"])
    no_texts = ~pl.col("opt_in_sms").fill_null(value=True)
    rows = rows.with_columns(
        phones["phone"].alias("mobile_number"),
        pl.when(no_texts).then(pl.lit("true")).otherwise(pl.lit("")).alias("do_not_text"),
        strip(pl.col("email")).str.to_lowercase(),
        (phones["country_code"] == NORTH_AMERICA).fill_null(value=False).alias("is_american"),
    ).with_columns(
        pl.col(_WRITTEN_BY_FANS).str.replace_all("\0", "", literal=True).str.head(CELL_LIMIT)
    )
    texts = [pl.col(name).fill_null("") for name in COLUMNS]
    is_texted = pl.col("is_american") & ~no_texts
    return rows.select(*texts, "preference_rank", is_texted.alias("is_texted"))


def _best_choice(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    by_choice = rows.sort(*keys, "preference_rank", "market_id", "global_user_id")
    return by_choice.unique(keys, keep="first", maintain_order=True)


def _file(rows: pl.DataFrame) -> Iterator[bytes]:
    wire = rows.select(pl.col(name).alias(column) for name, column in COLUMNS.items())
    return write_frames(wire.columns, wire.iter_slices(_ROWS_AT_ONCE))


def _to_json(content: Mapping[str, Any]) -> bytes:
    return f"{json.dumps(dict(content), indent=1, sort_keys=True)}\n".encode()
