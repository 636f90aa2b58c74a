"""Admin statistics: independent of order, and equal to counting each figure on its own."""

from datetime import timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.stats import AdminStats, admin_stats
from campaign_workers.domain.stats.admin import MAX_PREFERENCES, Entry
from campaign_workers.testing.builders import entry
from campaign_workers.testing.strategies import OPENS, entries


def count_by_hand(kept: list[Entry]) -> AdminStats:
    """Count each figure in a pass of its own."""
    markets = {market for e in kept for market in e.market_ids[:MAX_PREFERENCES]}
    days = {e.created.date().isoformat() for e in kept}
    locales = {e.locale or "unknown" for e in kept}
    return AdminStats(
        total=len(kept),
        confirmed_phones=len([e for e in kept if e.phone_confirmed]),
        opted_in_email=len([e for e in kept if e.opt_in_email]),
        opted_in_sms=len([e for e in kept if e.opt_in_sms]),
        blocked=len([e for e in kept if e.blocked]),
        referred=len([e for e in kept if e.referrer_code]),
        with_code=len([e for e in kept if e.codes]),
        by_day={d: len([e for e in kept if f"{e.created:%Y-%m-%d}" == d]) for d in days},
        by_locale={lo: len([e for e in kept if (e.locale or "unknown") == lo]) for lo in locales},
        by_market={
            market: tuple(
                len([e for e in kept if e.market_ids[rank : rank + 1] == (market,)])
                for rank in range(MAX_PREFERENCES)
            )
            for market in markets
        },
    )


@given(st.lists(entries()))
def test_the_fold_agrees_with_counting_by_hand(kept: list[Entry]) -> None:
    """Every figure is the number of its entries."""
    assert admin_stats(kept) == count_by_hand(kept)


@given(st.lists(entries()).flatmap(lambda kept: st.tuples(st.just(kept), st.permutations(kept))))
def test_order_changes_no_figure(both: tuple[list[Entry], list[Entry]]) -> None:
    """Entries in any order give the same figures and the same bytes."""
    one, other = both
    assert admin_stats(one) == admin_stats(other)
    assert str(admin_stats(one).to_json()) == str(admin_stats(other).to_json())


@given(st.lists(entries()))
def test_the_document_keeps_every_figure(kept: list[Entry]) -> None:
    """Figures are the same after they are written and parsed."""
    stats = admin_stats(kept)
    assert AdminStats.parse(stats.to_json()) == stats


def test_no_entries_give_zeros() -> None:
    """A campaign without entries has zeros; so has an empty document."""
    assert admin_stats([]) == AdminStats() == AdminStats.parse({})


def test_a_day_is_a_day_in_utc() -> None:
    """An entry counts for the UTC day of its registration."""
    moments = [OPENS, OPENS - timedelta(milliseconds=1)]
    elsewhere = [moment.astimezone(timezone(timedelta(hours=-5))) for moment in moments]
    kept = [entry(created=created) for created in (*moments, *elsewhere)]
    assert admin_stats(kept).by_day == {"2026-09-01": 2, "2026-08-31": 2}


def test_a_fifth_preference_is_not_counted() -> None:
    """A market has counts for four preference ranks."""
    stats = admin_stats([entry(market_ids=("a", "b", "c", "d", "e"))])
    assert stats.by_market["d"] == (0, 0, 0, 1)
    assert "e" not in stats.by_market
