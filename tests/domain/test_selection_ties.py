"""Selection at its edges: many fans, equal lottery numbers, missing facts, representations."""

import polars as pl
import pytest

from campaign_workers.domain.lottery import lottery_numbers
from campaign_workers.domain.selection import (
    MarketQuota,
    SelectionOptions,
    candidates,
    select_fans,
)
from tests.selection_worlds import Fan, World


def test_equal_lottery_numbers_go_to_the_smaller_id(monkeypatch: pytest.MonkeyPatch) -> None:
    """If two fans had one lottery number, the order of rows would still decide nothing."""
    monkeypatch.setattr(
        candidates, lottery_numbers.__name__, lambda ids, **_: pl.zeros(len(ids), eager=True)
    )
    pair = tuple(Fan(fan=name, score=0.5, markets=("ams",)) for name in ("g2", "g1"))
    for fans in (pair, pair[::-1]):
        world = World(fans=fans, limits={"ams": 1}, options=SelectionOptions())
        assert world.picks() == {("g1", "ams", 0)}


def test_preference_counts_before_the_order_of_any_number_of_fans() -> None:
    """The last of 200 fans goes before the first one where the market is the first choice."""
    many = [Fan(fan=f"g{n}", score=1 - n / 1000, markets=("ber", "ams")) for n in range(200)]
    last = Fan(fan="g999", score=0.1, markets=("ams",))
    options = SelectionOptions(order_by_preference=True)
    world = World(fans=(*many, last), limits={"ams": 1}, options=options)
    assert world.picks() == {("g999", "ams", 0)}


def test_a_fan_without_a_word_on_earlier_selections_takes_part() -> None:
    """A null in `previously_selected` does not shut a fan out."""
    world = World(
        fans=(Fan(fan="g1", score=0.5, markets=("ams",)),),
        limits={"ams": 1},
        options=SelectionOptions(),
    )
    unknown = pl.lit(None, dtype=pl.Boolean).alias("previously_selected")
    rows = world.candidates().with_columns(unknown)
    picks = select_fans(rows, [MarketQuota("ams", 1)], world.options).picks
    assert picks["global_user_id"].to_list() == ["g1"]


def test_a_selection_does_not_show_its_fans() -> None:
    """The representation of a selection, which logs may hold, has no id of a fan."""
    fans = (Fan(fan="fan-of-the-artist", score=0.5, markets=("ams",)),)
    selection = World(fans=fans, limits={"ams": 1}, options=SelectionOptions()).select()
    assert len(selection.picks) == 1
    assert "fan-of" not in repr(selection)
