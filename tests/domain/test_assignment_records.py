"""Code assignment records of whole frames equal those of single rows."""

from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.codes import CODE_ASSIGNMENT, partition_key
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.records.record import parse_record, read_record
from campaign_workers.domain.records.types import iso_utc
from campaign_workers.domain.running.events import validate_record
from campaign_workers.domain.waves.assignment_records import assignment_records, rejected_rows
from campaign_workers.domain.waves.config import WaveConfig
from campaign_workers.domain.waves.files import Registrant
from campaign_workers.testing.builders import CREATED
from campaign_workers.testing.machines.wave_world import config

CONFIG = WaveConfig.parse(config(categoryId=-7), file="config")
COLUMNS = ("globalUserId", "memberId", "marketId", "code", "reason")

cells = st.one_of(
    st.sampled_from(["", " ", "TM", " TM\x1c", "g1", "\u00a0g1", "C" * 256, "C" * 257, "é" * 257]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
columns = st.permutations(COLUMNS).flatmap(
    lambda names: st.integers(0, 3).map(lambda n: ["globalUserId", *names[n:]])
)


@st.composite
def files(draw: st.DrawFn) -> list[dict[str, str]]:
    """Draw the rows of one file, with or without each column."""
    names = list(dict.fromkeys(draw(columns)))
    return draw(st.lists(st.fixed_dictionaries(dict.fromkeys(names, cells)), min_size=1))


def build_record_of_row(row: dict[str, str]) -> tuple[str, bytes]:
    """Return the record of a row by the rules for a single row, as a slow oracle."""
    registrant = Registrant.parse(row, 2)
    if not registrant.code:
        raise RejectRecord("missing", field="code")
    record = read_record(
        {
            "type": CODE_ASSIGNMENT,
            "campaignId": CONFIG.campaign_id,
            "categoryId": CONFIG.category_id,
            "globalUserId": registrant.global_user_id,
            "memberId": registrant.member_id or None,
            "marketId": registrant.market_id or None,
            "code": registrant.code,
            "created": iso_utc(CREATED),
        }
    )
    return validate_record(partition_key(record), record.to_bytes())


@given(files())
def test_frames_and_single_rows_give_the_same_records(rows: list[dict[str, str]]) -> None:
    """Records, partition keys and rejection reasons are the same."""
    put, refused = [], []
    for row in rows:
        try:
            key, data = build_record_of_row(row)
            put.append((key, parse_record(data)))
        except RejectRecord as why:
            refused.append({**row, "reason": why.reason})
    frame = pl.DataFrame(rows)
    found: list[Any] = assignment_records(frame, CONFIG, CREATED).rows()
    assert [(key, parse_record(data)) for key, data, _ in found] == put
    assert [dedupe_key for _, _, dedupe_key in found] == [record.dedupe_key for _, record in put]
    assert list(rejected_rows(frame)) == refused
