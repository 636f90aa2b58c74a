"""What the drawn cases of the rules reach, one function for each suite of laws."""

import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import polars as pl

from campaign_workers.domain.codes import Assignment
from campaign_workers.domain.errors import RejectRecord
from campaign_workers.domain.ranks import RankFormula
from campaign_workers.domain.stats.admin import Entry
from campaign_workers.domain.waves.texting_hours import hours_conflict
from campaign_workers.domain.wire import from_wire, to_snake
from tests.domain import (
    test_assignment_records,
    test_bands,
    test_codes,
    test_csv_frames,
    test_texting_hours,
)
from tests.scrub_oracle import email_by_hand, phone_by_hand


def bands(case: tuple[float, float, float, float]) -> Iterator[str]:
    score, number, rival, other = case
    (band, _), (below, _) = test_bands.add_bands(score, number), test_bands.add_bands(rival, other)
    yield str(band)
    yield "two fans in one band" if band == below else "two fans in two bands"


def ranks(case: tuple[list[int | None], RankFormula]) -> Iterator[str]:
    column, formula = case
    valid = [rank for rank in column if rank is not None and rank >= 1]
    yield formula.scoring_type if formula.half_life is None else "exponential with half-life"
    if not valid:
        return
    if len(valid) != len(set(valid)):
        yield "equal ranks"
    if len(valid) < len(column):
        yield "invalid ranks among valid ones"
    places = max(len(valid), *valid)
    yield "N is the number of rows" if len(valid) >= max(valid) else "N is the largest rank"
    for rank in valid:
        fraction = (rank - 1) / places
        yield "high" if fraction <= 0.05 else "mid" if fraction <= 0.2 else "low"
        if fraction in {0.05, 0.2}:
            yield "a rank on a bound"


def codes(history: list[Assignment]) -> Iterator[str]:
    book = test_codes.CodePool()
    for request in history:
        result = book.assign(request)
        yield result.reason or result.outcome.name


def coded_rows(rows: list[dict[str, str]]) -> Iterator[str]:
    for row in rows:
        try:
            test_assignment_records.build_record_of_row(row)
        except RejectRecord as why:
            yield f"rejected for its {why.field}"
        else:
            yield "a record"


def texting_hours(case: Any) -> Iterator[str]:
    hours, now, zones = case
    opening = hours.next_opening(now, zones)
    yield "open" if opening == now else "open later" if opening else "never open"
    if opening and opening > now and len(zones) > 1:
        yield "open later in several zones"
    yield "over midnight" if hours.start > hours.end else "within a day"


def wave_hours(case: Any) -> Iterator[str]:
    hours, groups, start, every = case
    fits = hours_conflict(hours, groups, start, every) is None
    yield "fits" if fits else "does not fit"
    order = list(test_texting_hours.simulate_texts(hours, groups, start, every, "America/New_York"))
    if fits and every and len(order) > 1:
        yield "several spaced texts fit"
        if len({zones for _, zones in order}) > 1:
            yield "spaced texts of two zones fit"


def phones(texts: list[str | None]) -> Iterator[str]:
    for text in texts:
        code = None if text is None else phone_by_hand(text)[1]
        yield "not valid" if code is None else "country code 1" if code == 1 else "foreign"
        if text is None:
            yield "null"


def emails(texts: list[str]) -> Iterator[str]:
    for text in texts:
        yield "valid" if email_by_hand(text) else "not valid"


def csv_frames(case: tuple[bytes, str]) -> Iterator[str]:
    data, delimiter = case
    columns, rows, refusal = test_csv_frames.as_rows(data, delimiter)
    yield "read" if refusal is None else "refused"
    if refusal is None and len(columns) > 1 and len(rows) > 1:
        yield "several rows and columns"
    if refusal is None and rows and b'"' in data:
        yield "quotes"
    if refusal is not None and rows:
        yield "refused after some rows"
    yield from (
        f"refused: {why}"
        for why in ("cells, got", "NUL", "well-formed CSV")
        if why in (refusal or "")
    )


def csv_tables(table: tuple[list[str], list[dict[str, str]]]) -> Iterator[str]:
    cells = [cell for row in table[1] for cell in row.values()]
    text = "".join(cells)
    yield from (
        name
        for name, mark in {"quote": '"', "comma": ",", "line break": "\n", "tab": "\t"}.items()
        if mark in text
    )
    if any(cell.startswith(("=", "+", "-", "@")) for cell in cells):
        yield "a formula"
    if any(re.match("'+[=+@-]", cell) for cell in cells):
        yield "a guard of the fan's own"


def headers(header: list[str]) -> Iterator[str]:
    if from_wire(pl.DataFrame({name: [name] for name in header})).columns != header:
        yield "renamed"
    if len({to_snake(name) for name in header}) < len(header):
        yield "both spellings of a name"


def stats_entries(kept: list[Entry]) -> Iterator[str]:
    yield from ("five wishes" for entry in kept if len(entry.market_ids) > 4)
    yield from ("blocked" for entry in kept if entry.blocked)
    yield from ("codes" for entry in kept if entry.codes)
    yield from ("no referrer code" for entry in kept if entry.referrer_code == "")
    yield from ("no locale" for entry in kept if not entry.locale)
    if len({entry.created.date() for entry in kept}) < len(kept):
        yield "two entries on a day"


def wildcards(case: tuple[tuple[str, str], tuple[str, str]]) -> Iterator[str]:
    (pattern, text), (_, other) = case
    for candidate in (text, text[1:], text[:-1], f"{text}a", other):
        matches = fnmatchcase(candidate, pattern)
        yield "a match" if matches else "no match"
        yield from (f"a match of {mark}" for mark in ("*", "?", "[a", "[!") if mark in pattern)


def wave_files(wave: Any) -> Iterator[str]:
    fans, picks = wave
    held = {(fan, code["market_id"]) for fan in fans for code in fans[fan]["codes"]}
    for fan, market, _ in picks:
        yield "a held code" if (fan, market) in held else f"a new code of {market}"
    if len({fan for fan, _, _ in picks}) < len(picks):
        yield "a fan with two picks"
    addresses = Counter(fans[fan]["email"].strip().lower() for fan in {pick[0] for pick in picks})
    if any(count > 1 for address, count in addresses.items() if address):
        yield "two fans with an address"


def records(record: dict[str, Any]) -> Iterator[str]:
    yield record["type"]
    yield from ("null" for value in record.values() if value is None)
    yield from ("an unknown field" for name in record if name.startswith("x-"))
