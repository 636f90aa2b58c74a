"""How often the strategies of workers and stores reach what their laws are about."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from campaign_workers.domain.campaigns import CampaignType
from campaign_workers.domain.codes import AssignmentOutcome
from campaign_workers.domain.records.record import read_record
from campaign_workers.domain.scrub import ScrubPolicy, scrub
from campaign_workers.testing.contracts import candidates
from tests import candidate_oracle, offer_code_scenes
from tests.contracts.test_fake_machines import CodePoolInMemory
from tests.journeys import test_merging_days_and_months
from tests.situations import assert_reached
from tests.workers import (
    test_generate_sms_wave_codes_again,
    test_load_code_assignments_to_stream,
    test_process_scheduled_wave,
    test_process_scored_files,
    test_save_campaign_data,
    test_save_selection,
)

Rows = list[dict[str, Any]]


@attrs.frozen
class Suite:
    """A strategy, what its cases reach, the least share of each situation, and how many cases."""

    strategy: st.SearchStrategy[Any]
    situations_of: Callable[[Any], Iterator[str]]
    minimum: Mapping[str, float]
    count: int = 150


def of_candidates(kept: Rows) -> Iterator[str]:
    rows, by_list = (
        candidate_oracle.expected_candidates(kept, kind, {})
        for kind in (CampaignType.REGISTRATION, CampaignType.FANLIST)
    )
    read = [read_record(record) for record in kept]
    registered = candidate_oracle.registrations([r for r in read if r.type == "registration"])
    scores = [record for record in read if record.type == "scoring"]
    named = [record for record in scores if record.fields["globalUserId"]]
    if rows:
        yield "several candidates" if len(rows) > 1 else "one candidate"
    if any(row["global_user_id"] in registered for row in rows):
        yield "a candidate who registered"
    if rows != by_list:
        yield "the type of the campaign decides"
    for record in scores:
        if record not in named:
            owner = candidate_oracle.owner(record, registered.values(), named)
            yield "a score finds its fan" if owner else "a score waits for its fan"
    fans = candidate_oracle.scores_by_fan(scores, registered)
    if any(len(sources) > 1 for sources in fans.values()):
        yield "a fan scored by both sources"


def of_scored_files(rows: list[dict[str, str]]) -> Iterator[str]:
    columns = ("globalUserId", "email", "phone", "score")
    ours = ("global_user_id", "email", "phone", "score")
    frame = pl.DataFrame(
        {name: [row[wire] for row in rows] for name, wire in zip(ours, columns, strict=True)}
    ).with_columns(campaign_id=pl.lit("tour"))
    for tags in scrub(frame, ScrubPolicy()).collect()["tags"]:
        yield from tags


def of_records(records: list[Any]) -> Iterator[str]:
    right = [read_record(record).dedupe_key for record in records if isinstance(record, dict)]
    yield from ("junk" for record in records if isinstance(record, bytes))
    yield from ("a record" for _ in right)
    if len(set(right)) < len(right):
        yield "a record twice"


def of_merging(steps: list[tuple[str, str]]) -> Iterator[str]:
    marks = "".join(step[:2] for step, _ in steps)
    arrived, _, after = marks.partition("me")
    if "ar" in arrived and "ar" in after:
        yield "a file after a merge"
    if "ar" in arrived and "mo" in after:
        yield "a move after a merge"
    if "ar" in arrived and "ar" in after.partition("mo")[2]:
        yield "a file after a move"


def of_selections(records: Rows) -> Iterator[str]:
    given = [record for record in records if record["type"] == "codeAssignment"]
    places = Counter((record["globalUserId"], record.get("marketId")) for record in given)
    holders = {(record["code"], record["globalUserId"]) for record in given}
    if any(count > 1 for count in places.values()):
        yield "two codes for a market"
    if any(
        count > 1 for code, count in Counter(code for code, _ in holders).items() if code != "TM"
    ):
        yield "a code for two fans"
    if len(given) < len(records):
        yield "a refresh"


def of_generating(wave: list[dict[str, str]]) -> Iterator[str]:
    world = offer_code_scenes.build_offer_code_world(*wave)
    report = offer_code_scenes.generate(world)
    yield from (name for name, count in report.counts.items() if count)


def of_scheduled(wave: list[dict[str, str]]) -> Iterator[str]:
    report = test_process_scheduled_wave.process(test_process_scheduled_wave.build_world(*wave))
    yield from (name for name, count in report.counts.items() if count)


def of_loading(wave: list[dict[str, str]]) -> Iterator[str]:
    world = test_load_code_assignments_to_stream.build_world(*wave)
    report = test_load_code_assignments_to_stream.load(world)
    yield from (name for name, count in report.counts.items() if count)


SUITES: Final = {
    "candidates": Suite(
        candidates.records,
        of_candidates,
        {
            **dict.fromkeys(("one candidate", "several candidates"), 0.1),
            **dict.fromkeys(("a candidate who registered", "a score finds its fan"), 0.1),
            **dict.fromkeys(("a score waits for its fan", "a fan scored by both sources"), 0.1),
            "the type of the campaign decides": 0.06,
        },
    ),
    "scored files": Suite(
        test_process_scored_files.fans,
        of_scored_files,
        {"duplicateFan": 0.5, "duplicatePhone": 0.2, "missingFan": 0.2, "invalidScore": 0.1},
    ),
    "records that arrive": Suite(
        test_save_campaign_data.repeated,
        of_records,
        {"a record": 0.5, "junk": 0.3, "a record twice": 0.15},
    ),
    "merging": Suite(
        test_merging_days_and_months.steps,
        of_merging,
        {
            "a file after a merge": 0.15,
            **dict.fromkeys(("a move after a merge", "a file after a move"), 0.08),
        },
    ),
    "selections": Suite(
        test_save_selection.selections,
        of_selections,
        {"two codes for a market": 0.3, "a code for two fans": 0.15, "a refresh": 0.3},
    ),
    "codes of a wave": Suite(
        st.lists(test_generate_sms_wave_codes_again.rows, max_size=10),
        of_generating,
        {"out": 0.4, "errors": 0.3},
        count=60,
    ),
    "scheduled waves": Suite(
        st.lists(test_process_scheduled_wave.rows, max_size=12),
        of_scheduled,
        {"updated": 0.3, "refused": 0.3, "ignored": 0.3, "alreadyAssigned": 0.04},
        count=60,
    ),
    "triggered waves": Suite(
        st.lists(test_load_code_assignments_to_stream.rows, max_size=12),
        of_loading,
        {"out": 0.4, "duplicates": 0.2, "rejected": 0.3},
        count=60,
    ),
}


@pytest.mark.parametrize("name", SUITES)
def test_cases_reach_every_situation(name: str) -> None:
    """Each situation occurs in its least share of the cases at least."""
    suite = SUITES[name]
    assert_reached(suite.strategy, suite.situations_of, suite.minimum, count=suite.count)


def test_the_machine_of_codes_reaches_every_outcome() -> None:
    """Histories assign, refuse, ask again, reserve again and release what is reserved."""
    reached: Counter[str] = Counter()
    runs: list[None] = []

    class Counted(CodePoolInMemory):
        def __init__(self) -> None:
            super().__init__()
            runs.append(None)
            self.seen: set[str] = set()

        def expected_outcome(
            self, campaign: str, fan: str, market: str | None, code: str
        ) -> AssignmentOutcome:
            outcome = super().expected_outcome(campaign, fan, market, code)
            self.seen.add(outcome.name)
            return outcome

        def own(self, campaign: str, market: str, reserve_id: str) -> set[str]:
            own = super().own(campaign, market, reserve_id)
            self.seen |= {"reserved again"} if own else set()
            return own

        def is_live(self, code: str, reserve_id: str) -> bool:
            is_live = super().is_live(code, reserve_id)
            self.seen |= {"released"} if is_live else set()
            return is_live

        def teardown(self) -> None:
            reached.update(self.seen)
            super().teardown()

    chosen = settings(
        max_examples=150,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Counted, settings=chosen)
    outcomes = ("UPDATED", "ALREADY_ASSIGNED", "REFUSED", "reserved again", "released")
    assert all(reached[name] >= 0.08 * len(runs) for name in outcomes), reached
