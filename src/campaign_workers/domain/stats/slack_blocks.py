"""Messages in Slack's Block Kit: plain mappings within its limits, texts escaped."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

Block = Mapping[str, Any]

LONGEST_HEADER: Final = 150
LONGEST_SECTION: Final = 3000
LONGEST_FIELD: Final = 2000
MOST_FIELDS: Final = 10
LONGEST_NAME: Final = 120

_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


@attrs.frozen(kw_only=True)
class Message:
    """A message: its blocks, and the text that notifications show."""

    text: str
    blocks: tuple[Block, ...]


def escaped(name: str, limit: int = LONGEST_NAME) -> str:
    """A name as part of a text: one line, no mention or link, at most `limit` characters."""
    words = " ".join(name.split())
    whole = "".join(_ESCAPED.get(character, character) for character in words)
    if len(whole) <= limit:
        return whole
    pieces = [_ESCAPED.get(character, character) for character in words[:limit]]
    while sum(map(len, pieces)) >= limit:
        pieces.pop()
    return f"{''.join(pieces)}…"


def header(title: str) -> Block:
    """A heading; `title` is escaped here."""
    text = {"type": "plain_text", "text": escaped(title, LONGEST_HEADER), "emoji": False}
    return {"type": "header", "text": text}


def section(lines: Iterable[str]) -> Block:
    """A paragraph of lines whose names are escaped already; what does not fit is left out."""
    return {"type": "section", "text": _mrkdwn(lines, LONGEST_SECTION)}


def fields(texts: Iterable[str]) -> Block:
    """Short texts in two columns, ten at most, whose names are escaped already."""
    shown = list(texts)[:MOST_FIELDS]
    return {"type": "section", "fields": [_mrkdwn([text], LONGEST_FIELD) for text in shown]}


def _mrkdwn(lines: Iterable[str], limit: int) -> Block:
    kept: list[str] = []
    for line in lines:
        if len("\n".join([*kept, line])) > limit:
            break
        kept.append(line)
    return {"type": "mrkdwn", "text": "\n".join(kept)}
