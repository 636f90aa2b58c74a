"""saveSelection: each fan has the code once, the demand table and the queue agree."""

import json
import logging
from collections import Counter
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.codes import verdict_messages
from campaign_workers.domain.errors import RetryLater
from campaign_workers.domain.records.record import read_record
from campaign_workers.testing.builders import assignment, batch, code_assignment
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from tests.selection_scenes import event, refresh, save, snapshot
from tests.worlds import World, contents, messages, rejection_reasons

WORKER = "saveSelection"


def test_an_assignment_is_stored_shown_and_told() -> None:
    """The entry store has the code, the demand table shows it, the queue hears of the fan."""
    world = World()
    sent = code_assignment("g1", "CODE1")
    report = save(world, batch([sent]))
    assert report.counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    ((code, _),) = world.entries.codes("tour", ["g1"])["g1"].values()
    assert code == "CODE1"
    assert world.demand.read("g1", "tour") == {"nyc": event("CODE1")}
    (message,) = messages(world.verdicts)
    assert len(message.pop("messageId")) == 32
    assert message == {
        "campaignId": "tour",
        "count": 1,
        "assignments": [{"globalUserId": "g1", "marketId": "nyc"}],
    }


def test_a_fan_may_have_a_code_in_several_markets_and_in_none() -> None:
    """Markets add up in one item; a code without a market is shown under `_`."""
    world = World()
    markets = {"nyc": "A", "lax": "TM", None: "C"}
    sent = [code_assignment("g1", code, marketId=market) for market, code in markets.items()]
    save(world, batch(sent[:1]))
    save(world, batch(sent[1:]))
    assert world.demand.read("g1", "tour") == {
        "nyc": event("A"),
        "lax": event("TM"),
        "_": event("C"),
    }


def test_any_number_of_fans_have_the_placeholder() -> None:
    """`TM` is selected, stored and sent like a code, and any number of fans have it."""
    world = World()
    report = save(world, batch(code_assignment(f"g{n}", "TM") for n in range(3)))
    assert report.counts["out"] == 3
    assert world.demand.read("g2", "tour") == {"nyc": event("TM")}
    assert messages(world.verdicts)[0]["count"] == 3


def test_what_the_entry_store_refuses_is_kept_with_its_reason() -> None:
    """A refused assignment changes neither the demand table nor the verdict queue."""
    world = World()
    world.entries.assign_codes("tour", [assignment("g0", "TAKEN"), assignment("g2", "MINE")])
    records = [
        code_assignment("g1", "TAKEN"),
        code_assignment("g2", "OTHER"),
        code_assignment("g3", "FREE"),
    ]
    report = save(world, batch(records))
    assert report.counts == {"in": 3, "out": 1, "rejected": 2, "duplicates": 0}
    assert rejection_reasons(world.lake, WORKER) == [
        "assigned elsewhere",
        "the fan has another code for this market",
    ]
    assert world.demand.read("g1", "tour") is None
    assert world.demand.read("g2", "tour") is None
    assert messages(world.verdicts)[0]["assignments"] == [{"globalUserId": "g3", "marketId": "nyc"}]


def test_a_dirty_batch_is_sorted() -> None:
    """Copies count once; what is no selection or names no campaign is kept with its reason."""
    world = World()
    records: list[Any] = [
        code_assignment(),
        code_assignment(created="2026-09-21T00:00:00Z"),
        code_assignment("g2", "B", campaignId=None),
        code_assignment("🎤" * 129, "C"),
        b"{not json",
        {"type": "registration"},
        refresh("g9"),
        refresh("g1"),
        refresh("g1"),
    ]
    report = save(world, batch(records))
    assert report.counts == {"in": 9, "out": 2, "rejected": 5, "duplicates": 2}
    assert not report.imbalances
    assert rejection_reasons(world.lake, WORKER) == [
        "campaignId: missing",
        "globalUserId: more than 512 bytes",
        "not JSON",
        "the fan has no code in this campaign",
        "type: unknown",
    ]


@attrs.define
class Counted:
    """An entry service that notes how many assignments it got at once, of which campaign."""

    world: World
    calls: list[tuple[str, int]] = attrs.field(factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.world.entries, name)

    def assign_codes(self, campaign_id: str, assignments: Any) -> Any:
        """As the entry service."""
        self.calls.append((campaign_id, len(assignments)))
        return self.world.entries.assign_codes(campaign_id, assignments)


def test_assignments_go_in_batches_of_25_by_campaign() -> None:
    """Campaigns are never mixed in a call or a message."""
    world = World()
    entries = Counted(world)
    sent = [code_assignment(f"g{n}", f"C{n}", campaignId=f"c{n % 2}") for n in range(60)]
    save(world, batch(sent), entries=entries)
    assert entries.calls == [("c0", 25), ("c0", 5), ("c1", 25), ("c1", 5)]
    told = [(message["campaignId"], message["count"]) for message in messages(world.verdicts)]
    assert told == entries.calls


def test_a_copy_of_a_later_date_changes_nothing() -> None:
    """The first assignment sets the date; a copy created later does not change it."""
    world = World()
    save(world, batch([code_assignment()]))
    save(world, batch([code_assignment(created="2026-09-25T00:00:00Z")]))
    assert world.demand.read("g1", "tour") == {"nyc": event("CODE1")}
    once, twice = messages(world.verdicts)
    assert once == twice


def test_codes_show_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is warned about by the key under which it is kept."""
    world = World()
    world.entries.assign_codes("tour", [assignment("g0", "SECRETCODE")])
    with caplog.at_level(logging.DEBUG):
        save(world, batch([code_assignment("g-secret", "SECRETCODE")]))
    (key,) = contents(world.lake)
    assert key in caplog.text
    assert "secret" not in caplog.text.lower()


def test_the_queue_hears_nothing_before_all_is_stored() -> None:
    """A batch that fails midway sends no message, so its halves send each verdict once."""
    world = World()
    world.demand.faults.fail_next(RetryLater("busy"))
    with pytest.raises(RetryLater):
        save(world, batch([code_assignment()]))
    assert messages(world.verdicts) == []


fans = st.sampled_from(["g1", "g2", "g3"])
selections = st.lists(
    st.one_of(
        st.builds(
            code_assignment,
            fans,
            st.sampled_from(["A", "B", "TM"]),
            marketId=st.sampled_from(["nyc", None]),
        ),
        st.builds(refresh, fans),
    ),
    max_size=12,
)


@given(selections, st.integers(0, 12))
def test_a_second_delivery_is_as_one(records: list[dict[str, Any]], cut: int) -> None:
    """Whole or in pieces, a batch that comes again leaves stores as they were."""
    once, again = World(), World()
    whole = batch(records)
    report = save(once, whole)
    assert not report.imbalances
    save(again, whole)
    for part in (whole.records[:cut], whole.records[cut:]):
        save(again, attrs.evolve(whole, records=part))
    stores_once, _, told_once = snapshot(once)
    stores_again, _, told_again = snapshot(again)
    assert stores_again == stores_once
    assert fans_told(told_again) == fans_told(told_once)


@given(selections)
def test_the_demand_table_shows_what_the_entry_store_has(records: list[dict[str, Any]]) -> None:
    """After any batch, events and codes of every fan are the same; a code has one fan."""
    world = World()
    save(world, batch(records))
    held = world.entries.codes("tour", ["g1", "g2", "g3"])
    holders: Counter[str] = Counter()
    for fan in ("g1", "g2", "g3"):
        shown = world.demand.read(fan, "tour") or {}
        codes = {market: code for market, (code, _) in held.get(fan, {}).items()}
        assert {market: event.code for market, event in shown.items()} == codes
        holders.update(set(codes.values()) - {"TM"})
    assert set(holders.values()) <= {1}


def fans_told(told: list[dict[str, Any]]) -> set[tuple[str, str | None]]:
    """Who the queue heard of."""
    return {
        (entry["globalUserId"], entry.get("marketId"))
        for message in told
        for entry in message["assignments"]
    }


def test_it_may_be_killed_at_any_call() -> None:
    """Killed before or after any port call and run again, it ends as one clean run."""

    def build(wrap: Any) -> CrashCase:
        world = World(wrap)
        world.entries.assign_codes("tour", [assignment("g0", "TAKEN"), assignment("g5", "SHOWN")])
        records = batch(
            [
                code_assignment("g1", "A"),
                code_assignment("g2", "B", campaignId="other"),
                code_assignment("g3", "TAKEN"),
                code_assignment("g4", "TM", marketId=None),
                refresh("g5"),
                b"{not json",
            ]
        )
        return CrashCase(run=lambda: save(world, records), snapshot=lambda: snapshot(world))

    assert assert_survives_every_kill(build) >= 20


@pytest.mark.parametrize("mark", ["\ufffe", "\uffff", "\x00", "聡", "\U0010ffff"])
def test_no_id_stops_the_queue(mark: str) -> None:
    """The queue accepts the message whatever characters an id has."""
    world = World()
    fans = [f"g{mark}1", "g2"]
    report = save(world, batch(code_assignment(fan, "TM", marketId=mark) for fan in fans))
    assert report.counts["out"] == 2
    (message,) = messages(world.verdicts)
    assert [(a["globalUserId"], a["marketId"]) for a in message["assignments"]] == [
        (fan, mark) for fan in fans
    ]


def test_messages_stay_below_their_limit() -> None:
    """Verdicts over the size limit are split over messages, each fan in one of them."""
    records = [read_record(code_assignment(f"g{n}", f"C{n}")) for n in range(100)]
    bodies = list(verdict_messages("tour", records, limit=1000))
    assert len(bodies) > 5
    assert all(len(body.encode()) < 1000 for body in bodies)
    told = [json.loads(body) for body in bodies]
    assert len({message["messageId"] for message in told}) == len(told)
    assert [a["globalUserId"] for m in told for a in m["assignments"]] == [
        f"g{n}" for n in range(100)
    ]
    assert sum(message["count"] for message in told) == 100
    assert list(verdict_messages("tour", [])) == []
