"""Shell wildcards are translated to regular expressions."""

from fnmatch import fnmatchcase

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaign_workers.domain.scrub.policy import translate_wildcards

parts = st.sampled_from(
    [
        ("*", ""), ("*", "ab@"), ("?", "@"), ("?", "."), ("[ab]", "b"), ("[!a]", "é"),
        ("[!a-b]", "@"), ("[a-b]", "a"), ("[]a]", "]"), ("a", "a"), (".", "."), ("@", "@"),
    ]
)  # fmt: skip
pairs = st.lists(parts, min_size=1, max_size=5).map(
    lambda chosen: ("".join(part for part, _ in chosen), "".join(text for _, text in chosen))
)
"""A pattern with a text that it matches."""

tangles = st.text("ab@.]-[!*?^\\&~|$+(){}é\n", max_size=10)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*@partner.example", "ann@partner.example", True),
        ("*@partner.example", "ann@partner.example.org", False),
        ("*@partner.example", "ann@partnerxexample", False),
        ("vip?@x.co", "vip1@x.co", True),
        ("vip?@x.co", "vip@x.co", False),
        ("[a-c]*@x.co", "bob@x.co", True),
        ("[!a-c]*@x.co", "bob@x.co", False),
        ("[]]@x.co", "]@x.co", True),
        ("[@x.co", "[@x.co", True),
        ("[z-a]@x.co", "z@x.co", False),
    ],
)
def test_wildcards_match_as_in_a_shell(pattern: str, text: str, matches: bool) -> None:
    """`*`, `?` and sets are special, every other character matches itself."""
    assert matches == pl.Series([text]).str.contains(translate_wildcards(pattern))[0]


def check(pattern: str, texts: list[str]) -> None:
    matched = pl.Series(texts).str.contains(translate_wildcards(pattern))
    assert [fnmatchcase(text, pattern) for text in texts] == matched.to_list()


@given(tangles, st.lists(tangles, min_size=1))
def test_any_pattern_matches_what_fnmatch_matches(pattern: str, texts: list[str]) -> None:
    """The translation agrees with Python's `fnmatch` on every pattern and text."""
    check(pattern, texts)


@given(pairs, pairs)
def test_a_proper_pattern_matches_what_fnmatch_matches(
    pair: tuple[str, str], other: tuple[str, str]
) -> None:
    """The same for patterns of texts that they match, of parts of these, and of others."""
    pattern, text = pair
    check(pattern, [text, text[1:], text[:-1], f"{text}a", other[1]])
