"""The glossary defines each word once."""

import re

from tests.docs.pages import ROOT

TEXT = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
ENTRY = re.compile(r"^- ((?:\*\*[^*]+\*\*(?:, )?)+)(?: \([^)]+\))?: \S", re.MULTILINE)
PAGES_WITH_A_LINK = ("README.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/index.md")


def test_every_word_has_one_definition() -> None:
    """An entry is a word in bold type and its definition; no word occurs twice."""
    entries = ENTRY.findall(TEXT)
    assert len(entries) == TEXT.count("\n- ")
    words = [word for entry in entries for word in re.findall(r"\*\*([^*]+)\*\*", entry)]
    assert len(words) == len({word.lower() for word in words})


def test_the_words_of_a_campaign_are_defined() -> None:
    """The words of the product's specification are among them."""
    words = set(re.findall(r"\*\*([^*]+)\*\*", TEXT))
    assert {
        *("campaign", "fan", "entry", "market", "preference rank", "score", "band", "verdict"),
        *("tag", "wave", "wave config", "code", "reservation", "demand table", "registrant"),
    } <= words


def test_the_glossary_is_found_from_the_pages_that_one_reads_first() -> None:
    """README, CONTRIBUTING, the architecture and the index link to it."""
    for name in PAGES_WITH_A_LINK:
        assert "glossary.md" in (ROOT / name).read_text(encoding="utf-8"), name
