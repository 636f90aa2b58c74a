"""The laws of the scrub, each for any file and any policy."""

from collections import Counter
from typing import Any

import attrs
import polars as pl
from hypothesis import assume, event, given
from hypothesis import strategies as st

from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.domain.scrub.duplicates import resolve_duplicates
from campaign_workers.domain.scrub.scrubbing import add_outcome, normalise_fans, tag_rows
from tests.scrub_oracle import (
    OUT,
    Row,
    fan_rows,
    files,
    frame,
    policies,
    rows_by_hand,
    situations_of,
)
from tests.situations import assert_reached

COMPETING = {"duplicateFan", "duplicatePhone"}


REACHED = {
    "duplicateFan": 0.5,
    "duplicateFan decided by score": 0.3,
    "duplicateFan decided by e-mail": 0.1,
    "duplicateFan decided by phone": 0.05,
    "duplicateFan decided by position": 0.1,
    "duplicatePhone": 0.15,
    "duplicatePhone decided by score": 0.08,
    "duplicatePhone decided by globalUserId": 0.05,
    "a dirty row above the winner": 0.1,
    "a fan in two campaigns": 0.2,
    "a lesser row of a fan above the winner of its phone": 0.04,
    "a phone in two campaigns": 0.2,
    "fans who share a phone that is not valid": 0.1,
    **dict.fromkeys(("missingFan", "invalidScore", "invalidEmail", "internationalPhone"), 0.05),
    **dict.fromkeys(("blockedDomain", "blockedEmail"), 0.03),
    **dict.fromkeys(("missingPhone", "invalidPhone", "unconfirmedPhone"), 0.1),
}
"""The least share of files in which each situation of the laws below occurs."""


def test_files_reach_every_situation() -> None:
    """Fans and phones compete in most files, and each rule and each tie-break decides in some."""
    assert_reached(st.tuples(files, policies), situations_of, REACHED)


def scrubbed(rows: list[Row], policy: ScrubPolicy) -> list[Row]:
    return scrub(frame(rows), policy).collect().to_dicts()


def outcome(row: Row) -> tuple[Any, ...]:
    """What ranks a row, and what became of it; rows equal in the former may change places."""
    ranked = ("campaign_id", "score", "global_user_id", "email", "phone")
    decided = tuple(tag for tag in row["tags"] if tag in OUT)
    return (*(row[name] or "" for name in ranked), row["band_score"], row["verdict"], decided)


def blank(value: Any) -> Any:
    return "" if value is None else value


@given(files, policies)
def test_the_columns_agree_with_the_rules_read_row_by_row(
    rows: list[Row], policy: ScrubPolicy
) -> None:
    """Every value and every tag is what the rules give, read one row at a time."""
    for situation in situations_of((rows, policy)):
        event(situation)
    expected = rows_by_hand(rows, policy)
    texts = ("global_user_id", "campaign_id", "email", "phone")
    for row, wanted in zip(scrubbed(rows, policy), expected, strict=True):
        assert {**row, **{name: blank(row[name]) for name in texts}} == {
            **{name: wanted[name] for name in texts},
            **{name: wanted[name] for name in ("score", "band", "verdict")},
            "phone_confirmed": row["phone_confirmed"],
            "band_score": wanted["band_score"],
            "tags": row["tags"],
        }
        assert set(row["tags"]) == wanted["tags"]


@given(files, policies)
def test_no_row_vanishes(rows: list[Row], policy: ScrubPolicy) -> None:
    """Every row that came in goes out, in its place, with what nobody asked about untouched."""
    numbered = frame(rows).with_row_index("line")
    out = scrub(numbered, policy).collect()
    assert out["line"].to_list() == list(range(len(rows)))
    assert out["phone_confirmed"].equals(numbered["phone_confirmed"])


@given(files, policies)
def test_the_verdict_is_one_exactly_without_a_disqualifying_tag(
    rows: list[Row], policy: ScrubPolicy
) -> None:
    """Nothing but the tags decides."""
    for row in scrubbed(rows, policy):
        assert row["verdict"] == int(not OUT.intersection(row["tags"]))


@given(files, policies)
def test_scrubbing_the_output_again_changes_nothing(rows: list[Row], policy: ScrubPolicy) -> None:
    """A scrubbed file is its own scrubbed file."""
    once = scrub(frame(rows), policy).collect()
    assert once.equals(scrub(once, policy).collect())


@given(files, policies, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_outcome(
    rows: list[Row], policy: ScrubPolicy, chance: Any
) -> None:
    """Where a row stands in the file does not matter, rows equal in everything aside."""
    there = scrubbed(rows, policy)
    elsewhere = scrubbed(chance.sample(rows, len(rows)), policy)
    assert Counter(map(outcome, there)) == Counter(map(outcome, elsewhere))


@given(files, policies, st.data())
def test_removing_a_row_that_its_own_tags_disqualify_changes_no_other_row(
    rows: list[Row], policy: ScrubPolicy, data: st.DataObject
) -> None:
    """A row that is out by itself, or as one of its fan's lesser rows, has no say elsewhere.

    Losing a phone to another fan is no tag of the row's own: without that row, its fan would come
    back with the next one.
    """
    before = scrubbed(rows, policy)
    out = [
        at
        for at, row in enumerate(before)
        if OUT.intersection(row["tags"]) and "duplicatePhone" not in row["tags"]
    ]
    assume(out)
    gone = data.draw(st.sampled_from(out))
    after = scrubbed(rows[:gone] + rows[gone + 1 :], policy)
    assert before[:gone] + before[gone + 1 :] == after


@given(files, policies, st.data())
def test_blocking_an_address_never_turns_its_rows_zero_into_a_one(
    rows: list[Row], policy: ScrubPolicy, data: st.DataObject
) -> None:
    """A blocklist only ever takes away."""
    before = scrubbed(rows, policy)
    assume(before)
    blocked = data.draw(st.sampled_from([row["email"] or "" for row in before]))
    stricter = attrs.evolve(policy, blocked_emails=policy.blocked_emails | {blocked})
    for was, now in zip(before, scrubbed(rows, stricter), strict=True):
        if was["email"] == blocked:
            assert now["verdict"] <= was["verdict"]


@given(files, policies)
def test_at_most_one_row_of_a_fan_and_of_a_phone_is_in(
    rows: list[Row], policy: ScrubPolicy
) -> None:
    """In one campaign nobody is in twice, neither as a fan nor on a phone."""
    winners = [row for row in scrubbed(rows, policy) if row["verdict"]]
    fans = [(blank(row["campaign_id"]), row["global_user_id"]) for row in winners]
    phones = [
        (blank(row["campaign_id"]), row["phone"])
        for row in winners
        if not {"missingPhone", "invalidPhone"}.intersection(row["tags"])
    ]
    assert (len(set(fans)), len(set(phones))) == (len(fans), len(phones))


@given(files, policies, st.integers(1, 5), st.integers(1, 3))
def test_a_file_in_batches_is_scrubbed_as_the_whole_file(
    rows: list[Row], policy: ScrubPolicy, size: int, keys_per_pass: int
) -> None:
    """However a file is cut into batches, the outcome is that of one frame."""
    whole = frame(rows)
    batches = list(normalise_fans(whole).iter_slices(size))
    tags = [tag_rows(batch, policy) for batch in batches]
    tags = resolve_duplicates(lambda: batches, tags, keys_per_pass=keys_per_pass)
    done = [
        add_outcome(batch, bits, seed=policy.lottery_seed)
        for batch, bits in zip(batches, tags, strict=True)
    ] or [scrub(whole, policy).collect()]
    assert pl.concat(done).equals(scrub(whole, policy).collect())


@given(st.lists(fan_rows(), min_size=1, max_size=1), policies)
def test_a_single_fan_is_a_frame_of_height_one(rows: list[Row], policy: ScrubPolicy) -> None:
    """Alone, a fan never loses to anybody."""
    (row,) = scrubbed(rows, policy)
    assert not COMPETING.intersection(row["tags"])
