"""Code assignments on their way from a wave file to the entry store."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

import attrs

from campaign_workers.domain.codes import TM, Assignment
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records import Record

CODE_ASSIGNMENT: Final = "codeAssignment"
SELECTION_REFRESH: Final = "selectionRefresh"

LONGEST_ID: Final = 512
"""Bytes of an id in UTF-8: well within what the demand table takes in a key."""

_Item = TypeVar("_Item")


def partition_key(record: Record) -> str:
    """The code, so that all that happens to it keeps its order; the fan's id for `TM`."""
    code: str = record.fields["code"]
    return record.fields["globalUserId"] if code == TM else code


def without_user(records: Iterable[Record]) -> list[str]:
    """Global user ids of the records that lack a user id, each once."""
    return _each_once(r.fields["globalUserId"] for r in records if not r.fields["userId"])


def without_campaign(records: Iterable[Record]) -> list[int]:
    """Category ids of the records that lack a campaign id, each once."""
    return _each_once(
        record.fields["categoryId"]
        for record in records
        if not record.fields["campaignId"] and record.fields["categoryId"] is not None
    )


def completed(
    record: Record, user_ids: Mapping[str, str], campaign_ids: Mapping[int, str]
) -> Record:
    """The record with the ids that it lacked, under the key that it had.

    Raises:
        RejectRecord: nobody knows its user or its campaign.
    """
    fields = dict(record.fields)
    fields["userId"] = fields["userId"] or user_ids.get(fields["globalUserId"])
    fields["campaignId"] = fields["campaignId"] or campaign_ids.get(fields["categoryId"])
    for name, known_by in (("userId", "globalUserId"), ("campaignId", "categoryId")):
        if not fields[name]:
            raise RejectRecord(f"missing, and not known by the {known_by}", field=name)
    return attrs.evolve(record, fields=fields)


def check_ids(record: Record) -> None:
    """See that the record can be stored.

    Raises:
        RejectRecord: it names no campaign, or an id is too long for any store.
    """
    if not record.fields["campaignId"]:
        raise RejectRecord("missing", field="campaignId")
    for name in ("campaignId", "globalUserId", "marketId", "code"):
        if len((record.fields.get(name) or "").encode()) > LONGEST_ID:
            raise RejectRecord(f"more than {LONGEST_ID} bytes", field=name)


def assignment(record: Record) -> Assignment:
    """The request to give the fan the code."""
    fields = record.fields
    return Assignment(
        global_user_id=fields["globalUserId"],
        code=fields["code"],
        market_id=fields["marketId"] or None,
        user_id=fields["userId"] or None,
        created=record.created,
    )


def by_campaign(records: Iterable[Record], size: int) -> Iterator[tuple[str, list[Record]]]:
    """Batches of at most `size` records of one campaign each, in the order of their campaigns."""
    campaigns: dict[str, list[Record]] = {}
    for record in records:
        campaigns.setdefault(record.fields["campaignId"], []).append(record)
    for campaign_id, members in campaigns.items():
        for members_at_once in in_batches(members, size):
            yield campaign_id, list(members_at_once)


def in_batches(items: Sequence[_Item], size: int) -> Iterator[Sequence[_Item]]:
    """`items` in runs of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _each_once(items: Iterable[_Item]) -> list[_Item]:
    return list(dict.fromkeys(items))
