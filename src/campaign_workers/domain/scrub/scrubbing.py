"""Normal forms of a fan's columns, and the facts about each row that the scrub's rules ask for.

Scrubbing: who may take part in a campaign's draw, and why not.

`scrub` does it to one frame. Files of any size go through the same three steps in batches:
`examined` decides what a row shows by itself, a `Competition` finds out which of several clean
rows of a fan or of a phone stays, `finished` writes verdict and tags.
"""

from typing import Final

import polars as pl

from campaign_workers.domain.bands import band_of, band_score
from campaign_workers.domain.contact.columns import normalise_phones, parse_emails
from campaign_workers.domain.csv.frames import strip, without_negative_zero
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import lottery_expr
from campaign_workers.domain.scrub.duplicates import DECISIVE, ROW, Competition
from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.rules import (
    DISQUALIFYING,
    MARKS,
    row_marks,
    tag_lists,
)

REQUIRED: Final = ("global_user_id", "campaign_id", "email", "phone", "score")
IDS: Final = ("global_user_id", "campaign_id", "member_id")
UNCONFIRMED: Final = ("", "false", "no", "0")
"""Texts in the place of a confirmation date that deny one."""


def require_columns(schema: pl.Schema) -> None:
    """Check that everything the rules need is there.

    Raises:
        BadInput: a column is missing, or the score is neither a number nor a text.
    """
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        raise BadInput("missing columns", field=", ".join(missing))
    score = schema["score"]
    if not (score.is_numeric() or score in (pl.String, pl.Null)):
        raise BadInput("neither numbers nor texts", field="score")


def normalised(fans: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """The rows with ids, e-mail, phone and score in normal form, and the phones' country codes.

    A country code (UInt16) is null where the phone is empty or not valid.
    """
    ids = [name for name in IDS if name in fans.columns]
    fans = fans.with_columns(
        *(strip(pl.col(name).cast(pl.String)) for name in ids),
        *_lists(fans.schema),
        strip(pl.col("email").cast(pl.String)).str.to_lowercase(),
        pl.col("phone").cast(pl.String),
        _score(fans.schema["score"]),
    )
    phones = normalise_phones(fans["phone"])
    return fans.with_columns(phones["phone"]), phones["country_code"]


def facts(fans: pl.DataFrame, country_codes: pl.Series, policy: ScrubPolicy) -> pl.DataFrame:
    """What the rules ask of each row of `normalised` fans.

    Columns: global_user_id and phone (empty for null), score, country_code, abroad_allowed,
    email_valid, email_blocked, domain_blocked, phone_confirmed.
    """
    email = fans["email"].fill_null("")
    emails = parse_emails(email)
    blocked = pl.DataFrame(
        {
            "email_blocked": email.is_in(list(policy.blocked_emails)),
            "domain_blocked": _on_domain_list(emails["email_domain"], policy),
        }
    )
    return fans.select(
        pl.col("global_user_id", "phone").fill_null(""),
        "score",
        country_code=country_codes,
        abroad_allowed=policy.allow_intl_phones,
        email_valid=emails["email_valid"],
        phone_confirmed=_confirmed(fans.schema),
    ).with_columns(_unless_allowed(blocked, email, policy))


def _score(dtype: pl.DataType) -> pl.Expr:
    score = pl.col("score")
    # What the cast takes beyond plain decimal notation (nan, inf) is not within 0..1 either.
    number = (strip(score) if dtype == pl.String else score).cast(pl.Float64, strict=False)
    return pl.when(number.is_between(0, 1)).then(without_negative_zero(number)).alias("score")


def _lists(schema: pl.Schema) -> list[pl.Expr]:
    market_ids = pl.col("market_ids")
    return (
        [market_ids.list.eval(strip(pl.element()))]
        if schema.get("market_ids") == pl.List(pl.String)
        else []
    )


def _confirmed(schema: pl.Schema) -> pl.Expr:
    confirmed = pl.col("phone_confirmed")
    match schema.get("phone_confirmed"):
        case None:
            return pl.lit(value=False)
        case pl.Boolean:
            return confirmed.fill_null(value=False)
        case pl.String:
            return ~strip(confirmed.fill_null("")).str.to_lowercase().is_in(UNCONFIRMED)
        case _:
            return confirmed.is_not_null()


def _on_domain_list(domains: pl.Series, policy: ScrubPolicy) -> pl.Series:
    distinct = domains.unique().alias("domain").to_frame()
    labels = distinct.with_columns(pl.col("domain").str.split(".").alias("labels"))
    parents = (
        pl.col("labels").list.tail(count).list.join(".").is_in(listed)
        for count, listed in policy.domains_by_labels.items()
    )
    blocked = labels.filter(pl.any_horizontal(pl.lit(value=False), *parents))["domain"]
    return domains.is_in(blocked.implode())


def _unless_allowed(blocked: pl.DataFrame, email: pl.Series, policy: ScrubPolicy) -> pl.DataFrame:
    suspects = blocked["email_blocked"] | blocked["domain_blocked"]
    if not (policy.allowed_patterns and suspects.any()):
        return blocked
    address = pl.col("address")
    addresses = email.filter(suspects).unique().alias("address").to_frame()
    allowed = addresses.filter(
        pl.any_horizontal(
            address.is_in(list(policy.allowed_addresses)),
            *(address.str.contains(regex) for regex in policy.allowed_regexes),
        )
    )["address"]
    return blocked.with_columns(pl.all() & ~email.is_in(allowed.implode()))


OUTCOME: Final = {
    "band": pl.String(),
    "band_score": pl.Float64(),
    "verdict": pl.Int8(),
    "tags": pl.List(pl.String),
}
"""The columns that a scrub adds."""

OURS: Final = frozenset({ROW, MARKS})
"""The columns that rows have only while they are scrubbed."""


def scrub(fans: pl.DataFrame | pl.LazyFrame, policy: ScrubPolicy) -> pl.LazyFrame:
    """The same rows in the same order, normalised, with band, band_score, verdict and tags.

    Args:
        fans: global_user_id, campaign_id, email, phone, score (numbers or texts), and if there
            are any member_id, phone_confirmed (String or Boolean), market_ids (List[String]);
            other columns are carried through.
        policy: the lists and options of the campaign. Rows of several campaigns do not compete
            with each other.

    Raises:
        BadInput: a required column is missing, or another has a name that we keep for ourselves.
    """
    fans = fans.lazy()
    schema = fans.collect_schema()
    require_columns(schema)
    if taken := OURS.intersection(schema):
        raise BadInput("a reserved name", field=", ".join(sorted(taken)))
    texts = {name: pl.String() for name in ("global_user_id", "campaign_id", "email", "phone")}
    if "member_id" in schema:
        texts["member_id"] = pl.String()
    return fans.map_batches(
        lambda frame: _scrubbed(frame, policy),
        schema=schema | texts | {"score": pl.Float64()} | OUTCOME,
    )


def examined(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    """The rows normalised and banded, with the marks (`MARKS`) that they earn by themselves.

    Raises:
        BadInput: a required column is missing.
    """
    require_columns(fans.schema)
    fans, country_codes = normalised(fans)
    score, ids = pl.col("score"), pl.col("global_user_id").fill_null("")
    campaign = pl.col("campaign_id").fill_null("")
    number = lottery_expr(ids, seed=policy.lottery_seed, campaign_id=campaign)
    numbers = fans.select(number).to_series()
    return fans.with_columns(
        row_marks(facts(fans, country_codes, policy)),
        band=band_of(score),
        band_score=band_score(score, pl.lit(numbers)),
    )


def finished(rows: pl.DataFrame) -> pl.DataFrame:
    """The judged rows with verdict and tags, without the columns of our own."""
    marks = rows[MARKS]
    verdict = ((marks & DISQUALIFYING) == 0).cast(pl.Int8).alias("verdict")
    return rows.drop(ROW, MARKS).with_columns(verdict, tag_lists(marks))


def _scrubbed(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    rows = examined(fans, policy).with_columns(pl.int_range(pl.len(), dtype=pl.UInt32).alias(ROW))
    competition = Competition()
    competition.enter(rows)
    competition.settle(lambda: [rows.select(DECISIVE)])
    return finished(competition.judged(rows))
