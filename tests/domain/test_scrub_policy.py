"""What a campaign's scrub takes from its lists: which ones are refused, and how they are read."""

import polars as pl
import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub import ScrubPolicy, scrub


def test_a_pattern_without_an_at_sign_is_refused() -> None:
    """`*` would let every bot in; the message says which pattern, never what it holds."""
    with pytest.raises(BadInput, match="pattern 2 has no @") as refused:
        ScrubPolicy(allowed_patterns=("*@x.co", "*gmail.com"))
    assert "gmail" not in str(refused.value)


@pytest.mark.parametrize("pattern", ["fan{}@spam.io", "fan{}@*", "fan{}@[a-z]pam.i?"])
def test_an_allowlist_may_be_as_long_as_a_fan_club(pattern: str) -> None:
    """Twenty thousand patterns let in whom they name and nobody else."""
    allowed = [pattern.format(number) for number in range(0, 40_000, 2)]
    policy = ScrubPolicy(blocked_domains={"spam.io"}, allowed_patterns=allowed)
    fans = pl.DataFrame({"email": [f"FAN{number}@spam.io" for number in (0, 1, 39_998, 40_000)]})
    rest = {"global_user_id": "g", "campaign_id": "c", "phone": "", "score": 0.5}
    out = scrub(fans.with_columns(**{name: pl.lit(of) for name, of in rest.items()}), policy)
    blocked = out.select(pl.col("tags").list.contains("blockedDomain")).collect().to_series()
    assert blocked.to_list() == [False, True, False, True]


def test_a_pattern_longer_than_any_address_is_refused() -> None:
    """No engine has to compile what can match nobody."""
    with pytest.raises(BadInput, match="pattern 1 has more than 320 characters"):
        ScrubPolicy(allowed_patterns=["?" * 320 + "@x.co"])


@pytest.mark.parametrize("name", ["blocked_emails", "blocked_domains", "allowed_patterns"])
def test_one_text_is_no_list(name: str) -> None:
    """A text given for a list would be a list of its letters and silently block nobody."""
    with pytest.raises(BadInput, match="one text instead of several"):
        ScrubPolicy(**{name: "*@x.co"})  # type: ignore[arg-type]


def test_a_policy_shows_no_address() -> None:
    """Lists and the seed stay out of logs."""
    shown = repr(ScrubPolicy(blocked_emails=frozenset({"bob@y.org"}), lottery_seed="s3cret"))
    assert "bob" not in shown
    assert "s3cret" not in shown


def test_lists_may_be_any_iterables_of_texts_as_people_write_them() -> None:
    """Blank lines, capitals, `@` and dots around domains mean nothing."""
    policy = ScrubPolicy(blocked_emails=[" A@b.CO", ""], blocked_domains=["@X.co.", ".Y.co", " "])
    assert policy.blocked_emails == {"a@b.co"}
    assert policy.blocked_domains == {"x.co", "y.co"}
