"""The files of a prepared wave: one code for each pick, and one message for each pick."""

from typing import Any

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from campaign_workers.domain.campaigns import TicketType
from campaign_workers.domain.codes import TM, is_external
from campaign_workers.domain.csv.rows import CELL_LIMIT, read_rows
from campaign_workers.domain.preparation.request import WaveMarket
from campaign_workers.domain.preparation.wave_files import (
    FAN_COLUMNS,
    WaveFiles,
    build_wave_files,
    candidate_table,
)
from campaign_workers.domain.waves.files import REQUIRED_COLUMNS

MARKETS = tuple(
    WaveMarket(market_id=market, name=market, ticket_type=kind, limit=9)
    for market, kind in (
        ("a", TicketType.TM),
        ("b", TicketType.NON_TM),
        ("c", TicketType.NON_TM),
    )
)
ADDRESSES = ("", "x@mail.example", " X@mail.example", "y@mail.example")
PICK_TYPES = {
    "global_user_id": pl.String,
    "market_id": pl.String,
    "preference_rank": pl.Int64,
    "priority": pl.Float64,
}


@st.composite
def waves(draw: st.DrawFn) -> tuple[dict[str, dict[str, Any]], list[tuple[str, str, int]]]:
    """Draw fans, some with a shared address or a code, and their picks."""
    fans = {
        f"g{number}": {
            "email": draw(
                st.sampled_from(["", "x@mail.example", " X@mail.example", "y@m.example"])
            ),
            "phone": draw(st.sampled_from([None, "+12125550162", "+442071838750", "n/a"])),
            "codes": [
                {"market_id": market, "code": draw(st.sampled_from([f"OLD-{market}-{number}", TM]))}
                for market in draw(st.sets(st.sampled_from("abc")))
            ],
        }
        for number in range(draw(st.sampled_from([3, 4, 6, 1, 0])))
    }
    every = [(fan, market) for market in "abc" for fan in fans]
    fewest = draw(st.sampled_from([0, 1, len(fans), 2 * len(fans)]))
    chosen = draw(st.lists(st.sampled_from(every), min_size=fewest, unique=True)) if every else []
    ranked = [(fan, market, draw(st.integers(0, 3))) for fan, market in sorted(chosen, key=_market)]
    return fans, ranked


def _market(pick: tuple[str, str]) -> str:
    return pick[1]


def build_files(fans: dict[str, dict[str, Any]], picks: list[tuple[str, str, int]]) -> WaveFiles:
    rows = [{"global_user_id": fan, **facts} for fan, facts in fans.items()]
    candidates = candidate_table([pl.DataFrame(rows, schema=FAN_COLUMNS)])
    picked = pl.DataFrame([(*pick, 0.5) for pick in picks], schema=PICK_TYPES, orient="row")
    reserved = {market: [f"NEW-{market}-{n}" for n in range(9)] for market in "bc"}
    return build_wave_files(picked, candidates, MARKETS, reserved, {})


@given(waves())
def test_every_pick_has_one_code_and_keeps_a_code_it_had(wave: Any) -> None:
    """A pick has `TM` or an external code; a held code stays; picks keep their order."""
    fans, picks = wave
    rows = build_files(fans, picks).registrants
    held = {(fan, c["market_id"]): c["code"] for fan in fans for c in fans[fan]["codes"]}
    found = rows.select("global_user_id", "market_id", "code").rows()
    assert [(fan, market) for fan, market, _ in found] == [(fan, m) for fan, m, _ in picks]
    for fan, market, code in found:
        expected = held.get((fan, market), TM if market == "a" else code)
        assert code == expected
        assert (fan, market) in held or market == "a" or code.startswith(f"NEW-{market}-")


@given(waves())
def test_no_external_code_goes_to_two_fans(wave: Any) -> None:
    """An external code is in one row of all master codes."""
    codes = [code for code in build_files(*wave).registrants["code"] if is_external(code)]
    assert len(codes) == len(set(codes))


@given(waves())
def test_reserved_codes_are_used_in_order(wave: Any) -> None:
    """Unused codes are the last ones of the reservation."""
    files = build_files(*wave)
    for market in "bc":
        fresh = sorted(code for code in files.codes_of(market) if code.startswith("NEW"))
        assert fresh == [f"NEW-{market}-{n}" for n in range(len(fresh))]


@given(waves())
def test_every_address_gets_an_email_for_each_of_its_markets(wave: Any) -> None:
    """TM: each address once; NON_TM: each address and market once, unless TM serves it."""
    files = build_files(*wave)
    rows = files.registrants.select("email", "market_id", "code").rows()
    served = {(email, market) for email, market, code in rows if email and code == TM}
    won = {(email, market) for email, market, code in rows if email and code != TM}
    assert sorted({email for email, _ in served}) == files.tm_emails()["email"].to_list()
    told = files.external_emails().select("email", "market_id").rows()
    assert sorted(won - served) == told


@given(waves())
def test_texts_go_to_north_american_numbers_only(wave: Any) -> None:
    """`smsSELECTED` has exactly the picks with a North American number."""
    fans, picks = wave
    expected = [fan for fan, _, _ in picks if fans[fan]["phone"] == "+12125550162"]
    assert build_files(fans, picks).text_recipients()["global_user_id"].to_list() == expected


WRITTEN = ("first_name", "last_name", "locale", "email", "phone")


@given(st.fixed_dictionaries(dict.fromkeys(WRITTEN, st.text() | st.just("x" * (CELL_LIMIT + 1)))))
@example(dict.fromkeys(WRITTEN, "\0a"))
def test_a_fans_own_data_cannot_make_the_file_unreadable(written: dict[str, str]) -> None:
    """The wave workers can read the file of codes with all of its registrants."""
    files = build_files({"g1": written, "g2": {}}, [("g1", "a", 0), ("g2", "a", 0)])
    content = dict(files.members())["masterCodes/a.csv"]
    rows = read_rows(content, file="wave", required=REQUIRED_COLUMNS)
    assert [row.cells["globalUserId"] for row in rows] == ["g1", "g2"]
