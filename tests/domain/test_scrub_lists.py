"""Lists as people keep them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.errors import BadInput
from campaign_workers.domain.scrub.policy import LARGEST, allowed_patterns, list_entries

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
    """Entries keep the numbers of their lines."""
    assert expected == list_entries(text.encode(), file="list.txt")


@given(st.lists(entries), st.sampled_from(["\n", "\r\n", " # why\n"]))
def test_every_entry_is_read(listed: list[str], end: str) -> None:
    """Whatever stands on a line before a comment is the entry."""
    text = "".join(f"{entry}{end}" for entry in listed)
    assert listed == list(list_entries(text.encode(), file="list.txt").values())


def test_a_list_beyond_all_measure_is_refused() -> None:
    """A list is held in memory."""
    with pytest.raises(BadInput, match=r"list.txt: a list of more than \d+ bytes"):
        list_entries(b" " * (LARGEST + 1), file="list.txt")


def test_patterns_name_addresses() -> None:
    """One without an at sign is refused with its line, and not quoted."""
    assert allowed_patterns(b"*@x.co\n[ab]@y.co\n", file="p.txt") == ("*@x.co", "[ab]@y.co")
    with pytest.raises(BadInput, match=r"p.txt, line 3: a pattern without @") as refused:
        allowed_patterns(b"*@x.co\n#\nmail*\n", file="p.txt")
    assert "mail" not in str(refused.value)
