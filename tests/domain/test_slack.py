"""Slack messages stay within Slack's limits for any names."""

from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.campaigns import Market
from campaign_workers.domain.stats import AdminStats
from campaign_workers.domain.stats.admin import TOP_MARKETS, stats_message
from campaign_workers.domain.stats.slack import (
    MAX_FIELDS,
    MAX_HEADER,
    MAX_SECTION,
    escape,
    fields,
    header,
    section,
)
from campaign_workers.testing.builders import campaign

names = st.text(st.sampled_from("ab<>&! \n\t|@"), max_size=400)


@given(names, st.integers(2, 200))
def test_an_escaped_name_is_harmless_and_short(name: str, limit: int) -> None:
    """No control character of Slack is left, no entity is cut, and the limit holds."""
    text = escape(name, limit)
    assert len(text) <= limit
    assert not set(text) & set("<>\n\t")
    plain = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert "&" not in plain


@given(names)
def test_a_short_name_can_be_read_back(name: str) -> None:
    """Escaping changes nothing but white space if the name fits."""
    text = escape(name, 5000)
    back = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    assert back == " ".join(name.split())


def test_lines_that_do_not_fit_are_left_out() -> None:
    """Lines and fields beyond Slack's limits are omitted as a whole."""
    lines = section(["x" * 1400] * 3)["text"]["text"].split("\n")
    assert [len(line) for line in lines] == [1400, 1400]
    assert len(section(["x" * 1400] * 3)["text"]["text"]) <= MAX_SECTION
    assert len(fields(map(str, range(99)))["fields"]) == MAX_FIELDS
    assert len(header("&" * 999)["text"]["text"]) <= MAX_HEADER


@given(names, names, st.dictionaries(names, st.tuples(st.integers(0), st.integers(0))))
def test_any_campaign_gives_a_valid_message(
    artist: str, market: str, wishes: dict[str, tuple[int, ...]]
) -> None:
    """A message has at most three blocks and five top markets, all within the limits."""
    markets = [Market(market_id=market_id, name=market) for market_id in wishes]
    stats = AdminStats(total=1, by_market=wishes)
    message = stats_message(campaign(artist=artist), markets, stats, None)
    assert len(message.blocks) == (3 if wishes else 2)
    for block in message.blocks[2:]:
        assert len(block["text"]["text"]) <= MAX_SECTION
        assert block["text"]["text"].count("\n") == min(len(wishes), TOP_MARKETS)


def test_markets_are_sorted_by_first_choices() -> None:
    """Ties are sorted by all choices, then by id; a market without a name shows its id."""
    wishes: dict[str, tuple[int, ...]] = {"a": (), "b": (0, 5), "c": (1, 0), "d": (1, 2)}
    message = stats_message(campaign(), [], AdminStats(by_market=wishes), None)
    lines = message.blocks[2]["text"]["text"].split("\n")[1:]
    assert [line.split(":")[0] for line in lines] == ["1. d", "2. c", "3. b", "4. a"]
