"""slackStats: channels hear what is new of their campaigns, and nothing else."""

import json
from typing import Any

import pytest

from campaign_workers.adapters.fakes.messages import FakeChat
from campaign_workers.domain.errors import Fatal, RetryLater
from campaign_workers.domain.running.events import Tick
from campaign_workers.domain.running.reports import Report
from campaign_workers.domain.stats import AdminStats
from campaign_workers.testing.builders import campaign
from campaign_workers.testing.crashes import CrashCase, assert_survives_every_kill
from campaign_workers.workers.slack_stats import SlackStats
from tests.worlds import NOW, World, no_wrapper

FIGURES = AdminStats(
    total=12345,
    confirmed_phones=10000,
    opted_in_sms=9000,
    by_market={"nyc": (700, 20, 0, 0), "chi": (800, 0, 0, 0)},
)


def a_world(wrap: Any = no_wrapper, **overrides: Any) -> World:
    """One open campaign with an artist, two channels and figures."""
    world = World(wrap)
    options = {"stats_channels": ("C1", "C2")} | overrides
    world.campaigns.put(campaign("tour", **options))
    world.stats.save("tour", FIGURES, now=NOW)
    return world


def tell(world: World, **ports: Any) -> Report:
    """Run the worker once."""
    served = {
        "campaigns": world.campaigns,
        "markets": world.markets,
        "stats": world.stats,
        "chat": world.chat,
    }
    return SlackStats(**world.ports(**(served | ports)))(Tick())


def posts(world: World) -> list[tuple[str, str]]:
    """Channel and blocks of every post."""
    return [(post.channel, json.dumps(post.blocks)) for post in world.chat.posts()]


def last_posted(world: World) -> Any:
    """What is noted as posted last."""
    document = world.stats.read("tour")
    return document and document.last_posted


def test_each_channel_hears_the_figures() -> None:
    """Totals and top markets go to every channel of the campaign, and are noted as posted."""
    world = a_world()
    report = tell(world)
    assert report.counts == {"in": 1, "out": 1, "rejected": 0, "duplicates": 0}
    assert [channel for channel, _ in posts(world)] == ["C1", "C2"]
    post = next(world.chat.posts())
    assert post.text == "The Placeholders: World Tour: 12,345 registrations"
    header, figures, markets = post.blocks
    assert header["text"]["text"] == "The Placeholders: World Tour"
    assert "*Registrations*\n12,345" in [field["text"] for field in figures["fields"]]
    assert markets["text"]["text"].split("\n") == [
        "*Top markets*",
        "1. Chicago: 800 first choices, 800 in all",
        "2. New York: 700 first choices, 720 in all",
    ]
    assert last_posted(world) == FIGURES.to_json()


def test_nothing_new_is_not_posted() -> None:
    """The same figures are posted once."""
    world = a_world()
    tell(world)
    report = tell(world)
    assert report.counts == {"in": 1, "out": 0, "rejected": 0, "duplicates": 1}
    assert len(posts(world)) == 2


def test_the_change_since_the_last_post_is_told() -> None:
    """Figures that moved say by how much, up or down; the others that they did not."""
    world = a_world(stats_channels=("C1",))
    tell(world)
    changed = AdminStats(total=13345, confirmed_phones=9999, opted_in_sms=9000)
    world.stats.save("tour", changed, now=NOW)
    tell(world)
    _, (_, blocks) = posts(world)
    for text in ("13,345 (+1,000)", "9,999 (-1)", "9,000 (no change)"):
        assert text in blocks


@pytest.mark.parametrize(
    "overrides", [{"artist": None}, {"stats_channels": ()}, {"status": "CLOSED"}]
)
def test_campaigns_that_nobody_wants_to_hear_of_are_left_out(overrides: dict[str, Any]) -> None:
    """Without an artist, a channel, or once closed, a campaign is not posted or counted."""
    world = a_world(**overrides)
    assert set(tell(world).counts.values()) == {0}
    assert not posts(world)


def test_a_campaign_without_statistics_waits() -> None:
    """There is nothing to post before there are figures."""
    world = World()
    world.campaigns.put(campaign("tour", stats_channels=("C1",)))
    assert set(tell(world).counts.values()) == {0}
    assert not posts(world)


def test_names_cannot_mention_or_link() -> None:
    """Slack's control sequences in a name are shown, not run."""
    world = a_world(artist="<!channel> & <http://x|Sons>", name="a\nb")
    tell(world)
    (_, blocks), _ = posts(world)
    assert "<!" not in blocks
    assert "<http" not in blocks
    assert "&lt;!channel&gt; &amp; &lt;http://x|Sons&gt;: a b" in blocks


def test_a_failing_campaign_does_not_stop_the_others() -> None:
    """The others are posted; then the run fails, and the failed one is posted next time."""
    world = a_world(stats_channels=("C1",))
    world.campaigns.put(campaign("a-tour", stats_channels=("C9",)))
    world.stats.save("a-tour", FIGURES, now=NOW)
    world.chat.faults.fail_next(RetryLater("slow down"))
    with pytest.raises(RetryLater, match="1 of 2 campaigns failed: a-tour: slow down"):
        tell(world)
    assert [channel for channel, _ in posts(world)] == ["C1"]
    assert tell(world).counts == {"in": 2, "out": 1, "rejected": 0, "duplicates": 1}
    assert [channel for channel, _ in posts(world)] == ["C1", "C9"]


def test_a_channel_that_refuses_does_not_make_the_others_hear_twice() -> None:
    """The good channel hears once, the run fails because of the other, nothing is repeated."""
    world = a_world()
    world.chat = FakeChat(world.tables, world.clock, channels=["C2"])
    with pytest.raises(Fatal, match="1 of its channels refused"):
        tell(world)
    tell(world)
    assert [channel for channel, _ in posts(world)] == ["C2"]


def test_a_post_that_no_channel_takes_is_not_noted() -> None:
    """Once the channel is repaired, the next run posts the figures."""
    world = a_world()
    world.chat = FakeChat(world.tables, world.clock, channels=[])
    with pytest.raises(Fatal, match="all of its channels"):
        tell(world)
    assert last_posted(world) is None


def test_it_may_be_killed_at_any_call() -> None:
    """Killed anywhere and run again, each channel has heard at least once, and it is noted."""

    def build(wrap: Any) -> CrashCase:
        world = a_world(wrap)
        return CrashCase(
            run=lambda: tell(world),
            snapshot=lambda: (set(posts(world)), last_posted(world)),
        )

    assert assert_survives_every_kill(build) >= 10
