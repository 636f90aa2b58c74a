"""The scrub as its rules read: one row after the other, every pair of rows compared.

Slow and plain on purpose; the columnar rules have to agree with it. The pools are small, so that
fans, phones and scores meet often.
"""

import hashlib
import re
from fnmatch import fnmatchcase
from typing import Any

import email_validator
import phonenumbers
import polars as pl
from hypothesis import strategies as st

from campaign_workers.domain.scrub import ScrubPolicy

Row = dict[str, Any]

BANDS = (("high", 0.95, 1.0), ("mid", 0.80, 0.95), ("low", 0.22, 0.80))
OUT = {
    "missingFan",
    "invalidScore",
    "invalidEmail",
    "blockedEmail",
    "blockedDomain",
    "internationalPhone",
    "duplicateFan",
    "duplicatePhone",
}
SCHEMA = {
    "global_user_id": pl.String,
    "campaign_id": pl.String,
    "email": pl.String,
    "phone": pl.String,
    "score": pl.String,
    "phone_confirmed": pl.String,
}


def frame(rows: list[Row]) -> pl.DataFrame:
    """Rows as the scrub takes them."""
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def read_phone(text: str) -> tuple[str, int | None] | None:
    """What libphonenumber says, the old Mexican mobile form read as the new one."""
    try:
        number = phonenumbers.parse(text, "US")
    except phonenumbers.NumberParseException:
        return None
    written = f"+{number.country_code}{phonenumbers.national_significant_number(number)}"
    if re.fullmatch(r"\+521\d{10}", written):
        number = phonenumbers.parse(f"+52{written[4:]}", "US")
    if not phonenumbers.is_valid_number(number):
        return None
    form = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return form, number.country_code


def phone_by_hand(text: str) -> tuple[str, int | None]:
    """E.164 and country code, provided that the E.164 form reads as the same number."""
    text = text.strip()
    found = read_phone(text)
    return found if found and read_phone(found[0]) == found else (text, None)


def email_by_hand(text: str) -> bool:
    """What email-validator says."""
    try:
        email_validator.validate_email(text, check_deliverability=False)
    except email_validator.EmailNotValidError:
        return False
    return True


def score_by_hand(text: str | float | None) -> float | None:
    """Plain decimal notation within 0..1."""
    if text is None:
        return None
    if isinstance(text, str):
        text = text.strip()
        if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text, re.ASCII):
            return None
    return float(text) if 0 <= float(text) <= 1 else None


def band_by_hand(score: float | None, fan: str, campaign: str, seed: str) -> tuple[Any, Any]:
    """Band and band score."""
    if score is None:
        return None, None
    digest = hashlib.sha256(f"{seed}:{campaign}:{fan}".encode()).hexdigest()
    number = (int(digest, 16) >> 203) / 2**53
    for name, lower, upper in BANDS:
        if score >= lower:
            return name, min(lower + (upper - lower) * number, upper - 2**-53)
    return "none", score


def rows_by_hand(rows: list[Row], policy: ScrubPolicy) -> list[Row]:
    """The scrub, row by row."""
    done = [_alone(row, policy) for row in rows]
    for tag, key in (("duplicateFan", "global_user_id"), ("duplicatePhone", "phone")):
        clean = [
            row for row in done if not OUT & row["tags"] and (tag == "duplicateFan" or row["valid"])
        ]
        for row in clean:
            rivals = [
                other
                for other in clean
                if other[key] == row[key] and other["campaign_id"] == row["campaign_id"]
            ]
            if min(rivals, key=_ranking) is not row:
                row["tags"] = row["tags"] | {tag}
                row["gives_way"] = True
    return [{**row, "verdict": int(not OUT & row["tags"])} for row in done]


def _ranking(row: Row) -> tuple[Any, ...]:
    return -row["score"], row["global_user_id"], row["email"], row["phone"]


def _alone(row: Row, policy: ScrubPolicy) -> Row:
    fan, campaign, email, phone, confirmed = (
        (row[name] or "").strip()
        for name in ("global_user_id", "campaign_id", "email", "phone", "phone_confirmed")
    )
    email = email.lower()
    phone, code = phone_by_hand(phone)
    score = score_by_hand(row["score"])
    domain = email.rpartition("@")[2] if "@" in email else ""
    parents = {domain[at:] for at in range(len(domain)) if at == 0 or domain[at - 1] == "."}
    allowed = any(fnmatchcase(email, pattern) for pattern in policy.allowed_patterns)
    tags = {
        "missingFan": not fan,
        "invalidScore": score is None,
        "invalidEmail": not email_by_hand(email),
        "blockedEmail": email in policy.blocked_emails and not allowed,
        "blockedDomain": bool(parents & policy.blocked_domains) and not allowed,
        "internationalPhone": code not in (None, 1) and not policy.allow_intl_phones,
        "missingPhone": not phone,
        "invalidPhone": bool(phone) and code is None,
        "unconfirmedPhone": not confirmed,
    }
    band, band_score = band_by_hand(score, fan, campaign, policy.lottery_seed)
    return {
        "global_user_id": fan,
        "campaign_id": campaign,
        "email": email,
        "phone": phone,
        "valid": code is not None,
        "score": score,
        "tags": {tag for tag, holds in tags.items() if holds},
        "band": band,
        "band_score": band_score,
    }


def _padded(*texts: str) -> st.SearchStrategy[str | None]:
    pad = st.sampled_from(["", "", "", " ", "\t", "\u00a0"])
    return st.none() | st.builds(
        lambda left, text, right: f"{left}{text}{right}", pad, st.sampled_from(texts), pad
    )


fan_rows = st.fixed_dictionaries(
    {
        "global_user_id": _padded("", "g1", "g2", "g3", "G1"),
        "campaign_id": _padded("", "c1", "c1", "c1", "c2"),
        "email": _padded(
            "", "ann@x.co", "Ann@X.CO", "bob@y.org", "cyd@spam.io", "dan@sub.spam.io",
            "eve@notspam.io", "no address", "a..b@x.co", "e@bücher.de", "vip@spam.io",
        ),
        "phone": _padded(
            "", "+12125550123", "(212) 555-0123", "212.555.0123 x9", "+16475550123", "n/a",
            "+5215512345678", "+525512345678", "+442079460958", "+1 999 555 0123",
        ),
        "score": _padded(
            "", "0", "-0", "0.22", ".8", "0.95", "1", "1.0", "95e-2", "0.5", "1.01", "nan", "abc",
        ),
        "phone_confirmed": _padded("", "2026-09-01T00:00:00Z"),
    }
)  # fmt: skip

files = st.lists(fan_rows, max_size=14)

policies = st.builds(
    ScrubPolicy,
    blocked_emails=st.sets(st.sampled_from(["ANN@x.co ", "bob@y.org", "vip@spam.io"])),
    blocked_domains=st.sets(st.sampled_from(["spam.io", "@Y.org", "x.co", "bücher.de", "io"])),
    allowed_patterns=st.sets(st.sampled_from(["vip@*", "*@Y.ORG", "[ab]??@*"])).map(tuple),
    allow_intl_phones=st.booleans(),
    lottery_seed=st.sampled_from(["", "s", "t"]),
)
