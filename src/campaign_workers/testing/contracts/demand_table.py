"""Contract of `DemandTable`."""

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.codes import NO_MARKET
from campaign_workers.domain.errors import RetryLater
from campaign_workers.ports.tables import DemandTable, SelectedEvent
from campaign_workers.testing.contracts._base import Contract, Outage, examples_share_fixtures
from campaign_workers.testing.strategies import codes, market_ids

Events = Mapping[str, SelectedEvent]

FIRST = SelectedEvent(code="CODE1", date="2026-10-01T00:00:00Z")
SECOND = SelectedEvent(code="CODE2", date="2026-10-02T00:00:00.500Z")

events = st.dictionaries(
    market_ids() | st.just(NO_MARKET),
    st.builds(SelectedEvent, code=codes(), date=st.just("2026-10-01T00:00:00Z")),
    max_size=3,
)
steps = st.lists(st.tuples(st.sampled_from(("select", "replace")), events), max_size=6)

CALLS: dict[str, Callable[[DemandTable], object]] = {
    "select": lambda table: table.select("g1", "tour", {"nyc": FIRST}),
    "replace": lambda table: table.replace("g1", "tour", {"nyc": FIRST}),
    "read": lambda table: table.read("g1", "tour"),
}


class DemandTableContract(Contract):
    """Fixtures: `table`; `fresh_id`, which returns an unused id; `outage`."""

    def test_events_are_stored_by_market(self, table: DemandTable) -> None:
        """Selecting for one market keeps the events of the others."""
        table.select("g1", "tour", {"nyc": FIRST})
        table.select("g1", "tour", {NO_MARKET: SECOND})
        assert table.read("g1", "tour") == {"nyc": FIRST, NO_MARKET: SECOND}

    def test_replacing_removes_former_events(self, table: DemandTable) -> None:
        """After a replacement the item has exactly the given events, even none."""
        table.select("g1", "tour", {"nyc": FIRST, "chi": SECOND})
        table.replace("g1", "tour", {"chi": FIRST})
        assert table.read("g1", "tour") == {"chi": FIRST}
        table.replace("g1", "tour", {})
        assert table.read("g1", "tour") == {}

    def test_unknown_fans_have_no_item(self, table: DemandTable) -> None:
        """Items belong to one fan and one campaign, and reading creates none."""
        table.select("g1", "tour", {"nyc": FIRST})
        assert table.read("g2", "tour") is None
        assert table.read("g1", "other") is None
        assert table.read("g2", "tour") is None

    def test_ids_may_contain_any_character(self, table: DemandTable) -> None:
        """Ids with slashes of different fans and campaigns do not collide."""
        table.select("a/b", "c", {"nyc": FIRST})
        table.select("a", "b/c", {"nyc": SECOND})
        assert table.read("a/b", "c") == {"nyc": FIRST}
        assert table.read("a", "b/c") == {"nyc": SECOND}

    @examples_share_fixtures
    @given(history=steps, repeats=st.integers(1, 3))
    def test_a_history_equals_a_dictionary(
        self,
        table: DemandTable,
        fresh_id: Callable[[], str],
        history: list[tuple[str, dict[str, SelectedEvent]]],
        repeats: int,
    ) -> None:
        """Repeated steps have the same result as with a dictionary."""
        fan = fresh_id()
        expected: dict[str, SelectedEvent] | None = None
        for step, given_events in history:
            for _ in range(repeats):
                getattr(table, step)(fan, "tour", given_events)
            current = expected if step == "select" and expected else {}
            expected = {**current, **given_events}
        assert table.read(fan, "tour") == expected

    @pytest.mark.parametrize("call", CALLS)
    def test_an_outage_raises_retry_later(
        self, table: DemandTable, outage: Outage, call: str
    ) -> None:
        """While the table fails, calls raise `RetryLater`; afterwards they succeed."""
        with outage(), pytest.raises(RetryLater):
            CALLS[call](table)
        CALLS[call](table)
