"""The scrub: which fans may take part in a campaign's draw, and why the others may not.

`scrub` does all of it for one frame. Files of any size go through the same four steps frame by
frame: `normalise_fans`, `tag_rows`, `resolve_duplicates` over all frames, and `add_outcome`.
"""

from typing import Final

import polars as pl

from campaign_workers.domain.bands import band_name, band_score
from campaign_workers.domain.contact.columns import normalise_phones, parse_emails
from campaign_workers.domain.csv.frames import strip, without_negative_zero
from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.lottery import lottery_expr
from campaign_workers.domain.scrub.duplicates import DEDUP_COLUMNS, resolve_duplicates
from campaign_workers.domain.scrub.policy import ScrubPolicy
from campaign_workers.domain.scrub.rules import tag_bits, tag_lists, verdicts

REQUIRED: Final = ("global_user_id", "campaign_id", "email", "phone", "score")
IDS: Final = ("global_user_id", "campaign_id", "member_id")
UNCONFIRMED: Final = ("", "false", "no", "0")
"""Texts in the column of confirmation dates that mean that there is none."""

OUTPUT_COLUMNS: Final = {
    "band": pl.String(),
    "band_score": pl.Float64(),
    "verdict": pl.Int8(),
    "tags": pl.List(pl.String),
}
"""The columns that a scrub adds."""

COUNTRY_CODE: Final = "__country_code"
"""Column of normalised fans (UInt16); null where the phone is empty or not valid."""

INTERNAL_COLUMNS: Final = frozenset({COUNTRY_CODE})
"""Columns that fans have only while they are scrubbed."""

TAG_COLUMNS: Final = (*REQUIRED, "phone_confirmed", COUNTRY_CODE)
"""The columns of normalised fans that `tag_rows` uses, if they are there."""


def scrub(fans: pl.DataFrame | pl.LazyFrame, policy: ScrubPolicy) -> pl.LazyFrame:
    """Normalise fans and tag those who may not take part in the draw.

    Args:
        fans: global_user_id, campaign_id, email, phone and score (numbers or strings); optionally
            member_id, phone_confirmed (String or Boolean) and market_ids (List[String]). Other
            columns are carried through.
        policy: the lists and options of the campaign. Rows of several campaigns are not compared
            with each other.

    Returns:
        The same rows in the same order, with score as Float64 and the columns band, band_score,
        verdict (1 eligible, 0 out) and tags.

    Raises:
        BadInput: a required column is missing, the score holds neither numbers nor strings, or a
            column has a reserved name.

    Example:
        >>> import polars as pl
        >>> fans = pl.DataFrame(
        ...     {
        ...         "global_user_id": ["g1", "g2", "g1"],
        ...         "campaign_id": ["tour", "tour", "tour"],
        ...         "email": ["Ann@x.co", "bob@spam.example", "ann@x.co"],
        ...         "phone": ["(212) 555-0123", "", ""],
        ...         "score": ["0.9", "0.8", "0.7"],
        ...     }
        ... )
        >>> policy = ScrubPolicy(blocked_domains={"spam.example"}, lottery_seed="s")
        >>> scrubbed = scrub(fans, policy).collect()
        >>> scrubbed["phone"].to_list()
        ['+12125550123', '', '']
        >>> scrubbed["verdict"].to_list()
        [1, 0, 0]
        >>> scrubbed["tags"].to_list()[2]
        ['duplicateFan', 'missingPhone', 'unconfirmedPhone']
    """
    fans = fans.lazy()
    schema = fans.collect_schema()
    require_columns(schema)
    if reserved := INTERNAL_COLUMNS.intersection(schema):
        raise BadInput(
            "this column name is reserved", field=", ".join(sorted(reserved)), remedy="rename it"
        )
    texts = {name: pl.String() for name in ("global_user_id", "campaign_id", "email", "phone")}
    if "member_id" in schema:
        texts["member_id"] = pl.String()
    return fans.map_batches(
        lambda frame: _scrub_frame(frame, policy),
        schema=schema | texts | {"score": pl.Float64()} | OUTPUT_COLUMNS,
    )


def _scrub_frame(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    fans = normalise_fans(fans)
    [bits] = resolve_duplicates(lambda: [fans.select(DEDUP_COLUMNS)], [tag_rows(fans, policy)])
    return add_outcome(fans, bits, seed=policy.lottery_seed)


def require_columns(schema: pl.Schema) -> None:
    """Check that the rules have all the columns that they need.

    Raises:
        BadInput: a column is missing, or the score holds neither numbers nor strings.
    """
    missing = [name for name in REQUIRED if name not in schema]
    if missing:
        raise BadInput("column is missing", field=", ".join(missing))
    score = schema["score"]
    if not (score.is_numeric() or score in (pl.String, pl.Null)):
        raise BadInput(f"expected numbers or strings, got {score}", field="score")


def normalise_fans(fans: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with ids, e-mail, phone and score in normal form, and `COUNTRY_CODE`.

    Raises:
        BadInput: as `require_columns`.
    """
    require_columns(fans.schema)
    ids = [name for name in IDS if name in fans.columns]
    fans = fans.with_columns(
        *(strip(pl.col(name).cast(pl.String)) for name in ids),
        *_stripped_lists(fans.schema),
        strip(pl.col("email").cast(pl.String)).str.to_lowercase(),
        pl.col("phone").cast(pl.String),
        _parsed_score(fans.schema["score"]),
    )
    phones = normalise_phones(fans["phone"])
    return fans.with_columns(phones["phone"], phones["country_code"].alias(COUNTRY_CODE))


def tag_rows(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.Series:
    """Return the tag bits of normalised fans, each looked at by itself (see `rules.tag_bits`)."""
    return tag_bits(rule_inputs(fans, policy))


def rule_inputs(fans: pl.DataFrame, policy: ScrubPolicy) -> pl.DataFrame:
    """Return the columns that the rules ask for.

    These are global_user_id and phone (empty for null), score, country_code, abroad_allowed,
    email_valid, email_blocked, domain_blocked and phone_confirmed.
    """
    email = fans["email"].fill_null("")
    emails = parse_emails(email)
    blocked = pl.DataFrame(
        {
            "email_blocked": email.is_in(list(policy.blocked_emails)),
            "domain_blocked": _is_blocked_domain(emails["email_domain"], policy),
        }
    )
    return fans.select(
        pl.col("global_user_id", "phone").fill_null(""),
        "score",
        country_code=COUNTRY_CODE,
        abroad_allowed=policy.allow_intl_phones,
        email_valid=emails["email_valid"],
        phone_confirmed=_is_confirmed(fans.schema),
    ).with_columns(_unless_allowed(blocked, email, policy))


def add_outcome(fans: pl.DataFrame, bits: pl.Series, *, seed: str | pl.Expr) -> pl.DataFrame:
    """Return normalised fans with the `OUTPUT_COLUMNS` and without the internal ones.

    Args:
        fans: normalised fans.
        bits: their final tag bits.
        seed: the campaign's lottery seed, or an expression that yields the seed of each row.
    """
    score, ids = pl.col("score"), pl.col("global_user_id").fill_null("")
    campaign = pl.col("campaign_id").fill_null("")
    # A series, because an expression would be evaluated once for each band.
    numbers = fans.select(lottery_expr(ids, seed=seed, campaign_id=campaign)).to_series()
    return fans.drop(INTERNAL_COLUMNS).with_columns(
        band=band_name(score),
        band_score=band_score(score, pl.lit(numbers)),
        verdict=verdicts(bits),
        tags=tag_lists(bits),
    )


def _parsed_score(dtype: pl.DataType) -> pl.Expr:
    score = pl.col("score")
    # The cast also accepts "nan" and "inf", which are not within 0..1 either.
    number = (strip(score) if dtype == pl.String else score).cast(pl.Float64, strict=False)
    return pl.when(number.is_between(0, 1)).then(without_negative_zero(number)).alias("score")


def _stripped_lists(schema: pl.Schema) -> list[pl.Expr]:
    market_ids = pl.col("market_ids")
    return (
        [market_ids.list.eval(strip(pl.element()))]
        if schema.get("market_ids") == pl.List(pl.String)
        else []
    )


def _is_confirmed(schema: pl.Schema) -> pl.Expr:
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


def _is_blocked_domain(domains: pl.Series, policy: ScrubPolicy) -> pl.Series:
    distinct = domains.unique().alias("domain").to_frame()
    labels = distinct.with_columns(pl.col("domain").str.split(".").alias("labels"))
    parents = (
        pl.col("labels").list.tail(count).list.join(".").is_in(blocked)
        for count, blocked in policy.domains_by_labels.items()
    )
    matches = labels.filter(pl.any_horizontal(pl.lit(value=False), *parents))["domain"]
    return domains.is_in(matches.implode())


def _unless_allowed(blocked: pl.DataFrame, email: pl.Series, policy: ScrubPolicy) -> pl.DataFrame:
    """Return the flags, cleared for addresses that an allowed pattern matches."""
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
