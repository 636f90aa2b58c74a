"""How often the strategies of the rules reach what their laws are about.

The suites of scrub and selection count for themselves, beside their laws.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
import pytest
from hypothesis import strategies as st

from campaign_workers.testing.strategies import entries
from tests.domain import (
    reached,
    test_assignment_records,
    test_bands,
    test_codes,
    test_csv_files,
    test_csv_frames,
    test_emails,
    test_phones,
    test_ranks,
    test_scrub_wildcards,
    test_texting_hours,
    test_wave_files,
    test_wire,
)
from tests.record_strategies import wire_records
from tests.situations import assert_reached


@attrs.frozen
class Suite:
    """A strategy, what its cases reach, and the least share of each situation."""

    strategy: st.SearchStrategy[Any]
    situations_of: Callable[[Any], Iterator[str]]
    minimum: Mapping[str, float]


SUITES: Final = {
    "bands": Suite(
        st.tuples(test_bands.scores, test_bands.numbers, test_bands.scores, test_bands.numbers),
        reached.bands,
        {
            **dict.fromkeys(("high", "mid", "low", "none"), 0.08),
            **dict.fromkeys(("two fans in one band", "two fans in two bands"), 0.2),
        },
    ),
    "ranks": Suite(
        st.tuples(test_ranks.columns, test_ranks.formulas),
        reached.ranks,
        {
            **dict.fromkeys((*test_ranks.SCORING_TYPES, "exponential with half-life"), 0.03),
            **dict.fromkeys(("high", "mid", "low", "equal ranks"), 0.2),
            **dict.fromkeys(("N is the number of rows", "N is the largest rank"), 0.2),
            "a rank on a bound": 0.1,
            "invalid ranks among valid ones": 0.06,
        },
    ),
    "codes": Suite(
        test_codes.requests,
        reached.codes,
        {
            "UPDATED": 0.5,
            "ALREADY_ASSIGNED": 0.15,
            "assigned elsewhere": 0.25,
            "the fan has another code for this market": 0.1,
        },
    ),
    "coded rows": Suite(
        test_assignment_records.files(),
        reached.coded_rows,
        {"a record": 0.3, "rejected for its code": 0.2, "rejected for its globalUserId": 0.2},
    ),
    "texting hours": Suite(
        st.tuples(
            test_texting_hours._hours, test_texting_hours._moments, test_texting_hours._zones
        ),
        reached.texting_hours,
        {
            **dict.fromkeys(("open", "open later", "over midnight", "within a day"), 0.2),
            **dict.fromkeys(("never open", "open later in several zones"), 0.04),
        },
    ),
    "waves in texting hours": Suite(
        st.tuples(
            test_texting_hours._hours,
            test_texting_hours._waves,
            test_texting_hours._moments,
            test_texting_hours._spacings,
        ),
        reached.wave_hours,
        {
            "fits": 0.4,
            "does not fit": 0.07,
            "several spaced texts fit": 0.2,
            "spaced texts of two zones fit": 0.05,
        },
    ),
    "phones": Suite(
        st.lists(st.none() | test_phones.texts),
        reached.phones,
        {"country code 1": 0.12, "foreign": 0.2, "not valid": 0.4, "null": 0.2},
    ),
    "emails": Suite(st.lists(test_emails.texts), reached.emails, {"valid": 0.3, "not valid": 0.4}),
    "csv files as frames": Suite(
        st.tuples(test_csv_frames.files, st.sampled_from(["\t", ","])),
        reached.csv_frames,
        {
            **dict.fromkeys(("read", "refused", "refused after some rows"), 0.15),
            **dict.fromkeys(("several rows and columns", "quotes"), 0.08),
            **dict.fromkeys(("refused: cells, got", "refused: well-formed CSV"), 0.06),
            "refused: NUL": 0.02,
        },
    ),
    "csv tables": Suite(
        test_csv_files.tables,
        reached.csv_tables,
        {
            **dict.fromkeys(("quote", "comma", "line break", "tab", "a formula"), 0.15),
            "a guard of the fan's own": 0.1,
        },
    ),
    "headers": Suite(
        test_wire.headers, reached.headers, {"renamed": 0.3, "both spellings of a name": 0.15}
    ),
    "entries": Suite(
        st.lists(entries()),
        reached.stats_entries,
        {
            **dict.fromkeys(("five wishes", "blocked", "codes", "no referrer code"), 0.2),
            **dict.fromkeys(("no locale", "two entries on a day"), 0.2),
        },
    ),
    "wildcards": Suite(
        st.tuples(test_scrub_wildcards.pairs, test_scrub_wildcards.pairs),
        reached.wildcards,
        {
            "a match": 0.5,
            "no match": 0.5,
            **dict.fromkeys(("a match of *", "a match of ?", "a match of [a"), 0.15),
            "a match of [!": 0.1,
        },
    ),
    "wave files": Suite(
        test_wave_files.waves(),
        reached.wave_files,
        {
            "a held code": 0.25,
            **dict.fromkeys(("a new code of a", "a new code of b", "a new code of c"), 0.12),
            **dict.fromkeys(("a fan with two picks", "two fans with an address"), 0.15),
        },
    ),
    "records": Suite(
        wire_records(),
        reached.records,
        {
            **dict.fromkeys(("null", "an unknown field"), 0.15),
            "scoring": 0.03,
            "registration": 0.03,
        },
    ),
}


@pytest.mark.parametrize("name", SUITES)
def test_cases_reach_every_situation(name: str) -> None:
    """Each situation occurs in its least share of the cases at least."""
    suite = SUITES[name]
    assert_reached(suite.strategy, suite.situations_of, suite.minimum, count=200)
