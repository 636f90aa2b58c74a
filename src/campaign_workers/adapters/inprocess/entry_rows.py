"""What the entry store keeps of a record, and which of two records counts.

Registrations and scores are kept apart, each under the id that its record carries, and are joined
when they are read. Of the records for one place the one with the largest stamp stays. So any
records in any order, as often as they come, end in the same rows.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from campaign_workers.adapters.inprocess.keys import key_of
from campaign_workers.domain.entries import Entry
from campaign_workers.domain.records import Record
from campaign_workers.domain.stats import MAX_PREFERENCES

Row = dict[str, Any]

BLOCKED_TAGS: Final = frozenset({"blockedEmail", "blockedDomain"})
IDS: Final = ("globalUserId", "userId", "memberId", "email")
"""How a score names its fan, the surest first."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_REGISTRATION_FIELDS: Final = (
    "userId", "globalUserId", "memberId", "email", "phone", "firstName", "lastName", "locale",
    "marketIds", "optInEmail", "optInSms", "phoneConfirmed", "referrerCode",
)  # fmt: skip
_SCORE_FIELDS: Final = (
    "globalUserId", "userId", "memberId", "email", "phone", "score", "bandScore", "verdict",
    "marketIds", "source",
)  # fmt: skip


def registration(record: Record) -> tuple[str, Row]:
    """The place of a registration, one for each user of a campaign, and its row."""
    key = key_of(record.fields["campaignId"], record.fields["userId"])
    row = _kept(record, _REGISTRATION_FIELDS)
    row["stamp"] = [_milliseconds(record), record.dedupe_key]
    return key, row


def score(record: Record) -> tuple[str, Row]:
    """The place of a score, one for each id and source in a campaign, and its row.

    Of scores made at the same moment one with verdict 1 counts before one with 0: a file may hold
    a fan's clean row and another one that is out for being the duplicate.
    """
    fields = record.fields
    name = next(name for name in IDS if fields[name])
    row = _kept(record, _SCORE_FIELDS)
    row["stamp"] = [_milliseconds(record), fields["verdict"], record.dedupe_key]
    if not BLOCKED_TAGS.isdisjoint(fields["tags"]):
        row["blocked"] = True
    return key_of(fields["campaignId"], fields["source"], name, fields[name]), row


READERS: Final[Mapping[str, Callable[[Record], tuple[str, Row]]]] = {
    "registration": registration,
    "scoring": score,
}
"""The types of record that the store takes, and how each gets its place and its row."""


def entry(campaign_id: str, row: Row, codes: Mapping[str, str], *, blocked: bool) -> Entry:
    """A registration as an entry."""
    return Entry(
        campaign_id=campaign_id,
        user_id=row["userId"],
        global_user_id=row.get("globalUserId"),
        member_id=row.get("memberId"),
        email=row.get("email", ""),
        phone=row.get("phone"),
        first_name=row.get("firstName", ""),
        last_name=row.get("lastName", ""),
        locale=row.get("locale"),
        market_ids=tuple(row.get("marketIds", ())),
        opt_in_email=row.get("optInEmail", False),
        opt_in_sms=row.get("optInSms", False),
        phone_confirmed="phoneConfirmed" in row,
        referrer_code=row.get("referrerCode"),
        blocked=blocked,
        codes=codes,
        created=_EPOCH + row["stamp"][0] * _MILLISECOND,
    )


def _kept(record: Record, names: tuple[str, ...]) -> Row:
    """The fields that are kept, of the wanted markets each once and at most four."""
    fields = {**record.fields, "marketIds": _wanted(record.fields["marketIds"])}
    return {name: fields[name] for name in names if fields[name] not in (None, "")}


def _milliseconds(record: Record) -> int:
    return (record.created - _EPOCH) // _MILLISECOND


def _wanted(market_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, market_ids)))[:MAX_PREFERENCES]
