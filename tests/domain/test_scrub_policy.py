"""What a campaign's scrub takes from its lists: which ones are refused, and how they are read."""

import pytest

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub import ScrubPolicy


def test_a_pattern_without_an_at_sign_is_refused() -> None:
    """`*` would let every bot in; the message says which pattern, never what it holds."""
    with pytest.raises(BadInput, match="pattern 2 has no @") as refused:
        ScrubPolicy(allowed_patterns=("*@x.co", "*gmail.com"))
    assert "gmail" not in str(refused.value)


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
