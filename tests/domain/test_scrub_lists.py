"""Block- and allowlists are parsed line by line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub.policy import MAX_LIST_BYTES, parse_allowlist, parse_list

entries = st.text("ab@.#-_*é", min_size=1, max_size=6).filter(lambda text: not text.startswith("#"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("\ufeffa@x.co", {1: "a@x.co"}),
        ("# all of them\n\n a@x.co \r\n", {3: "a@x.co"}),
        ("a@x.co # a reseller", {1: "a@x.co"}),
        ("a#b@x.co\t#c", {1: "a#b@x.co"}),
        ("#a@x.co", {}),
        ("  # a@x.co", {}),
    ],
)
def test_a_line_is_an_entry_a_comment_or_blank(text: str, expected: dict[int, str]) -> None:
    """Entries are returned by the number of their line."""
    assert expected == parse_list(text.encode(), file="list.txt")


@given(st.lists(entries), st.sampled_from(["\n", "\r\n", " # why\n"]))
def test_every_entry_is_returned(listed: list[str], end: str) -> None:
    """The text before a comment is the entry."""
    text = "".join(f"{entry}{end}" for entry in listed)
    assert listed == list(parse_list(text.encode(), file="list.txt").values())


def test_a_list_that_is_too_large_is_refused() -> None:
    """A list is held in memory, so its size is limited."""
    with pytest.raises(BadInput, match=r"list.txt: expected at most \d+ bytes"):
        parse_list(b" " * (MAX_LIST_BYTES + 1), file="list.txt")


def test_a_pattern_without_an_at_sign_is_refused() -> None:
    """The error has the line of the pattern and does not quote it."""
    assert parse_allowlist(b"*@x.co\n[ab]@y.co\n", file="p.txt") == ("*@x.co", "[ab]@y.co")
    with pytest.raises(BadInput, match=r"p.txt, line 3: expected a pattern with an @") as refused:
        parse_allowlist(b"*@x.co\n#\nmail*\n", file="p.txt")
    assert "mail" not in str(refused.value)
