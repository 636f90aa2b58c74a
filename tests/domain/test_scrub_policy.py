"""A scrub policy normalises its lists and refuses dangerous ones."""

import polars as pl
import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub import ScrubPolicy, scrub


def test_a_pattern_without_an_at_sign_is_refused() -> None:
    """`*` would allow every bot; the error has the number of the pattern and does not quote it."""
    with pytest.raises(BadInput, match="expected an @ in pattern 2") as refused:
        ScrubPolicy(allowed_patterns=("*@x.co", "*gmail.com"))
    assert "gmail" not in str(refused.value)


@pytest.mark.parametrize("pattern", ["fan{}@spam.io", "fan{}@*", "fan{}@[a-z]pam.i?"])
def test_an_allowlist_may_be_as_long_as_a_fan_club(pattern: str) -> None:
    """Twenty thousand patterns allow the addresses that they match and no others."""
    allowed = [pattern.format(number) for number in range(0, 40_000, 2)]
    policy = ScrubPolicy(blocked_domains={"spam.io"}, allowed_patterns=allowed)
    fans = pl.DataFrame({"email": [f"FAN{number}@spam.io" for number in (0, 1, 39_998, 40_000)]})
    rest = {"global_user_id": "g", "campaign_id": "c", "phone": "", "score": 0.5}
    out = scrub(fans.with_columns(**{name: pl.lit(of) for name, of in rest.items()}), policy)
    blocked = out.select(pl.col("tags").list.contains("blockedDomain")).collect().to_series()
    assert blocked.to_list() == [False, True, False, True]


def test_a_pattern_longer_than_any_address_is_refused() -> None:
    """A pattern that can match no address is not compiled."""
    with pytest.raises(BadInput, match="expected at most 320 characters, pattern 1 has 325"):
        ScrubPolicy(allowed_patterns=["?" * 320 + "@x.co"])


@pytest.mark.parametrize("name", ["blocked_emails", "blocked_domains", "allowed_patterns"])
def test_a_string_in_the_place_of_a_list_is_refused(name: str) -> None:
    """It would be split into characters and silently block nothing."""
    with pytest.raises(BadInput, match="expected a collection of strings, got a string"):
        ScrubPolicy(**{name: "*@x.co"})  # type: ignore[arg-type]


def test_a_policy_shows_no_address() -> None:
    """The representation omits lists and seed, because it may be logged."""
    shown = repr(ScrubPolicy(blocked_emails=frozenset({"bob@y.org"}), lottery_seed="s3cret"))
    assert "bob" not in shown
    assert "s3cret" not in shown


def test_list_entries_are_normalised() -> None:
    """Blank entries, capitals, `@` and dots around domains do not matter."""
    policy = ScrubPolicy(blocked_emails=[" A@b.CO", ""], blocked_domains=["@X.co.", ".Y.co", " "])
    assert policy.blocked_emails == {"a@b.co"}
    assert policy.blocked_domains == {"x.co", "y.co"}
