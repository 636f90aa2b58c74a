"""The scrub as its rules read: one row after the other, every pair of rows compared.

Slow and plain on purpose; the columnar rules have to agree with it. Most rows are clean and the
pools are small, so that rows of one fan, one phone and one score meet in most files.
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
COMPETITIONS = (("duplicateFan", "global_user_id"), ("duplicatePhone", "phone"))
"""The tag of the rows that lose, and the column whose values they compete for."""

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
    """Return the scrubbed rows, by the rules read row by row."""
    done = [_alone(row, policy) for row in rows]
    for tag, key in COMPETITIONS:
        for rivals in _rivals(done, key):
            best = min(rivals, key=_ranking)
            for row in rivals:
                if row is not best:
                    row["tags"] = row["tags"] | {tag}
    return [{**row, "verdict": int(not OUT & row["tags"])} for row in done]


def _rivals(rows: list[Row], key: str) -> list[list[Row]]:
    """Return the clean rows that compete with each other, in the order of the file."""
    rivals: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if not OUT & row["tags"] and (key != "phone" or row["valid"]):
            rivals.setdefault((row["campaign_id"], row[key]), []).append(row)
    return list(rivals.values())


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
        "unconfirmedPhone": confirmed.lower() in ("", "false", "no", "0"),
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


def situations_of(case: tuple[list[Row], ScrubPolicy]) -> set[str]:
    """Return what happens in a file: its tags, how each competition is decided, and who is near.

    A competition is decided by the first of score, globalUserId, e-mail and phone that differs
    between the winner and the next row, or by the position if none does.
    """
    rows, policy = case
    done = [_alone(row, policy) for row in rows]
    by_itself = [set(row["tags"]) for row in done]
    found = {tag for tags in by_itself for tag in tags}
    for tag, key in COMPETITIONS:
        for rivals in _rivals(done, key):
            best, *others = sorted(rivals, key=_ranking)
            if others:
                found |= {tag, f"{tag} decided by {_criterion(best, others[0])}"}
            for row in others:
                row["tags"] = row["tags"] | {tag}
    winners = [row for row in done if not OUT & row["tags"]]
    for row, own in zip(done, by_itself, strict=True):
        for winner in winners:
            found |= _encounters(row, own, winner)
    return found


def _criterion(best: Row, other: Row) -> str:
    names = ("score", "globalUserId", "e-mail", "phone")
    pairs = zip(names, _ranking(best), _ranking(other), strict=True)
    return next((name for name, one, two in pairs if one != two), "position")


def _encounters(row: Row, own_tags: set[str], winner: Row) -> set[str]:
    """Return what would go wrong between a row and a winner if a rule were missing."""
    if row is winner:
        return set()
    same_campaign, same_fan, same_phone = (
        row[name] == winner[name] for name in ("campaign_id", "global_user_id", "phone")
    )
    is_better = row["score"] is not None and _ranking(row) < _ranking(winner)
    is_winner = not OUT & row["tags"]
    encounters = {
        "a fan in two campaigns": same_fan and not same_campaign and is_winner,
        "a phone in two campaigns": same_phone and winner["valid"] and not same_campaign,
        "a dirty row above the winner": bool(OUT & own_tags) and is_better,
        "a lesser row of a fan above the winner of its phone": (
            "duplicateFan" in row["tags"] and same_phone and row["valid"] and is_better
        ),
        "fans who share a phone that is not valid": same_phone and not row["valid"] and is_winner,
    }
    return {
        name
        for name, happens in encounters.items()
        if happens and (same_campaign or "two campaigns" in name)
    }


def _padded(*texts: str) -> tuple[str, ...]:
    """Return each text mostly plain and sometimes with white space around it."""
    return (*texts * 4, *(f" {text}\t" for text in texts), *(f"\u00a0{text}" for text in texts))


CLEAN: dict[str, st.SearchStrategy[str | None]] = {
    "global_user_id": st.sampled_from(_padded("g1", "g1", "g2", "g2", "g3", "G1")),
    "campaign_id": st.sampled_from(_padded("c1", "c1", "c1", "c1", "c1", "c1", "c2")),
    "email": st.sampled_from(
        _padded("ann@x.co", "Ann@X.CO", "bob@y.org", "fay@z.net", "fay@z.net")
    ),
    "phone": st.sampled_from(
        _padded("+12125550123", "(212) 555-0123", "+16475550123", "n/a", "n/a")
    ),
    "score": st.sampled_from(_padded("0.5", ".50", "5e-1", ".8", "0.80", "0.95", "1")),
    "phone_confirmed": st.sampled_from(_padded("2026-09-01T00:00:00Z", "true", "true", "")),
}
"""Values that leave a row clean; a blocklist may still name its address."""

ODD: dict[str, st.SearchStrategy[str | None]] = {
    "global_user_id": st.sampled_from((None, "", " ")),
    "campaign_id": st.sampled_from((None, "", "c3")),
    "email": st.sampled_from(
        (
            None, "", "cyd@spam.io", "dan@sub.spam.io", "eve@notspam.io", "no address",
            "a..b@x.co", "e@bücher.de", "vip@spam.io", "VIP@spam.io ",
        )
    ),
    "phone": st.sampled_from(
        (
            None, "", "", "n/a", "212.555.0123 x9", "+5215512345678", "+525512345678",
            "+442079460958", "+1 999 555 0123", "+1 999 555 0123",
        )
    ),
    "score": st.sampled_from(
        (None, "", "0", "-0", "0.22", "95e-2", "1.0", "1.01", "nan", "abc", "-0.1", "0.1")
    ),
    "phone_confirmed": st.sampled_from((None, "", "0", "No", " FALSE ")),
}  # fmt: skip
"""Values that put a row out, or that the rules treat in a way of their own."""

_ODD_COLUMNS = (
    *((name,) for name in ODD),
    ("phone",),
    ("phone",),
    ("email", "phone"),
    ("phone", "score"),
)


@st.composite
def fan_rows(draw: st.DrawFn) -> Row:
    """A row of a scored file: two of three are clean, the others odd in one or two columns."""
    row: Row = draw(st.fixed_dictionaries(CLEAN))
    for name in draw(st.sampled_from(((),) * 2 * len(_ODD_COLUMNS) + _ODD_COLUMNS)):
        row[name] = draw(ODD[name])
    return row


files = st.lists(fan_rows(), min_size=7, max_size=18) | st.lists(fan_rows(), max_size=12)

policies = st.builds(ScrubPolicy, lottery_seed=st.sampled_from(["", "s", "t"])) | st.builds(
    ScrubPolicy,
    blocked_emails=st.sets(st.sampled_from(["ANN@x.co ", "bob@y.org", "vip@spam.io"])),
    blocked_domains=st.sets(st.sampled_from(["spam.io", "@Y.org", "x.co", "bücher.de", "io"])),
    allowed_patterns=st.sets(st.sampled_from(["vip@*", "*@Y.ORG", "[ab]??@*"])).map(tuple),
    allow_intl_phones=st.booleans(),
    lottery_seed=st.sampled_from(["", "s", "t"]),
)
