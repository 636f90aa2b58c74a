"""Fake of the entry service: registrations, scores, selected fans and their codes.

Registrations and scores are stored separately, each under the id in its record, and joined when
they are read. Of the records with the same key the one with the largest stamp wins, so the same
records in any order, delivered any number of times, end in the same rows.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from campaign_workers.adapters.fakes.campaigns import FakeCampaignService
from campaign_workers.adapters.fakes.faults import Faults, may_fail
from campaign_workers.adapters.fakes.selected_fans import SelectedFans
from campaign_workers.adapters.fakes.tables import Tables, first_of, key_of, prefix_of
from campaign_workers.adapters.fakes.users import FakeUserService
from campaign_workers.domain.codes import Assignment, AssignmentResult
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import Record, parse_record
from campaign_workers.domain.records.types import RECORD_TYPES, parse_utc
from campaign_workers.domain.running.events import StreamBatch
from campaign_workers.domain.stats.admin import (
    MAX_PREFERENCES,
    AdminStats,
    Entry,
    admin_stats,
)
from campaign_workers.ports.entry_service import EligibleQuery
from campaign_workers.ports.system import Clock

if TYPE_CHECKING:
    import polars as pl

Row = dict[str, Any]

PAGE_SIZE: Final = 10_000
BLOCKED_TAGS: Final = frozenset({"blockedEmail", "blockedDomain"})
IDS: Final = ("globalUserId", "userId", "memberId", "email")
"""The ids by which a score may identify its fan, most reliable first."""

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
    """Return the key of a registration, one for each user of a campaign, and its row."""
    key = key_of(record.fields["campaignId"], record.fields["userId"])
    row = _row(record, _REGISTRATION_FIELDS)
    row["stamp"] = [_milliseconds(record), record.dedupe_key]
    return key, row


def score(record: Record) -> tuple[str, Row]:
    """Return the key of a score, one for each id and source in a campaign, and its row.

    Of scores created at the same time, verdict 1 wins over verdict 0: a file may contain a valid
    row of a fan and another one that is rejected as its duplicate.
    """
    fields = record.fields
    name = next(name for name in IDS if fields[name])
    row = _row(record, _SCORE_FIELDS)
    row["stamp"] = [_milliseconds(record), fields["verdict"], record.dedupe_key]
    if not BLOCKED_TAGS.isdisjoint(fields["tags"]):
        row["blocked"] = True
    return key_of(fields["campaignId"], fields["source"], name, fields[name]), row


READERS: Final[Mapping[str, Callable[[Record], tuple[str, Row]]]] = {
    "registration": registration,
    "scoring": score,
}
"""Functions that return the key and the row of a record, by record type."""
_RECORD_TYPES: Final = {name: RECORD_TYPES[name] for name in READERS}


def entry(campaign_id: str, row: Row, codes: Mapping[str, str], *, blocked: bool) -> Entry:
    """Return the entry of a registration."""
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


def _row(record: Record, names: tuple[str, ...]) -> Row:
    """Return the named fields, with at most four unique markets."""
    fields = {**record.fields, "marketIds": _unique_markets(record.fields["marketIds"])}
    return {name: fields[name] for name in names if fields[name] not in (None, "")}


def _milliseconds(record: Record) -> int:
    return (record.created - _EPOCH) // _MILLISECOND


def _unique_markets(market_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, market_ids)))[:MAX_PREFERENCES]


class FakeEntryService:
    """Serves `EntryService` and `EntryRepository` from the records passed to `consume`.

    The entry of a user is the latest registration. The score of a fan is the latest one from the
    source that the campaign prefers. Fans who have a score without a registration are candidates
    too, and fans who get a code without an entry get an entry.
    """

    def __init__(
        self,
        tables: Tables,
        clock: Clock,
        *,
        page_size: int = PAGE_SIZE,
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self._clock = clock
        self._page_size = page_size
        self._campaigns = FakeCampaignService(tables)
        self._users = FakeUserService(tables)
        self._fans = SelectedFans(tables)
        self._rows = {name: tables(f"entries.{name}") for name in READERS}
        self._blocked = tables("entries.blocked")
        self._stats = tables("entries.stats")
        self._atomic = self._stats.atomic

    @may_fail
    def consume(self, batch: StreamBatch) -> None:
        """Store the registrations and scores of a batch; other records are ignored.

        The same records in any order, delivered any number of times, end in the same entries.
        Records that cannot be parsed are ignored too: `saveCampaignData` rejects them.
        """
        rows: dict[str, dict[str, Row]] = {name: {} for name in READERS}
        observations = []
        for record in _parse_records(batch):
            key, row = READERS[record.type](record)
            current = rows[record.type].get(key)
            if current is None or current["stamp"] < row["stamp"]:
                rows[record.type][key] = row
            if record.type == "registration" and record.fields["globalUserId"]:
                fan, user = record.fields["globalUserId"], record.fields["userId"]
                observations.append((fan, user, row["stamp"]))
        with self._atomic():
            self._users.record(observations)
            self._write("registration", rows["registration"])
            self._write_blocked(self._write("scoring", rows["scoring"]))

    @may_fail
    def eligible(self, query: EligibleQuery) -> "Iterator[pl.DataFrame]":
        """See `EntryService.eligible`; pages of equal size, ordered by global user id.

        The whole campaign is joined in memory, which takes about 1 KB for each fan.
        """
        # Imported here, so that processes which only assign codes do not load Polars.
        from campaign_workers.adapters.fakes.candidates import candidates

        with self._atomic():
            campaign = self._campaigns.campaign(query.campaign_id)
            frame = candidates(
                campaign.type,
                query,
                registrations=self._scan("registration", query.campaign_id),
                scores=self._scan("scoring", query.campaign_id),
                fans=self._fans.all(query.campaign_id),
            )
        return frame.iter_slices(self._page_size)

    @may_fail
    def assign_codes(
        self, campaign_id: str, assignments: Sequence[Assignment]
    ) -> Sequence[AssignmentResult]:
        """See `EntryService.assign_codes`."""
        with self._atomic():
            results = self._fans.assign(campaign_id, assignments, self._clock.now())
            self._stats.delete([prefix_of(campaign_id)])
        return tuple(results)

    @may_fail
    def codes(
        self, campaign_id: str, global_user_ids: Collection[str]
    ) -> Mapping[str, Mapping[str, tuple[str, datetime]]]:
        """See `EntryService.codes`; fans without codes are omitted."""
        rows = self._fans.get_many(campaign_id, global_user_ids)
        return {
            fan: {
                market: (given["code"], parse_utc(given["created"]))
                for market, given in row["codes"].items()
            }
            for fan, row in rows.items()
            if row["codes"]
        }

    @may_fail
    def admin_stats(self, campaign_id: str) -> AdminStats:
        """See `EntryRepository.admin_stats`; cached until an entry changes."""
        cached = prefix_of(campaign_id)
        with self._atomic():
            counted = self._stats.get(cached)
            if counted is None:
                counted = admin_stats(self.entries(campaign_id)).to_json()
                self._stats.put(cached, counted)
        return AdminStats.parse(counted)

    def entries(self, campaign_id: str) -> Iterator[Entry]:
        """Yield the entries of a campaign: by user id, then fans who only have a code."""
        coded = {row["globalUserId"]: row for row in self._fans.all(campaign_id) if row["codes"]}
        prefix = prefix_of(campaign_id)
        blocked = {key.removeprefix(prefix) for key, _ in self._blocked.scan(prefix)}
        unregistered = dict(coded)
        for row in self._scan("registration", campaign_id):
            fan = row.get("globalUserId", "")
            unregistered.pop(fan, None)
            codes = _codes(coded[fan]) if fan in coded else {}
            yield entry(campaign_id, row, codes, blocked=fan in blocked)
        for fan, row in unregistered.items():
            yield Entry(
                campaign_id=campaign_id,
                user_id=row["userId"],
                global_user_id=fan,
                blocked=fan in blocked,
                codes=_codes(row),
                created=parse_utc(row["created"]),
            )

    def _scan(self, kind: str, campaign_id: str) -> Iterator[Row]:
        return (row for _, row in self._rows[kind].scan(prefix_of(campaign_id)))

    def _write(self, kind: str, rows: Mapping[str, Row]) -> Mapping[str, Row]:
        """Write the rows that are newer than the stored ones, and return them."""
        known = self._rows[kind].get_many(rows)
        newer = {
            key: row
            for key, row in rows.items()
            if key not in known or known[key]["stamp"] < row["stamp"]
        }
        self._rows[kind].put_many(newer.items())
        self._stats.delete({first_of(key) for key in newer})
        return newer

    def _write_blocked(self, scores: Mapping[str, Row]) -> None:
        """Store which fans are blocked by e-mail or domain, according to their latest scores."""
        fans = {
            f"{first_of(key)}{row['globalUserId']}": row.get("blocked", False)
            for key, row in scores.items()
            if row["source"] == "scored" and "globalUserId" in row
        }
        self._blocked.put_many((key, {}) for key, blocked in fans.items() if blocked)
        self._blocked.delete(key for key, blocked in fans.items() if not blocked)


def _parse_records(batch: StreamBatch) -> Iterator[Record]:
    for record in batch.records:
        try:
            yield parse_record(record.data, _RECORD_TYPES)
        except RejectRecord:
            continue


def _codes(fan: Row) -> dict[str, str]:
    return {market: given["code"] for market, given in fan["codes"].items()}
