"""Candidates the slow way: record by record, with dictionaries."""

from collections.abc import Iterable, Mapping
from typing import Any

from campaign_workers.domain.campaigns import CampaignType
from campaign_workers.domain.records.record import Record, read_record

Rows = list[dict[str, Any]]
ALIASES = ("userId", "memberId", "email")


def expected_candidates(
    kept: Iterable[Mapping[str, Any]], kind: CampaignType, held: Mapping[str, Mapping[str, str]]
) -> Rows:
    """What an entry service has to say of these records, fans with `held` codes included."""
    read = [read_record(record) for record in kept]
    registered = registrations([record for record in read if record.type == "registration"])
    scores = scores_by_fan([record for record in read if record.type == "scoring"], registered)
    rows = [row_of(fan, registered.get(fan), scores[fan], kind, held) for fan in sorted(scores)]
    return [row for row in rows if row["verdict"] == 1 and row["raw_score"] is not None
            and row["market_ids"]]  # fmt: skip


def registrations(records: Iterable[Record]) -> dict[str, Record]:
    """The registration that counts for each fan."""
    by_user: dict[str, Record] = {}
    for record in records:
        user = record.fields["userId"]
        by_user[user] = max(by_user.get(user, record), record, key=stamp)
    by_fan: dict[str, Record] = {}
    for _, record in sorted(by_user.items()):
        if fan := record.fields["globalUserId"]:
            by_fan[fan] = max(by_fan.get(fan, record), record, key=stamp)
    return by_fan


def scores_by_fan(
    records: Iterable[Record], registered: Mapping[str, Record]
) -> dict[str, dict[str, Record]]:
    """The score that counts for each fan and source."""
    by_place: dict[tuple[str, str, str], Record] = {}
    for record in records:
        name = next(name for name in ("globalUserId", *ALIASES) if record.fields[name])
        place = record.fields["source"], name, record.fields[name].lower()
        by_place[place] = max(by_place.get(place, record), record, key=stamp)
    scored = [record for record in by_place.values() if record.fields["globalUserId"]]
    found: dict[str, dict[str, Record]] = {}
    for record in by_place.values():
        fan = record.fields["globalUserId"] or owner(record, registered.values(), scored)
        if fan:
            source = record.fields["source"]
            mine = found.setdefault(fan, {})
            mine[source] = max(mine.get(source, record), record, key=stamp)
    return found


def owner(record: Record, *known: Iterable[Record]) -> str | None:
    """Whose score a nameless one is: of who registered with its id, else of who was scored."""
    for alias in ALIASES:
        wanted = (record.fields[alias] or "").lower()
        for records in known:
            having = [
                other.fields["globalUserId"]
                for other in records
                if wanted and (other.fields[alias] or "").lower() == wanted
            ]
            if having:
                return min(having)
    return None


def row_of(
    fan: str,
    entry: Record | None,
    scores: Mapping[str, Record],
    kind: CampaignType,
    held: Mapping[str, Mapping[str, str]],
) -> dict[str, Any]:
    """The row of one fan."""
    order = ("scored", "fanlist") if kind is CampaignType.REGISTRATION else ("fanlist", "scored")
    first = next(scores[source] for source in order if source in scores)
    said = {source: scores[source].fields for source in scores}
    mine = entry.fields if entry else {}
    band = first.fields["bandScore"]
    wishes = mine["marketIds"] if entry else next(
        (said[source]["marketIds"] for source in order if said.get(source, {}).get("marketIds")), []
    )  # fmt: skip

    def any_of(name: str, *sources: Mapping[str, Any]) -> Any:
        return next((source[name] for source in sources if source.get(name)), None)

    scored, listed = said.get("scored", {}), said.get("fanlist", {})
    return {
        "global_user_id": fan,
        "member_id": any_of("memberId", mine, scored, listed),
        "email": any_of("email", scored, mine, listed),
        "phone": any_of("phone", scored, mine, listed),
        "first_name": any_of("firstName", mine),
        "last_name": any_of("lastName", mine),
        "locale": any_of("locale", mine),
        "market_ids": wishes,
        "raw_score": first.fields["score"],
        "score": first.fields["score"] if band is None else band,
        "verdict": first.fields["verdict"],
        "previously_selected": fan in held,
        "opt_in_sms": mine.get("optInSms"),
        "codes": [{"market_id": m, "code": c} for m, c in sorted(held.get(fan, {}).items())],
    }


def stamp(record: Record) -> tuple[Any, ...]:
    """Which of two records for the same place counts: the larger."""
    return record.created, record.fields.get("verdict", 0), record.dedupe_key
